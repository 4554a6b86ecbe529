import django.db.models.deletion
from django.db import migrations, models

URGENCY = """
UPDATE store_inboxitem SET urgency =
    (SELECT urgency FROM store_message WHERE store_message.id = store_inboxitem.message_id)
"""
DUE = """
UPDATE store_inboxitem SET due_at =
    (SELECT CASE store_inboxitem.state WHEN 'waiting' THEN sign_by ELSE first_feedback_by END
     FROM store_message WHERE store_message.id = store_inboxitem.message_id)
WHERE state IN ('waiting', 'claimed')
"""


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0002_asked_and_replayed'),
    ]

    operations = [
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('kind', models.CharField(max_length=16)),
                ('officer_ref', models.CharField(default='', max_length=32)),
                ('unit', models.CharField(default='', max_length=32)),
                ('facts', models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name='OwnReminder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('officer_ref', models.CharField(max_length=32)),
                ('asked_at', models.DateTimeField()),
                ('due_at', models.DateTimeField()),
                ('done_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name='inboxitem',
            name='asked',
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name='inboxitem',
            name='assigned_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='inboxitem',
            name='assigned_to',
            field=models.CharField(default='', max_length=32),
        ),
        migrations.AddField(
            model_name='inboxitem',
            name='back_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='inboxitem',
            name='closed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='inboxitem',
            name='due_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='inboxitem',
            name='first_answer_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='inboxitem',
            name='started_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='inboxitem',
            name='urgency',
            field=models.CharField(default='', max_length=8),
        ),
        migrations.AlterField(
            model_name='inboxitem',
            name='state',
            field=models.CharField(choices=[('waiting', 'Waiting'), ('claimed', 'Claimed'), ('assigned', 'Assigned'), ('working', 'Working'), ('answered', 'Answered'), ('returned', 'Returned'), ('redirected', 'Redirected'), ('closed', 'Closed'), ('cancelled', 'Cancelled'), ('read', 'Read')], default='waiting', max_length=12),
        ),
        migrations.RunSQL(URGENCY, migrations.RunSQL.noop),
        migrations.RunSQL(DUE, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name='inboxitem',
            index=models.Index(fields=['unit', 'state', 'message'], name='store_inbox_by_unit'),
        ),
        migrations.AddIndex(
            model_name='inboxitem',
            index=models.Index(condition=models.Q(('claimed_by', ''), _negated=True), fields=['claimed_by', 'state', 'message'], name='store_inbox_by_claimer'),
        ),
        migrations.AddIndex(
            model_name='inboxitem',
            index=models.Index(condition=models.Q(('assigned_to', ''), _negated=True), fields=['assigned_to', 'state', 'message'], name='store_inbox_by_assignee'),
        ),
        migrations.AddIndex(
            model_name='inboxitem',
            index=models.Index(fields=['state', 'due_at', 'message'], name='store_inbox_due'),
        ),
        migrations.AddIndex(
            model_name='inboxitem',
            index=models.Index(fields=['unit', 'state', 'due_at', 'message'], name='store_inbox_unit_due'),
        ),
        migrations.AddIndex(
            model_name='inboxitem',
            index=models.Index(fields=['unit', 'state', 'urgency'], name='store_inbox_unit_urgency'),
        ),
        migrations.AddIndex(
            model_name='inboxitem',
            index=models.Index(condition=models.Q(('back_at__isnull', False)), fields=['back_at'], name='store_inbox_back'),
        ),
        migrations.AddField(
            model_name='event',
            name='message',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='store.message'),
        ),
        migrations.AddField(
            model_name='ownreminder',
            name='message',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='own_reminders', to='store.message'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['kind', 'at'], name='store_event_by_kind'),
        ),
        migrations.AddIndex(
            model_name='ownreminder',
            index=models.Index(condition=models.Q(('done_at__isnull', True)), fields=['due_at'], name='store_own_reminder_due'),
        ),
    ]
