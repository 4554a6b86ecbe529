"""Knows the role of a posted officer."""

from typing import ClassVar

from django.db import migrations, models

ROLES = [
    ("receiver", "Receiver"),
    ("reviewer", "Reviewer"),
    ("leader", "Leader"),
    ("admin", "Administrator"),
    ("supervisor", "Legal supervisor"),
    ("posted", "Posted officer"),
]


class Migration(migrations.Migration):
    dependencies: ClassVar = [("desk", "0001_initial")]

    operations: ClassVar = [
        migrations.AlterField(
            model_name="account",
            name="role",
            field=models.CharField(choices=ROLES, max_length=12),
        ),
    ]
