"""Destroys the private halves of old seal keys, once nothing needs them any more.

A private half is kept as long as one of these holds; the first is the reason that is told:
1. The directory doesn't list the key (a rotation was interrupted), or senders may still seal to it.
2. The topics keep records sealed to it (for 14 days): `recover` reads them again.
3. Something sealed to it may still be on its way: no head of the exchange is newer than the key's end, or a
   delivery is missing.
4. A stored body sealed to it doesn't open with its own content key; each is tried. A body whose content key
   was deleted is purged, and needs nothing.
5. A refused record sealed to it waits in quarantine to be judged again. One that has expired doesn't count.

The key that senders use now is never touched. What is destroyed here is the file: copies of it, in a backup
of the folder, have to go as well.
"""

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tongbao_broker.errors import Conflict, Words
from tongbao_broker.trust.directory import Directory
from tongbao_broker.trust.keys import load_seal_key
from tongbao_broker.trust.sealing import open_with_cek
from tongbao_connectors.settings import ConnectorSettings
from tongbao_connectors.store.models import ContentKey, DeliveryGap, ExchangeHead, Quarantine
from tongbao_connectors.store.records import stored_record
from tongbao_schemas.errors import Refused
from tongbao_schemas.header import PeopleHeader, parse_header
from tongbao_schemas.record import parse_in

__all__ = ["Outcome", "StillNeeded", "destroy"]

TOPICS_KEEP = timedelta(days=14)
AT_ONCE = 200


class StillNeeded(Conflict):
    """No old private half may go yet."""

    code = "OP-33"
    zh = "旧的解密私钥仍有用，未销毁。"
    en = "The old private half is still needed; it was not destroyed."
    next_zh = "待括号中的原因消除后重试。"
    next_en = "Try again when what is named here is over."


@dataclass(frozen=True)
class Outcome:
    """The old keys, by kid: destroyed, or kept for a reason."""

    destroyed: tuple[str, ...]
    kept: Mapping[str, Words]


def destroy(settings: ConnectorSettings, directory: Directory, now: datetime) -> Outcome:
    """Destroys what may go of a province's old private halves; the current database is the province's.

    Raises StillNeeded where there are some and none may go, BadConfiguration or Refused for what is wrong in
    the province's folder.
    """
    folder = settings.folder / "keys" / "seal"
    current = directory.seal_recipient(settings.code, now).kid
    files = {load_seal_key(path).kid: path for path in sorted(folder.glob("*.pem"))}
    files.pop(current, None)
    reasons = {kid: _ruled_out(directory, kid, now) for kid in files}
    reasons |= _needed(settings.code, {kid for kid, why in reasons.items() if why is None}, now)
    kept = {kid: why for kid, why in reasons.items() if why is not None}
    if kept and len(kept) == len(files):
        kid, why = next(iter(kept.items()))
        raise StillNeeded(Words(f"{kid[:16]}：{why.zh}", f"{kid[:16]}: {why.en}"))
    destroyed = tuple(kid for kid in files if kid not in kept)
    _remove(folder, [files[kid] for kid in destroyed])
    return Outcome(destroyed, kept)


def _ruled_out(directory: Directory, kid: str, now: datetime) -> Words | None:
    """Why a key must stay whatever is stored (reasons 1 to 3)."""
    record = directory.key(kid)
    if record is None:
        return Words("目录中没有该密钥", "the directory doesn't list it")
    ends = record.valid_until
    if now < ends:
        return Words(f"{ends:%Y-%m-%d} 前仍可能用于加密", f"senders may use it until {ends:%Y-%m-%d}")
    if now < (gone := ends + TOPICS_KEEP):
        return Words(
            f"主题中的记录保留到 {gone:%Y-%m-%d}，恢复数据时要用",
            f"the topics keep what was sealed to it until {gone:%Y-%m-%d}; recovery would need it",
        )
    if DeliveryGap.objects.exists() or not ExchangeHead.objects.filter(at__gte=ends).exists():
        return Words("尚未收到当时的全部投递", "not all deliveries of its time have arrived")
    return None


def _needed(code: str, kids: Collection[str], now: datetime) -> dict[str, Words | None]:
    """Which of the keys something stored still needs (reasons 4 and 5)."""
    closed: dict[str, int] = {}
    waiting: dict[str, int] = {}
    for kid in _closed_bodies(code, kids):
        closed[kid] = closed.get(kid, 0) + 1
    for kid in _waiting_records(code, kids, now):
        waiting[kid] = waiting.get(kid, 0) + 1
    return {kid: _why(closed.get(kid, 0), waiting.get(kid, 0)) for kid in kids}


def _why(closed: int, waiting: int) -> Words | None:
    if closed:
        return Words(
            f"{closed} 份存储的正文用其自身的内容密钥打不开",
            f"stored bodies that their own content keys don't open: {closed}",
        )
    if waiting:
        return Words(
            f"隔离区中有 {waiting} 条记录待重新判定", f"records in quarantine that may be replayed: {waiting}"
        )
    return None


def _closed_bodies(code: str, kids: Collection[str]) -> Iterator[str]:
    """The kid of every stored body sealed to one of the keys that its content key doesn't open."""
    rows = ContentKey.objects.select_related("message") if kids else ContentKey.objects.none()
    for row in rows.iterator(chunk_size=AT_ONCE):
        record = stored_record(row.message)
        header = parse_header(record.envelope.payload)
        if not isinstance(header, PeopleHeader) or (kid := _own_kid(header, code)) not in kids:
            continue
        try:
            open_with_cek(header, record.body or b"", bytes(row.cek))
        except Refused:
            yield kid


def _waiting_records(code: str, kids: Collection[str], now: datetime) -> Iterator[str]:
    """The kid of every refused record sealed to one of the keys that may still be judged again."""
    rows = Quarantine.objects.filter(value__isnull=False, replayed_at=None) if kids else ()
    for row in rows:
        kid = _waiting_for(bytes(row.value or b""), code, now)
        if kid in kids:
            yield kid


def _waiting_for(value: bytes, code: str, now: datetime) -> str:
    """The kid that a refused record is sealed to; empty if it has expired, or isn't even a header."""
    with suppress(Refused):
        header = parse_header(parse_in(value).envelope.payload)
        if isinstance(header, PeopleHeader) and header.expires_at > now:
            return _own_kid(header, code)
    return ""


def _own_kid(header: PeopleHeader, code: str) -> str:
    return next((wrap.kid for wrap in header.sealed.to if wrap.code == code), "")


def _remove(folder: Path, files: Collection[Path]) -> None:
    """Removes the files for good: also after a power cut they are gone."""
    for file in files:
        file.unlink()
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
