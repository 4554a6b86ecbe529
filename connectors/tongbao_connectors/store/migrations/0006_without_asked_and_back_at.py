"""What 0005 has put elsewhere goes."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0005_asked_also_and_silence"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="inboxitem", name="store_inbox_back"),
        migrations.RemoveField(model_name="inboxitem", name="asked"),
        migrations.RemoveField(model_name="inboxitem", name="back_at"),
    ]
