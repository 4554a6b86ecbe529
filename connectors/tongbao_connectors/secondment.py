"""An officer is posted to another province (外派联络员), or recalled: the directory says so, with its dates.

1. A posting has a beginning and an end. One that has begun is ended, not removed: it says until when he was
   there. One that hasn't is removed.
2. Nobody is posted twice to one host at the same time.
3. Both provinces go by it as soon as they have the directory; nothing else has to be told anybody.
"""

from collections.abc import Callable
from datetime import datetime

from pydantic import ValidationError

from tongbao_broker.errors import BadConfiguration, Conflict, NotFound, Words
from tongbao_broker.trust.directory import Directory
from tongbao_connectors import authority, issuing
from tongbao_connectors.keylosses import time_of
from tongbao_connectors.workspace import NoSuchParticipant, Workspace
from tongbao_schemas.codes import EXCHANGE
from tongbao_schemas.documents import Posting
from tongbao_schemas.fields import explain

Postings = tuple[Posting, ...]


class NotPosted(NotFound):
    """The directory names no posting of this officer that could be ended."""

    code = "OP-48"
    zh = "目录中没有这名联络员未结束的派驻。"
    en = "The directory names no posting of this officer that hasn't ended."
    next_zh = "编号和驻地见 tongbao directory show。"
    next_en = "See reference and host with: tongbao directory show."


class PostedAlready(Conflict):
    """He is posted there in this time already."""

    code = "OP-49"
    zh = "这名联络员在该时段已派驻该省。"
    en = "The officer is posted there in this time already."
    next_zh = "先用 tongbao directory recall 结束原派驻。"
    next_en = "End the earlier posting first with: tongbao directory recall."


def posting(officer_ref: str, home: str, host: str, since: str | None, until: str, now: datetime) -> Posting:
    """A posting from what somebody typed, times as on the wire; raises BadConfiguration."""
    start, end = (time_of(each) if each else now for each in (since, until))
    _check(home, host, start, end, now)
    try:
        return Posting(officer_ref=officer_ref, home=home, host=host, valid_from=start, valid_until=end)
    except ValidationError as error:
        raise BadConfiguration(explain(error)) from None


def post(place: Workspace, posting: Posting, now: datetime) -> Directory:
    """Lists a posting; the directory that says so. Raises NoSuchParticipant, PostedAlready."""

    def with_it(directory: Directory) -> Postings:
        for code in (posting.home, posting.host):
            if code == EXCHANGE or directory.participant(code) is None:
                raise NoSuchParticipant(code)
        if any(_same(each, posting) and _overlap(each, posting) for each in directory.document.postings):
            raise PostedAlready(posting.officer_ref)
        return (*directory.document.postings, posting)

    return _issued(place, with_it, now)


def recall(place: Workspace, officer_ref: str, host: str, now: datetime) -> Directory:
    """Ends an officer's postings to a host now (empty: to all). Raises NotPosted."""

    def without(directory: Directory) -> Postings:
        found = [each for each in directory.document.postings if _ends(each, officer_ref, host, now)]
        if not found:
            raise NotPosted(officer_ref)
        ended = (
            each.model_copy(update={"valid_until": now}) if each in found else each
            for each in directory.document.postings
        )
        return tuple(each for each in ended if each.valid_from < each.valid_until)

    return _issued(place, without, now)


def _check(home: str, host: str, start: datetime, end: datetime, now: datetime) -> None:
    if home == host:
        raise BadConfiguration(Words("派出省和驻地须不同", "home and host are different provinces"))
    if end <= max(start, now):
        raise BadConfiguration(
            Words("派驻须在开始之后、现在之后结束", "a posting ends after it begins and after now")
        )


def _same(one: Posting, other: Posting) -> bool:
    return (one.officer_ref, one.home, one.host) == (other.officer_ref, other.home, other.host)


def _overlap(one: Posting, other: Posting) -> bool:
    return one.valid_from < other.valid_until and other.valid_from < one.valid_until


def _ends(posting: Posting, officer_ref: str, host: str, now: datetime) -> bool:
    return posting.officer_ref == officer_ref and host in ("", posting.host) and now < posting.valid_until


def _issued(place: Workspace, change: Callable[[Directory], Postings], now: datetime) -> Directory:
    with issuing.alone(place):
        issue = issuing.current(place, now)
        postings = change(issue.directory)
        issue = issuing.successor(
            place,
            issue,
            lambda directory, signers: authority.with_postings(directory, postings, signers, now),
            now,
        )
        issuing.publish(place, issue)
    return issue.directory
