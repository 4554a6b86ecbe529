"""What a province keeps. Nothing else in the connector has a memory.

1. `Message` has one row for every message of this province's own that was sealed and every message of
   others that was accepted: header facts only, found again by (origin, id). The exact bytes lie in
   `Record`, the content key in `ContentKey`. Deleting a content key purges a body and leaves every
   signature verifiable.
2. The way out is a `Draft` (drafted, or refused here) and then an `Outbox` row (sealed, published, settled,
   or rejected by the exchange). A `HeldFile` lies beside a draft until its parts are drafts themselves.
3. `InboxItem` is the officers' side of a received message: why it lies where, who is accountable, who
   signed for it. `Event` has a line for everything that was done with a message here.
4. `StageReport` holds every stage of every message, this province's own and those that others reported in
   receipts. What is `pending` still has to be sent.
5. `LeafBatch` is the exchange's log as published; `CheckpointClaim` holds roots that couldn't be compared
   yet.
6. Times are aware UTC. Codes and short texts are stored as they stand on the wire.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q

MESSAGE_ID = 36
CODE = 6
DIGEST = 71
HEX_DIGEST = 64
OFFICER_REF = 32
UNIT = 64
AUDIENCE = 40 * (CODE + 1)
REFUSAL = 8
FILE_NAME = 60


class Message(models.Model):
    """The header of a message, with the facts of its entry into the log where they are known."""

    origin = models.CharField(max_length=CODE)
    message_id = models.CharField(max_length=MESSAGE_ID)
    thread = models.CharField(max_length=MESSAGE_ID)
    type = models.CharField(max_length=16)
    status = models.CharField(max_length=8)
    digest = models.CharField(max_length=DIGEST)
    audience = models.CharField(max_length=AUDIENCE)
    schema = models.CharField(max_length=32)
    number = models.CharField(max_length=24, default="")
    urgency = models.CharField(max_length=8, default="")
    handling = models.CharField(max_length=4, default="")
    category = models.CharField(max_length=32, default="")
    answer_kind = models.CharField(max_length=16, default="")
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    sign_by = models.DateTimeField(null=True)
    first_feedback_by = models.DateTimeField(null=True)
    result_by = models.DateTimeField(null=True)
    stored_at = models.DateTimeField()
    leaf_index = models.BigIntegerField(null=True)
    admitted_at = models.DateTimeField(null=True)
    directory_version = models.BigIntegerField(null=True)
    tree_size = models.BigIntegerField(null=True)
    delivery_seq = models.BigIntegerField(null=True)

    class Meta:
        constraints: ClassVar = (
            models.UniqueConstraint(fields=["origin", "message_id"], name="store_message_once_per_origin"),
        )
        indexes: ClassVar = (
            models.Index(fields=["message_id"], name="store_message_by_id"),
            models.Index(fields=["thread"], name="store_message_by_thread"),
            models.Index(fields=["number"], name="store_message_by_number", condition=~Q(number="")),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.message_id} of {self.origin}"

    @property
    def audience_codes(self) -> tuple[str, ...]:
        """The addressees' codes in their order."""
        return tuple(self.audience.split(","))

    @property
    def expired_on_arrival(self) -> bool:
        """Stored all the same, but marked 已过期 and not paged."""
        return self.stored_at >= self.expires_at


class Record(models.Model):
    """The exact bytes of a message as it was sent (`out`) or delivered (`in`); the evidence."""

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True, related_name="record")
    value = models.BinaryField()

    def __str__(self) -> str:
        return f"record of message {self.message_id}"


class ContentKey(models.Model):
    """The key that opens a stored body. Without this row the body is gone."""

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True, related_name="content_key")
    cek = models.BinaryField()

    def __str__(self) -> str:
        return f"content key of message {self.message_id}"


class Reference(models.Model):
    """A reference from one message to another.

    `known` is False while the other one isn't here (an orphan).
    """

    message = models.ForeignKey(Message, models.CASCADE, related_name="references")
    relation = models.CharField(max_length=16)
    target = models.CharField(max_length=MESSAGE_ID)
    target_digest = models.CharField(max_length=DIGEST)
    known = models.BooleanField()

    class Meta:
        indexes: ClassVar = (models.Index(fields=["target"], name="store_reference_by_target"),)

    def __str__(self) -> str:
        return f"{self.relation} {self.target}"


