from datetime import UTC, datetime

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0001_initial")]

    operations = [
        migrations.AddField("deliverygap", "asked", models.IntegerField(default=0)),
        migrations.AddField(
            "deliverygap",
            "ask_at",
            models.DateTimeField(default=datetime(1970, 1, 1, tzinfo=UTC)),
            preserve_default=False,
        ),
        migrations.AddField("quarantine", "replayed_at", models.DateTimeField(null=True)),
    ]
