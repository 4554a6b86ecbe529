from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Cursor",
            fields=[
                ("stream", models.CharField(max_length=120, primary_key=True, serialize=False)),
                ("cluster_id", models.CharField(max_length=64)),
                ("topic_id", models.CharField(max_length=64)),
                ("next", models.BigIntegerField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("next__gte", 0)), name="cursor_next_not_negative"
                    )
                ],
            },
        ),
    ]
