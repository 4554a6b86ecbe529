"""One row per stream: the next offset to read, and of which topic in which cluster."""

from django.db import models


class Cursor(models.Model):
    """A place in a topic. `topic_id` and `cluster_id` tell a topic from a later one of the same name."""

    stream = models.CharField(primary_key=True, max_length=120)
    cluster_id = models.CharField(max_length=64)
    topic_id = models.CharField(max_length=64)
    next = models.BigIntegerField()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(next__gte=0), name="cursor_next_not_negative"),
        )

    def __str__(self) -> str:
        return f"{self.stream} at {self.next}"
