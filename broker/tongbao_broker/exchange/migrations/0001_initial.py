
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='DirectoryRecord',
            fields=[
                ('version', models.BigIntegerField(primary_key=True, serialize=False)),
                ('index', models.BigIntegerField(unique=True)),
                ('digest', models.CharField(max_length=71)),
                ('admitted_at', models.DateTimeField()),
                ('value', models.BinaryField()),
                ('published', models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name='Incident',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=20)),
                ('stream', models.CharField(blank=True, max_length=64)),
                ('offset', models.BigIntegerField(null=True)),
                ('detail', models.CharField(blank=True, max_length=200)),
                ('noted_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Lane',
            fields=[
                ('addressee', models.CharField(max_length=6, primary_key=True, serialize=False)),
                ('delivery_seq', models.BigIntegerField(default=0)),
                ('published_seq', models.BigIntegerField(default=0)),
                ('settled_seq', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='LeafRecord',
            fields=[
                ('first', models.BigIntegerField(primary_key=True, serialize=False)),
                ('end', models.BigIntegerField()),
                ('value', models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name='Thread',
            fields=[
                ('thread', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('origin', models.CharField(max_length=6)),
                ('status', models.CharField(max_length=8)),
                ('parties', models.CharField(max_length=700)),
                ('opened_at', models.DateTimeField()),
                ('closed', models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name='TrailState',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('size', models.BigIntegerField()),
                ('nodes', models.JSONField(default=list)),
                ('checkpoint', models.TextField(blank=True)),
                ('published_size', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('addressee', models.CharField(max_length=6)),
                ('delivery_seq', models.BigIntegerField()),
                ('index', models.BigIntegerField()),
                ('value', models.BinaryField()),
                ('expires_at', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['expires_at'], name='delivery_by_expiry')],
                'constraints': [models.UniqueConstraint(fields=('addressee', 'delivery_seq'), name='delivery_seq_once_per_addressee')],
            },
        ),
        migrations.CreateModel(
            name='Message',
            fields=[
                ('index', models.BigIntegerField(primary_key=True, serialize=False)),
                ('origin', models.CharField(max_length=6)),
                ('message_id', models.CharField(max_length=36)),
                ('seq', models.BigIntegerField(null=True)),
                ('thread', models.CharField(max_length=36)),
                ('digest', models.CharField(db_index=True, max_length=71)),
                ('type', models.CharField(max_length=12)),
                ('status', models.CharField(max_length=8)),
                ('audience', models.CharField(max_length=700)),
                ('code', models.CharField(blank=True, max_length=6)),
                ('admitted_at', models.DateTimeField()),
                ('directory', models.BigIntegerField()),
                ('payload', models.BinaryField()),
                ('keyid', models.CharField(max_length=64)),
                ('signature', models.BinaryField()),
            ],
            options={
                'indexes': [models.Index(fields=['message_id'], name='message_by_id'), models.Index(fields=['thread'], name='message_by_thread')],
                'constraints': [models.UniqueConstraint(fields=('origin', 'message_id'), name='message_id_once_per_origin'), models.UniqueConstraint(fields=('origin', 'seq'), name='seq_once_per_origin')],
            },
        ),
        migrations.CreateModel(
            name='Refusal',
            fields=[
                ('index', models.BigIntegerField(primary_key=True, serialize=False)),
                ('topic', models.CharField(max_length=64)),
                ('topic_id', models.CharField(max_length=64)),
                ('offset', models.BigIntegerField()),
                ('sha256', models.CharField(max_length=64)),
                ('size', models.BigIntegerField()),
                ('digest', models.CharField(max_length=71)),
                ('code', models.CharField(max_length=6)),
                ('where', models.CharField(blank=True, max_length=200)),
                ('refused_at', models.DateTimeField()),
                ('directory', models.BigIntegerField()),
            ],
            options={
                'indexes': [models.Index(fields=['topic', 'offset'], name='refusal_by_place')],
            },
        ),
        migrations.CreateModel(
            name='Resend',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('addressee', models.CharField(max_length=6)),
                ('delivery_seq', models.BigIntegerField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('addressee', 'delivery_seq'), name='resend_once_at_a_time')],
            },
        ),
    ]
