"""Where the login before the last one came from."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("desk", "0002_role_posted"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="last_login_before_from",
            field=models.CharField(blank=True, default="", max_length=45),
        ),
    ]
