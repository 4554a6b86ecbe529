"""The exchange's tables.

1. Every leaf of the trail has a row that holds its facts, by its `index`: a `Message` for what used up its id
   and number, a `Refusal` for every rejected record (beside its `Message`, if it got that far), a
   `DirectoryRecord` for a directory. `TrailState` remembers the tree's frontier, `LeafRecord` what is
   published of it.
2. Signed payloads are kept with their signature. The sealed body stands only in `Delivery.value`, which is
   emptied when the message expires; nothing here can open it.
3. What is to be published is a row first. Each lane (one per addressee) has its own counter and its own
   mark of how far it has been published, so that a repeated send after a crash repeats bytes, never
   numbers.
"""

from django.db import models


class Message(models.Model):
    """A message that passed step 9, from a province or (without `seq`) from the exchange itself.

    `code` is empty for an admitted one, else the code by which step 10 or a later one rejected it.
    """

    index = models.BigIntegerField(primary_key=True)
    origin = models.CharField(max_length=6)
    message_id = models.CharField(max_length=36)
    seq = models.BigIntegerField(null=True)
    thread = models.CharField(max_length=36)
    digest = models.CharField(max_length=71, db_index=True)
    type = models.CharField(max_length=12)
    status = models.CharField(max_length=8)
    audience = models.CharField(max_length=700)
    code = models.CharField(max_length=6, blank=True)
    admitted_at = models.DateTimeField()
    directory = models.BigIntegerField()
    payload = models.BinaryField()
    keyid = models.CharField(max_length=64)
    signature = models.BinaryField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("origin", "message_id"), name="message_id_once_per_origin"),
            models.UniqueConstraint(fields=("origin", "seq"), name="seq_once_per_origin"),
        )
        indexes = (
            models.Index(fields=("message_id",), name="message_by_id"),
            models.Index(fields=("thread",), name="message_by_thread"),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.message_id} of {self.origin}: {self.code or 'admitted'}"


class Thread(models.Model):
    """A conversation, opened by an alert; `parties` are its origin and every code ever addressed in it."""

    thread = models.CharField(primary_key=True, max_length=36)
    origin = models.CharField(max_length=6)
    status = models.CharField(max_length=8)
    parties = models.CharField(max_length=700)
    opened_at = models.DateTimeField()
    closed = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"thread {self.thread} of {self.origin}"


class Refusal(models.Model):
    """A rejected record by its place and hash: the list that an admin looks through, never the content."""

    index = models.BigIntegerField(primary_key=True)
    topic = models.CharField(max_length=64)
    topic_id = models.CharField(max_length=64)
    offset = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    digest = models.CharField(max_length=71)
    code = models.CharField(max_length=6)
    where = models.CharField(max_length=200, blank=True)
    refused_at = models.DateTimeField()
    directory = models.BigIntegerField()

    class Meta:
        indexes = (models.Index(fields=("topic", "offset"), name="refusal_by_place"),)

    def __str__(self) -> str:
        return f"{self.code} at {self.topic} offset {self.offset}"


class Incident(models.Model):
    """Something an admin must look at: `dispatch.IncidentKind` has the kinds. `closed_at` says when the cause
    was gone.
    """

    kind = models.CharField(max_length=20)
    stream = models.CharField(max_length=64, blank=True)
    offset = models.BigIntegerField(null=True)
    detail = models.CharField(max_length=200, blank=True)
    noted_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.stream} {self.detail}"


class Lane(models.Model):
    """An addressee's lane: the last `delivery_seq` given out, the last published, and what its own numbers
    amount to.

    `settled_seq` is the largest n with 1..n all used up by this participant's own messages.
    """

    addressee = models.CharField(primary_key=True, max_length=6)
    delivery_seq = models.BigIntegerField(default=0)
    published_seq = models.BigIntegerField(default=0)
    settled_seq = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"lane {self.addressee}: {self.published_seq} of {self.delivery_seq}"


class Delivery(models.Model):
    """The exact value of one record for one addressee's `in` topic; emptied, with `expires_at`, when the
    message expires.
    """

    addressee = models.CharField(max_length=6)
    delivery_seq = models.BigIntegerField()
    index = models.BigIntegerField()
    value = models.BinaryField()
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("addressee", "delivery_seq"), name="delivery_seq_once_per_addressee"
            ),
        )
        indexes = (models.Index(fields=("expires_at",), name="delivery_by_expiry"),)

    def __str__(self) -> str:
        return f"delivery {self.delivery_seq} to {self.addressee}"


class Resend(models.Model):
    """A delivery that its addressee misses; the row goes when the stored bytes have been published again."""

    addressee = models.CharField(max_length=6)
    delivery_seq = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("addressee", "delivery_seq"), name="resend_once_at_a_time"),
        )

    def __str__(self) -> str:
        return f"resend {self.delivery_seq} to {self.addressee}"


class TrailState(models.Model):
    """The tree so far (one row): its size, the frontier's nodes in hex, its checkpoint, how much of it is
    published.
    """

    size = models.BigIntegerField()
    nodes = models.JSONField(default=list)
    checkpoint = models.TextField(blank=True)
    published_size = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"trail of {self.size} leaves"


class LeafRecord(models.Model):
    """One batch's value for `exchange.leaves.v1`: the leaves from `first` up to (not with) `end`. Kept for
    ever.
    """

    first = models.BigIntegerField(primary_key=True)
    end = models.BigIntegerField()
    value = models.BinaryField()

    def __str__(self) -> str:
        return f"leaves {self.first} to {self.end}"


class DirectoryRecord(models.Model):
    """A directory that the exchange has worked with, and its value for `exchange.directory.v1`."""

    version = models.BigIntegerField(primary_key=True)
    index = models.BigIntegerField(unique=True)
    digest = models.CharField(max_length=71)
    admitted_at = models.DateTimeField()
    value = models.BinaryField()
    published = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"directory {self.version}"
