"""What the search keeps: keyed hashes of terms, and how far the bodies have been read for them.

1. A token is the first eight bytes of a keyed hash; without the key in the province's folder it says nothing.
2. Tokens hang on a body's content key, so a purge takes them along.
"""

from typing import ClassVar

from django.db import models

from tongbao_connectors.store.models import ContentKey


class Token(models.Model):
    """One term of one body; `kind` is a `terms.Kind`. A body's key is that of its message."""

    kind = models.CharField(max_length=8)
    token = models.BigIntegerField()
    body = models.ForeignKey(ContentKey, models.CASCADE, related_name="tokens")

    class Meta:
        constraints: ClassVar = (
            models.UniqueConstraint(fields=["token", "kind", "body"], name="search_token_once"),
        )

    def __str__(self) -> str:
        return f"{self.kind} of message {self.body_id}"


class Reached(models.Model):
    """Up to which message the bodies have been read; one row."""

    message = models.BigIntegerField()

    def __str__(self) -> str:
        return f"up to message {self.message}"
