"""Officers whom an escalation asked become rows of their own. Instead of when an item comes back, which only
the province's plan says, it is kept since when its holder is silent.
"""

from typing import Any

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import F
from django.db.models.functions import Coalesce, Greatest

AT_ONCE = 1000


def rows_of_their_own(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    alias = schema_editor.connection.alias
    item: Any = apps.get_model("store", "InboxItem")
    asked_also: Any = apps.get_model("store", "AskedAlso")
    asked = item.objects.using(alias).exclude(asked=[]).values_list("pk", "asked").iterator(AT_ONCE)
    rows = (asked_also(item_id=key, officer_ref=ref) for key, refs in asked for ref in dict.fromkeys(refs))
    asked_also.objects.using(alias).bulk_create(rows, AT_ONCE)


def since_when(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    item: Any = apps.get_model("store", "InboxItem")
    held = item.objects.using(schema_editor.connection.alias).filter(back_at__isnull=False)
    claimed = Coalesce(F("claimed_at"), F("assigned_at"))
    held.update(silent_since=Greatest(claimed, Coalesce(F("assigned_at"), claimed)))


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0004_held_file"),
    ]

    operations = [
        migrations.CreateModel(
            name="AskedAlso",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("officer_ref", models.CharField(max_length=32)),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="asked_also",
                        to="store.inboxitem",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("officer_ref", "item"), name="store_asked_once")
                ],
            },
        ),
        migrations.AddField(
            model_name="inboxitem", name="silent_since", field=models.DateTimeField(null=True)
        ),
        migrations.RunPython(rows_of_their_own, migrations.RunPython.noop),
        migrations.RunPython(since_when, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="inboxitem",
            index=models.Index(
                condition=models.Q(("silent_since__isnull", False)),
                fields=["urgency", "silent_since"],
                name="store_inbox_silent",
            ),
        ),
    ]
