"""The index: filled by the watch process, asked by the desk.

1. The key lies in `keys/search.key` (mode 0600) and is made when it is absent; without it nothing is found
   and nothing can be told from a token.
2. `fill` reads the bodies in the order in which they came, a few in each transaction.
3. A query is answered with the keys of messages; who may see them is decided where they are listed.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.models import Count, Q, QuerySet

from tongbao_broker.database import atomic
from tongbao_broker.errors import NotFound
from tongbao_broker.insertion import insert
from tongbao_broker.trust.keys import write_private
from tongbao_connectors.casework import plain_body
from tongbao_connectors.search import terms
from tongbao_connectors.search.models import Reached, Token
from tongbao_connectors.search.terms import Kind, Term, Word
from tongbao_connectors.store.models import ContentKey, Message
from tongbao_schemas.codes import MessageType

KEY_BYTES = 32
TOKEN_BYTES = 8
AT_MOST_SIMILAR = 20
AT_MOST_FOUND = 400


class Index:
    """The index of one province."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def of(cls, folder: Path) -> "Index":
        """The index with the key in a province's folder; makes the key where there is none."""
        path = folder / "keys" / "search.key"
        if not path.exists():
            _make_key(path)
        return cls(path.read_bytes())

    def fill(self, at_most: int = 50) -> int:
        """Reads the next bodies; how many. Nobody else may fill the same index at that time."""
        waiting = list(_unread()[:at_most])
        if waiting:
            with atomic():
                insert(Token, [row for message in waiting for row in self._rows(message)])
                Reached.objects.update_or_create(pk=1, defaults={"message": waiting[-1].pk})
        return len(waiting)

    def find(self, query: str) -> set[int]:
        """The keys of messages that have every word of a query, the newest; none where it asks nothing."""
        words = terms.of_query(query)
        if not words:
            return set()
        condition = Q()
        for word in words:
            condition &= self._has(word)
        found = ContentKey.objects.filter(condition).order_by("-pk")
        return set(found.values_list("pk", flat=True)[:AT_MOST_FOUND])

    def token(self, term: Term) -> int:
        """The keyed hash of a term."""
        said = f"{term.kind}\n{term.text}".encode()
        digest = hmac.new(self._key, said, hashlib.sha256).digest()
        return int.from_bytes(digest[:TOKEN_BYTES], "big", signed=True)

    def _rows(self, message: Message) -> list[dict[str, object]]:
        try:
            found = terms.of_body(plain_body(message))
        except NotFound:  # purged a moment ago
            return []
        return [{"kind": term.kind.value, "token": self.token(term), "body_id": message.pk} for term in found]

    def _has(self, word: Word) -> Q:
        whole = Token.objects.filter(token__in=[self.token(term) for term in word.whole])
        condition = Q(pk__in=whole.values("body"))
        if word.pairs:
            condition |= Q(pk__in=self._with_all(word.pairs))
        return condition

    def _with_all(self, wanted: Sequence[Term]) -> QuerySet[Token, Any]:
        tokens = [self.token(term) for term in wanted]
        holding = Token.objects.filter(token__in=tokens, kind=Kind.PAIR).values("body")
        if len(tokens) == 1:
            return holding
        counted = holding.annotate(held=Count("token", distinct=True)).filter(held=len(set(tokens)))
        return counted.values("body")


@dataclass(frozen=True, slots=True)
class Similar:
    """Another message that has an identifier in common, and which."""

    message: Message
    reasons: tuple[Kind, ...]


def similar(message: Message) -> list[Similar]:
    """Other alerts of this province with the same number, plate, phone, account or waybill; newest first."""
    own = Token.objects.filter(body=message.pk, kind__in=terms.REASONS).values_list("kind", "token")
    wanted = set(own)
    if not wanted:
        return []
    shared = Token.objects.filter(token__in=[token for _, token in wanted]).exclude(body=message.pk)
    reasons: dict[int, set[Kind]] = {}
    for kind, token, key in shared.values_list("kind", "token", "body"):
        if (kind, token) in wanted:
            reasons.setdefault(key, set()).add(Kind(kind))
    newest = sorted(reasons, reverse=True)[:AT_MOST_SIMILAR]
    found = Message.objects.filter(type=MessageType.ALERT).in_bulk(newest)
    return [Similar(found[key], tuple(sorted(reasons[key]))) for key in newest if key in found]


def _unread() -> QuerySet[Message]:
    reached = Reached.objects.values_list("message", flat=True).first() or 0
    unread = Message.objects.filter(pk__gt=reached, content_key__isnull=False).order_by("pk")
    return unread.exclude(type=MessageType.ATTACHMENT)


def _make_key(path: Path) -> None:
    """Writes a new key, unless another process was first."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    write_private(draft, secrets.token_bytes(KEY_BYTES))
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