class Draft(models.Model):
    """What was submitted, until the connector has sealed it.

    Its text is deleted then; a refused one keeps it.
    """

    class State(models.TextChoices):
        DRAFTED = "drafted"
        SEALED = "sealed"
        REFUSED = "refused"

    client_ref = models.CharField(max_length=64, unique=True)
    content_digest = models.CharField(max_length=DIGEST)
    submitted_by = models.CharField(max_length=64)
    submitted_at = models.DateTimeField()
    message_id = models.CharField(max_length=MESSAGE_ID, unique=True)
    thread = models.CharField(max_length=MESSAGE_ID)
    type = models.CharField(max_length=16)
    status = models.CharField(max_length=8)
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFTED)
    text = models.BinaryField(null=True)
    code = models.CharField(max_length=REFUSAL, default="")
    where = models.CharField(max_length=120, default="")

    class Meta:
        indexes: ClassVar = (
            models.Index(fields=["id"], name="store_draft_waiting", condition=Q(state="drafted")),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.message_id}: {self.state}"


class HeldFile(models.Model):
    """A file in plain that waits for its message to be sealed. Once its last part is a draft, it is deleted.

    `number` counts the files of one message from 1, `next_part` is the part that becomes a draft next.
    """

    message_id = models.CharField(max_length=MESSAGE_ID)
    number = models.IntegerField()
    name = models.CharField(max_length=FILE_NAME)
    digest = models.CharField(max_length=DIGEST)
    size = models.IntegerField()
    content = models.BinaryField()
    next_part = models.IntegerField(default=1)

    class Meta:
        constraints: ClassVar = (
            models.UniqueConstraint(fields=["message_id", "number"], name="store_held_file_once"),
        )

    def __str__(self) -> str:
        return f"file {self.number} of message {self.message_id}"


class Outbox(models.Model):
    """A sealed message on its way out, until the exchange has settled it.

    `seq_open` marks a rejected one of which it isn't known yet whether the exchange used up its seq.
    """

    class State(models.TextChoices):
        SEALED = "sealed"
        PUBLISHED = "published"
        SETTLED = "settled"
        REJECTED = "rejected"

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True, related_name="outbox")
    seq = models.BigIntegerField()
    seq_open = models.BooleanField(default=False)
    record_sha256 = models.CharField(max_length=HEX_DIGEST)
    state = models.CharField(max_length=12, choices=State.choices, default=State.SEALED)
    published_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    publish_again_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    code = models.CharField(max_length=REFUSAL, default="")

    class Meta:
        constraints: ClassVar = (
            models.UniqueConstraint(
                fields=["seq"], name="store_seq_used_once", condition=~Q(state="rejected")
            ),
        )
        indexes: ClassVar = (
            models.Index(fields=["seq"], name="store_outbox_sealed", condition=Q(state="sealed")),
            models.Index(
                fields=["publish_again_at"], name="store_outbox_unsettled", condition=Q(state="published")
            ),
            models.Index(fields=["seq"], name="store_outbox_seq_open", condition=Q(seq_open=True)),
            models.Index(fields=["record_sha256"], name="store_outbox_by_sha256"),
        )

    def __str__(self) -> str:
        return f"seq {self.seq}: {self.state}"


