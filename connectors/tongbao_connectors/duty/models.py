"""What a province keeps of duty, escalation and notification.

1. `ShiftChange` rows are laid over `roster.toml`; none is deleted or edited, only decided or withdrawn.
2. `Escalation` has every step of a round with its due time. A round is live while its rows aren't stopped.
3. `Notification` is one word to one recipient on one channel. It holds level, number and link, and nothing
   of a case. It goes `waiting → sending → sent | failed | suppressed | dropped | unclear`.
4. `Watch` is the one watch process by its epoch: a newer one takes over, and the older one's writes fail.
5. Times are aware UTC.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from tongbao_connectors.roster import ChangeKind
from tongbao_connectors.store.models import OFFICER_REF, Message

UNIT_CODE = 32


class ShiftChange(models.Model):
    """Hours of a unit given to another officer, [start, until).

    `instead_of` had them before (empty: nobody). The two halves of a swap share `swap`; they take effect when
    `asked_of` agrees.
    """

    class State(models.TextChoices):
        ASKED = "asked"
        IN_FORCE = "in_force"
        DECLINED = "declined"
        WITHDRAWN = "withdrawn"

    unit = models.CharField(max_length=UNIT_CODE)
    officer_ref = models.CharField(max_length=OFFICER_REF)
    instead_of = models.CharField(max_length=OFFICER_REF, default="")
    start = models.DateTimeField()
    until = models.DateTimeField()
    kind = models.CharField(max_length=12, choices=[(str(kind), kind.en) for kind in ChangeKind])
    state = models.CharField(max_length=12, choices=State.choices)
    swap = models.CharField(max_length=36, default="")
    asked_of = models.CharField(max_length=OFFICER_REF, default="")
    by = models.CharField(max_length=OFFICER_REF)
    at = models.DateTimeField()
    decided_by = models.CharField(max_length=OFFICER_REF, default="")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = (
            models.Index(fields=["until"], name="duty_change_in_force", condition=Q(state="in_force")),
            models.Index(fields=["state", "start"], name="duty_change_by_state"),
        )

    def __str__(self) -> str:
        return f"{self.unit} {self.officer_ref} from {self.start}: {self.state}"


class Escalation(models.Model):
    """One step of bringing an item to people, of one round.

    `done_at` is when it was taken, `stopped_at` when its round ended.
    """

    message = models.ForeignKey(Message, models.CASCADE, related_name="escalations")
    round = models.IntegerField()
    step = models.CharField(max_length=12)
    nth = models.IntegerField(default=0)
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = (
            models.UniqueConstraint(fields=["message", "round", "step", "nth"], name="duty_escalation_once"),
        )
        indexes: ClassVar = (
            models.Index(
                fields=["due_at"],
                name="duty_escalation_due",
                condition=Q(done_at__isnull=True, stopped_at__isnull=True),
            ),
            models.Index(
                fields=["message"], name="duty_escalation_live", condition=Q(stopped_at__isnull=True)
            ),
        )

    def __str__(self) -> str:
        return f"{self.step} of message {self.message_id}"


class Notification(models.Model):
    """One word to one recipient on one channel.

    `recipient` is an officer's reference; empty where the channel itself is a room. `path` is the page it
    leads to, `covers` how many items a word after an outage stands for. `epoch` is the watch that sends it.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed"
        SUPPRESSED = "suppressed"
        DROPPED = "dropped"
        UNCLEAR = "unclear"

    message = models.ForeignKey(Message, models.CASCADE, null=True, related_name="notifications")
    batch = models.CharField(max_length=36)
    why = models.CharField(max_length=12)
    channel = models.CharField(max_length=32)
    recipient = models.CharField(max_length=OFFICER_REF, default="")
    status = models.CharField(max_length=8)
    urgency = models.CharField(max_length=8)
    number = models.CharField(max_length=24)
    path = models.CharField(max_length=80)
    covers = models.IntegerField(default=1)
    queued_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.IntegerField(default=0)
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    reason = models.CharField(max_length=24, default="")
    epoch = models.BigIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = (
            models.Index(fields=["due_at"], name="duty_notification_waiting", condition=Q(state="waiting")),
            models.Index(fields=["epoch"], name="duty_notification_sending", condition=Q(state="sending")),
            models.Index(fields=["channel", "recipient", "message"], name="duty_notification_again"),
            models.Index(fields=["batch"], name="duty_notification_batch"),
        )

    def __str__(self) -> str:
        return f"{self.channel} to {self.recipient}: {self.state}"


class ChannelState(models.Model):
    """How a channel does.

    `since` is when it began to work, or ceased to; `reason` why the last try failed.
    """

    name = models.CharField(primary_key=True, max_length=32)
    works = models.BooleanField(null=True)
    since = models.DateTimeField(null=True)
    reason = models.CharField(max_length=24, default="")
    worked_at = models.DateTimeField(null=True)
    failures = models.IntegerField(default=0)
    rest_until = models.DateTimeField(null=True)
    tested_at = models.DateTimeField(null=True)
    tested_by = models.CharField(max_length=OFFICER_REF, default="")
    test_reason = models.CharField(max_length=24, default="")

    def __str__(self) -> str:
        return f"{self.name}: {self.works}"


class Handover(models.Model):
    """A shift given from one officer to another: who gave it, who took it, when."""

    class State(models.TextChoices):
        OFFERED = "offered"
        TAKEN = "taken"
        WITHDRAWN = "withdrawn"

    unit = models.CharField(max_length=UNIT_CODE)
    giver = models.CharField(max_length=OFFICER_REF)
    taker = models.CharField(max_length=OFFICER_REF)
    briefed = models.BooleanField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.OFFERED)
    offered_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = (
            models.UniqueConstraint(
                fields=["unit", "giver"], name="duty_handover_one_offer", condition=Q(state="offered")
            ),
        )

    def __str__(self) -> str:
        return f"{self.giver} to {self.taker}: {self.state}"


class HandoverItem(models.Model):
    """An item that went along with a handover, in the state it had then."""

    handover = models.ForeignKey(Handover, models.CASCADE, related_name="items")
    message = models.ForeignKey(Message, models.CASCADE, related_name="+")
    state = models.CharField(max_length=12)

    class Meta:
        constraints: ClassVar = (
            models.UniqueConstraint(fields=["handover", "message"], name="duty_handover_item_once"),
        )

    def __str__(self) -> str:
        return f"message {self.message_id}: {self.state}"


class Watch(models.Model):
    """The watch process; one row. `turned_at` is its last turn, `caught_up` what it found then."""

    epoch = models.BigIntegerField()
    begun_at = models.DateTimeField()
    turned_at = models.DateTimeField()
    caught_up = models.BooleanField(default=False)
    behind_since = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"epoch {self.epoch}"
