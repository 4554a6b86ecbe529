"""Liaison officers posted to other provinces (外派联络员), as the directory names them.

1. What counts is the newest directory that was ever verified here, judged at the moment of each question: a
   posting holds in [valid_from, valid_until), and a newer directory counts from when it is stored on.
2. A directory that has expired posts nobody: nobody knows whether its postings still hold.
3. Where nothing holds, `why_none` says why.
"""

from collections.abc import Iterator
from datetime import datetime

from tongbao_broker.errors import Words
from tongbao_broker.trust.directory import in_force
from tongbao_connectors import trusting
from tongbao_connectors.duty_time import BEIJING
from tongbao_schemas.documents import Posting
from tongbao_schemas.number import PROVINCES


def from_home(home: str, at: datetime) -> tuple[Posting, ...]:
    """The postings in force of a province's own officers."""
    directory = trusting.newest()
    if directory is None or directory.expired(at):
        return ()
    return tuple(each for each in directory.document.postings if each.home == home and in_force(each, at))


def of_officer(officer_ref: str, home: str, at: datetime) -> tuple[Posting, ...]:
    """The postings in force of one of them."""
    return tuple(each for each in from_home(home, at) if each.officer_ref == officer_ref)


def said(officer_ref: str, home: str, at: datetime) -> Words:
    """Where this officer is posted and until when, or why he isn't."""
    found = of_officer(officer_ref, home, at)
    return _joined(_until(each) for each in found) if found else why_none(officer_ref, home, at)


def why_none(officer_ref: str, home: str, at: datetime) -> Words:
    """Why nothing is in force for this officer."""
    directory = trusting.newest()
    if directory is None:
        return Words("本省还没有收到目录。", "This province has received no directory yet.")
    if directory.expired(at):
        since = _clock(directory.expires_at)
        return Words(f"目录已于 {since} 过期。", f"The directory expired on {since}.")
    named = [each for each in directory.document.postings if each.home == home]
    mine = [each for each in named if each.officer_ref == officer_ref]
    if not mine:
        return Words("目录中没有这名联络员的派驻。", "The directory names no posting of this officer.")
    return _joined(_why_not(each, at) for each in sorted(mine, key=lambda each: each.valid_until))


def _until(posting: Posting) -> Words:
    host, until = PROVINCES[posting.host], _clock(posting.valid_until)
    return Words(f"派驻{host.zh}，至 {until}。", f"Posted to {host.en} until {until}.")


def _why_not(posting: Posting, at: datetime) -> Words:
    host = PROVINCES[posting.host]
    if at < posting.valid_from:
        begins = _clock(posting.valid_from)
        return Words(f"派驻{host.zh}自 {begins} 开始。", f"The posting to {host.en} begins on {begins}.")
    ended = _clock(posting.valid_until)
    return Words(f"派驻{host.zh}已于 {ended} 结束。", f"The posting to {host.en} ended on {ended}.")


def _joined(reasons: Iterator[Words]) -> Words:
    said = list(reasons)
    return Words("".join(each.zh for each in said), " ".join(each.en for each in said))


def _clock(at: datetime) -> str:
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M}"