class InboxItem(models.Model):
    """A received message at the officers' desk.

    Where it was routed and why, who is accountable (`officer_ref`), who signed for it, to whom it was
    assigned. `silent_since` is since when its holder has not begun; nothing, once he has. `urgency` is the
    message's and `due_at` what is due next of this province (`case_rules.next_due`), both here so that an
    index sorts a long inbox.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        CLAIMED = "claimed"
        ASSIGNED = "assigned"
        WORKING = "working"
        ANSWERED = "answered"
        RETURNED = "returned"
        REDIRECTED = "redirected"
        CLOSED = "closed"
        CANCELLED = "cancelled"
        READ = "read"

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True, related_name="inbox_item")
    unit = models.CharField(max_length=32)
    officer_ref = models.CharField(max_length=OFFICER_REF)
    rule = models.CharField(max_length=64)
    steps = models.JSONField()
    routed_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    claimed_by = models.CharField(max_length=OFFICER_REF, default="")
    claimed_at = models.DateTimeField(null=True)
    assigned_to = models.CharField(max_length=OFFICER_REF, default="")
    assigned_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    first_answer_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    silent_since = models.DateTimeField(null=True)
    urgency = models.CharField(max_length=8, default="")
    due_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = (
            models.Index(fields=["state", "message"], name="store_inbox_by_state"),
            models.Index(fields=["officer_ref", "state", "message"], name="store_inbox_by_officer"),
            models.Index(fields=["unit", "state", "message"], name="store_inbox_by_unit"),
            models.Index(
                fields=["claimed_by", "state", "message"],
                name="store_inbox_by_claimer",
                condition=~Q(claimed_by=""),
            ),
            models.Index(
                fields=["assigned_to", "state", "message"],
                name="store_inbox_by_assignee",
                condition=~Q(assigned_to=""),
            ),
            models.Index(fields=["state", "due_at", "message"], name="store_inbox_due"),
            models.Index(fields=["unit", "state", "due_at", "message"], name="store_inbox_unit_due"),
            models.Index(fields=["unit", "state", "urgency"], name="store_inbox_unit_urgency"),
            models.Index(
                fields=["urgency", "silent_since"],
                name="store_inbox_silent",
                condition=Q(silent_since__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.unit} {self.officer_ref}: {self.state}"

    @property
    def holder(self) -> str:
        """Who works on it: the officer it was assigned to, else who signed for it; empty: nobody yet."""
        return self.assigned_to or self.claimed_by

    @property
    def asked(self) -> list[str]:
        """The officers whom an escalation asked as well, in the order asked."""
        return [row.officer_ref for row in sorted(self.asked_also.all(), key=lambda row: row.pk)]


class AskedAlso(models.Model):
    """An officer whom an escalation asked to sign for a message, besides the accountable one."""

    item = models.ForeignKey(InboxItem, models.CASCADE, related_name="asked_also")
    officer_ref = models.CharField(max_length=OFFICER_REF)

    class Meta:
        constraints: ClassVar = (
            models.UniqueConstraint(fields=["officer_ref", "item"], name="store_asked_once"),
        )

    def __str__(self) -> str:
        return f"{self.officer_ref} of message {self.item_id}"


class Event(models.Model):
    """One thing that this province's officers or its desk did with a message, received or sent.

    `kind` is of `case_rules.EventKind`. `officer_ref` is empty where no person acted. `facts` holds codes,
    references and times and an officer's own remark, never what a body says.
    """

    message = models.ForeignKey(Message, models.CASCADE, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=16)
    officer_ref = models.CharField(max_length=OFFICER_REF, default="")
    unit = models.CharField(max_length=32, default="")
    facts = models.JSONField(default=dict)

    class Meta:
        indexes: ClassVar = (models.Index(fields=["kind", "at"], name="store_event_by_kind"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id}"


class OwnReminder(models.Model):
    """An officer's wish to be reminded of a message at a time; `done_at` is when he was."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="own_reminders")
    officer_ref = models.CharField(max_length=OFFICER_REF)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = (
            models.Index(fields=["due_at"], name="store_own_reminder_due", condition=Q(done_at__isnull=True)),
        )

    def __str__(self) -> str:
        return f"{self.officer_ref} of message {self.message_id}"


class StageReport(models.Model):
    """One stage that a participant (`place`; empty: this province) reports of one message.

    `of` is empty for a refused record that didn't say its id. `receipt` is the message that carried the
    report. `alone` marks one that is sent again by itself after a receipt with several was rejected.
    """

    place = models.CharField(max_length=CODE, default="")
    of = models.CharField(max_length=MESSAGE_ID, default="")
    of_origin = models.CharField(max_length=CODE)
    of_status = models.CharField(max_length=8)
    digest = models.CharField(max_length=DIGEST)
    stage = models.CharField(max_length=12)
    at = models.DateTimeField()
    unit = models.CharField(max_length=UNIT, default="")
    officer_ref = models.CharField(max_length=OFFICER_REF, default="")
    code = models.CharField(max_length=REFUSAL, default="")
    receipt = models.ForeignKey(Message, models.SET_NULL, null=True, related_name="reports")
    pending = models.BooleanField(default=False)
    alone = models.BooleanField(default=False)

    class Meta:
        indexes: ClassVar = (
            models.Index(fields=["of"], name="store_stage_by_message"),
            models.Index(fields=["id"], name="store_stage_pending", condition=Q(pending=True)),
        )

    def __str__(self) -> str:
        return f"{self.place}: {self.stage} {self.of}"


