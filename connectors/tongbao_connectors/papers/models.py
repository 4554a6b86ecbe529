"""Drafts in review, and the steps that each of them went through.

1. What is typed lies in `Paper.form` as it was typed, right or wrong, until the draft is issued or discarded;
   then it is emptied, its files are deleted, and so are the remarks of its steps. What was issued lies sealed
   in the store.
2. A step says who did what and when; steps are only ever added. Nobody stands at what the desk did by itself.
"""

from typing import Any, ClassVar

from django.db import models

from tongbao_connectors.papers.states import Act, State
from tongbao_schemas.bodies.codes import MediaType
from tongbao_schemas.codes import Category

OFFICER_REF = 32
UNIT = 32
CODE = 32
MESSAGE_ID = 36
REMARK = 500
FILE_NAME = 60
DIGEST = 71


class Paper(models.Model):
    """An alert that is being written. `revision` counts the times it was saved.

    `source` is the id of the own alert out of which it was drafted: to notify others of it, or because that
    one could not be sent.
    """

    category = models.CharField(max_length=CODE, choices=[(each.value, each.en) for each in Category])
    state = models.CharField(
        max_length=12, choices=[(each.value, each.en) for each in State], default=State.DRAFTING.value
    )
    form = models.JSONField(default=dict)
    author = models.CharField(max_length=OFFICER_REF)
    reviewer = models.CharField(max_length=OFFICER_REF, default="")
    issuer = models.CharField(max_length=OFFICER_REF, default="")
    unit = models.CharField(max_length=UNIT)
    revision = models.IntegerField(default=0)
    created_at = models.DateTimeField()
    saved_at = models.DateTimeField()
    message_id = models.CharField(max_length=MESSAGE_ID, default="")
    source = models.CharField(max_length=MESSAGE_ID, default="")

    class Meta:
        indexes: ClassVar = (
            models.Index(fields=["state", "-saved_at"], name="papers_by_state"),
            models.Index(fields=["message_id"], name="papers_by_message"),
            models.Index(fields=["source"], name="papers_by_source"),
        )

    def __str__(self) -> str:
        return f"draft {self.pk}: {self.state}"

    @property
    def stage(self) -> State:
        """The state with its words."""
        return State(self.state)

    @property
    def values(self) -> dict[str, list[str]]:
        """What stands in the form."""
        form: dict[str, Any] = self.form
        return {path: list(texts) for path, texts in form.items()}

    @property
    def client_ref(self) -> str:
        """By which the connector knows it: issued twice, it is sent once."""
        return f"desk-{self.pk}"


class Enclosure(models.Model):
    """A file that is to go with a draft, in plain until the draft is issued, discarded or cleared."""

    paper = models.ForeignKey(Paper, models.CASCADE, related_name="files")
    name = models.CharField(max_length=FILE_NAME)
    media_type = models.CharField(max_length=CODE)
    digest = models.CharField(max_length=DIGEST)
    size = models.IntegerField()
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"file {self.pk} of draft {self.paper_id}"

    @property
    def kind(self) -> MediaType:
        """The type with its words."""
        return MediaType(self.media_type)


class Step(models.Model):
    """One line of a draft's history."""

    paper = models.ForeignKey(Paper, models.CASCADE, related_name="steps")
    at = models.DateTimeField()
    act = models.CharField(max_length=12, choices=[(each.value, each.en) for each in Act])
    officer_ref = models.CharField(max_length=OFFICER_REF)
    unit = models.CharField(max_length=UNIT)
    remark = models.CharField(max_length=REMARK, default="")

    def __str__(self) -> str:
        return f"{self.officer_ref}: {self.act} draft {self.paper_id}"

    @property
    def done(self) -> Act:
        """The act with its words."""
        return Act(self.act)