class Notice(models.Model):
    """What the exchange said of a message.

    Admitted with its index, rejected with a code, overdue, suspect.
    """

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True, related_name="notice")
    kind = models.CharField(max_length=16)
    of = models.CharField(max_length=MESSAGE_ID, default="")
    digest = models.CharField(max_length=DIGEST, default="")
    at = models.DateTimeField()
    index = models.BigIntegerField(null=True)
    code = models.CharField(max_length=REFUSAL, default="")

    class Meta:
        indexes: ClassVar = (models.Index(fields=["of"], name="store_notice_by_message"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.of}"


class Opening(models.Model):
    """Who opened a body and why; written before the body is decrypted, in the same transaction."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="openings")
    officer_ref = models.CharField(max_length=OFFICER_REF)
    unit = models.CharField(max_length=32)
    why = models.CharField(max_length=200)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.officer_ref} opened message {self.message_id}"


class Quarantine(models.Model):
    """A record that was refused, by its place and hash. Its bytes are kept only if its signature was good.

    `replayed_at` is when it was judged again and found good.
    """

    topic = models.CharField(max_length=120)
    topic_id = models.CharField(max_length=64)
    partition = models.IntegerField()
    offset = models.BigIntegerField()
    sha256 = models.CharField(max_length=HEX_DIGEST, default="")
    size = models.BigIntegerField()
    code = models.CharField(max_length=REFUSAL)
    where = models.CharField(max_length=120, default="")
    origin = models.CharField(max_length=CODE, default="")
    message_id = models.CharField(max_length=MESSAGE_ID, default="")
    digest = models.CharField(max_length=DIGEST, default="")
    noted_at = models.DateTimeField()
    value = models.BinaryField(null=True)
    replayed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = (
            models.UniqueConstraint(
                fields=["topic", "topic_id", "partition", "offset"], name="store_quarantine_once_per_record"
            ),
        )

    def __str__(self) -> str:
        return f"{self.code} at {self.topic} {self.offset}"


class Incident(models.Model):
    """Something that a supervisor must look at.

    `key` names the event, so that meeting it again adds nothing.
    """

    key = models.CharField(max_length=255, unique=True)
    kind = models.CharField(max_length=32)
    noted_at = models.DateTimeField()
    facts = models.JSONField()

    def __str__(self) -> str:
        return self.key


class DeliveryGap(models.Model):
    """Delivery numbers `first` to `last` that haven't arrived.

    `asked` is how often the exchange was asked for them, `ask_at` when it is (again).
    """

    first = models.BigIntegerField(primary_key=True)
    last = models.BigIntegerField()
    noted_at = models.DateTimeField()
    asked = models.IntegerField(default=0)
    ask_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


class Counter(models.Model):
    """A number that only grows: the last seq and serial given out, the highest delivery number met."""

    name = models.CharField(primary_key=True, max_length=32)
    value = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.name} {self.value}"


class ReleasedSeq(models.Model):
    """A seq that was given out and isn't used up: its message was rejected before it counted."""

    seq = models.BigIntegerField(primary_key=True)

    def __str__(self) -> str:
        return str(self.seq)


class ExchangeHead(models.Model):
    """The newest head of the exchange; one row."""

    at = models.DateTimeField()
    settled_seq = models.BigIntegerField()
    holes = models.JSONField()
    out_next_offset = models.BigIntegerField()
    delivery_seq = models.BigIntegerField()
    directory_version = models.BigIntegerField()

    def __str__(self) -> str:
        return f"head of {self.at}"


class LeafBatch(models.Model):
    """Leaf hashes as published, and the tree that they make together with all before them."""

    start = models.BigIntegerField(primary_key=True)
    size = models.BigIntegerField(unique=True)
    hashes = models.BinaryField()
    root = models.CharField(max_length=HEX_DIGEST)
    frontier = models.JSONField()
    checkpoint = models.TextField()

    def __str__(self) -> str:
        return f"leaves {self.start} to {self.size}"


class CheckpointClaim(models.Model):
    """A root that somebody stated for a size which this province's own copy of the log hasn't reached yet."""

    size = models.BigIntegerField()
    root = models.CharField(max_length=HEX_DIGEST)
    origin = models.CharField(max_length=CODE)
    message_id = models.CharField(max_length=MESSAGE_ID, default="")

    class Meta:
        constraints: ClassVar = (
            models.UniqueConstraint(fields=["size", "root", "origin"], name="store_claim_once_per_origin"),
        )

    def __str__(self) -> str:
        return f"{self.origin} claims {self.size} {self.root}"


class SeenCheckpoint(models.Model):
    """The largest checkpoint met that the exchange signed.

    One row. It goes into every header that is signed here.
    """

    size = models.BigIntegerField()
    root = models.CharField(max_length=HEX_DIGEST)

    def __str__(self) -> str:
        return f"{self.size} {self.root}"


class TrustDocument(models.Model):
    """A verified roots-and-directory file by the directory's version.

    The highest one is in force, for ever.
    """

    version = models.BigIntegerField(primary_key=True)
    root_version = models.BigIntegerField()
    value = models.BinaryField()
    stored_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"directory {self.version}"
