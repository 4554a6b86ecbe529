"""A province without a connector sends an alert: number, seal, sign, write; then read what becomes of it.

    python external_client.py FOLDER SUBMISSION

FOLDER is what `tongbao init --external CODE` made, SUBMISSION a file such as
`examples/1-520000-outbound-trafficking.json`. One JSON object on standard output says what became of it.

The steps are those of docs/integrate.md. The script keeps nothing: it takes its next `seq` from the
exchange's last head, so that one copy of it may run at a time, and deadlines of its own. A system in service
keeps seq, offsets and the bytes of its messages in its own database, before it writes them.
"""

import json
import sys
import tomllib
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tongbao_broker.kafka.client import Connection
from tongbao_broker.kafka.reader import Reader
from tongbao_broker.kafka.topics import DIRECTORY_TOPIC, in_topic, out_topic
from tongbao_broker.kafka.writer import Outgoing, Writer
from tongbao_broker.trust import dsse
from tongbao_broker.trust.checkpoint import Checkpoint, verify_checkpoint
from tongbao_broker.trust.directory import Directory, load_trust, parse_root_file, parse_trust_file
from tongbao_broker.trust.keys import load_signing_key
from tongbao_broker.trust.merkle import leaf_hash, verify_inclusion
from tongbao_broker.trust.sealing import SealContext, seal
from tongbao_broker.trust.verify import verify_message
from tongbao_schemas.encoding import compact_json, format_time
from tongbao_schemas.envelope import MESSAGE_TYPE
from tongbao_schemas.errors import Refused
from tongbao_schemas.header import AnyHeader, HeadHeader, NoticeHeader, ReceiptHeader, parse_header
from tongbao_schemas.identifiers import new_id
from tongbao_schemas.number import readable_number
from tongbao_schemas.record import InRecord, OutRecord, ce_headers, encode_out, parse_in
from tongbao_schemas.refusals import Code
from tongbao_schemas.stamp import LeafKind, Stamp, leaf_bytes
from tongbao_schemas.submission import Submission, check_submission, parse_submission

PATIENCE = timedelta(seconds=90)


class Province:
    """Who we are, which keys count, and the way to the broker."""

    def __init__(self, folder: Path) -> None:
        told = tomllib.loads((folder / "participant.toml").read_text(encoding="utf-8"))
        self.code, self.network = told["code"], told["network"]
        self.message_key = load_signing_key(folder / "keys" / "message.pem")
        tls, ca = folder / "tls.pem", folder / "ca.pem"
        self.connection = Connection(told["kafka"]["bootstrap"], tls, ca, f"example-{self.code}")
        self.pinned_root = parse_root_file((folder / "pinned-root.json").read_bytes())
        self.directory = self.verified_directory((folder / "trust.json").read_bytes(), minimum_version=0)

    def verified_directory(self, value: bytes, minimum_version: int) -> Directory:
        """Step 1: a directory counts if the keys of a root say so that follows from the one we were given."""
        return load_trust(
            parse_trust_file(value),
            self.pinned_root,
            network=self.network,
            now=now(),
            minimum_version=minimum_version,
            allow_expired=True,
        ).directory

    def follow_directory(self) -> None:
        """Step 2: the newest directory, from its topic; what doesn't verify is passed by."""
        with closing(Reader(self.connection, [DIRECTORY_TOPIC])) as reader:
            for value in records(reader, DIRECTORY_TOPIC):
                try:
                    self.directory = self.verified_directory(value, self.directory.version)
                except Refused:
                    continue
        if self.directory.expired(now()):
            raise SystemExit("the directory has expired: wait for a newer one, send and refuse nothing")

    def verified(self, value: bytes) -> AnyHeader:
        """Step 3: what the exchange delivered, believed only if stamp, signature and audience hold."""
        record = parse_in(value)
        self.keep_up(record)
        at = self.check_stamp(record.stamp) if record.stamp else now()
        verified = verify_message(record.out, directory=self.directory, network=self.network, at=at)
        header = verified.header
        if (record.stamp is None) != isinstance(header, HeadHeader):
            raise Refused(Code.STAMP_SHAPE, "stamp")
        if record.stamp and record.stamp.leaf.digest != verified.payload_digest:
            raise Refused(Code.STAMP_OF_ANOTHER_MESSAGE, "stamp.leaf.digest")
        if self.code not in header.audience:
            raise Refused(Code.NOT_IN_AUDIENCE, "audience")
        return header

    def keep_up(self, record: InRecord) -> None:
        """Step 2 again: what names a newer directory than ours is judged after we have read that one."""
        head = None if record.stamp else parse_header(record.envelope.payload)
        named = record.stamp.leaf.directory if record.stamp else 0
        if isinstance(head, HeadHeader):
            named = head.content.directory.version
        if named > self.directory.version:
            self.follow_directory()

    def check_stamp(self, stamp: Stamp) -> datetime:
        """The proof that the exchange logged it before it delivered it; gives the time of the entry."""
        leaf = stamp.leaf
        tree = self.checkpoint(stamp.checkpoint, leaf.admitted_at)
        content = leaf_bytes(
            self.network, LeafKind.ADMITTED, leaf.index, leaf.digest, leaf.admitted_at, leaf.directory
        )
        nodes = [bytes.fromhex(node) for node in stamp.proof]
        verify_inclusion(leaf_hash(content), leaf.index, tree.size, nodes, tree.root)
        return leaf.admitted_at

    def checkpoint(self, note: str, at: datetime) -> Checkpoint:
        """A signed size and root of the log."""
        return verify_checkpoint(note, self.network, self.directory.checkpoint_keys(at))

    def compose(self, submission: Submission, head: HeadHeader) -> OutRecord:
        """Steps 4 to 6: the header, the body sealed to the addressees and ourselves, the signature."""
        at = now()
        check_submission(submission, now=at, origin=self.code)
        message_id, seq = new_id(at), head.content.settled_seq + 1
        tree = self.checkpoint(head.content.checkpoint, head.issued_at)
        header: dict[str, Any] = {
            "network": self.network,
            "id": message_id,
            "thread": message_id,
            "type": submission.type,
            "status": submission.status,
            "origin": self.code,
            "audience": list(submission.audience),
            "seq": seq,
            "seen": {"size": tree.size, "root": tree.root.hex()},
            "issued_at": format_time(at),
            "expires_at": format_time(at + timedelta(days=30)),
            "number": readable_number(self.code, at.year, seq),
            "urgency": submission.urgency,
            "deadlines": {
                "sign_by": format_time(at + timedelta(hours=2)),
                "first_feedback_by": format_time(at + timedelta(hours=24)),
                "result_by": format_time(at + timedelta(hours=72)),
                "basis": "双方协作协议",
            },
            "handling": submission.handling,
            "category": submission.category,
            "refs": [],
            "schema": "alert/1.0",
        }
        readers = [self.directory.seal_recipient(code, at) for code in (*submission.audience, self.code)]
        sealing = seal(submission.body_bytes, SealContext.of(header), readers)
        payload = compact_json({**header, "sealed": sealing.sealed})
        return OutRecord(dsse.sign(payload, MESSAGE_TYPE, [self.message_key]), sealing.ciphertext)

    def write(self, record: OutRecord) -> None:
        """Step 7: a system in service stores these bytes first, and writes the same again if in doubt."""
        header = parse_header(record.envelope.payload)
        item = Outgoing(out_topic(self.code), header.thread.encode(), encode_out(record), ce_headers(header))
        writer = Writer(self.connection)
        writer.send_all([item])
        writer.close()


def send(province: Province, submission: Submission) -> dict[str, Any]:
    """Sends an alert, and waits until it is logged, settled and delivered, or rejected."""
    topic = in_topic(province.code)
    with closing(Reader(province.connection, [topic])) as reader:
        earlier = heads_among(verified(province, records(reader, topic)))
        arriving = verified(province, records(reader, topic, until=now() + PATIENCE))
        head = ([*earlier] or [next(heads_among(arriving))])[-1]
        record = province.compose(submission, head)
        province.write(record)
        return outcome(record, arriving)


def outcome(record: OutRecord, arriving: Iterator[AnyHeader]) -> dict[str, Any]:
    """Step 8: notice, receipts and heads, in whatever order they come."""
    alert = parse_header(record.envelope.payload)
    told: dict[str, Any] = {"id": alert.id, "number": getattr(alert, "number", ""), "delivered": []}
    for header in arriving:
        if isinstance(header, NoticeHeader) and getattr(header.content, "of", None) == alert.id:
            told |= header.content.model_dump(mode="json", include={"kind", "code", "index"})
        elif isinstance(header, ReceiptHeader):
            stages = {(item.stage, getattr(item, "of", None)) for item in header.content.items}
            told["delivered"] += [header.origin] if ("delivered", alert.id) in stages else []
        elif isinstance(header, HeadHeader):
            told["settled"] = header.content.settled_seq >= getattr(alert, "seq", 0)
        if "code" in told or is_done(told, alert):
            return told
    raise SystemExit(f"no answer within {PATIENCE.seconds} s: {json.dumps(told, ensure_ascii=False)}")


def is_done(told: dict[str, Any], alert: AnyHeader) -> bool:
    """Logged, settled, and in the hands of every addressee."""
    return "index" in told and told.get("settled", False) and set(told["delivered"]) == set(alert.audience)


def heads_among(headers: Iterator[AnyHeader]) -> Iterator[HeadHeader]:
    """What the exchange says of where it stands with us."""
    return (header for header in headers if isinstance(header, HeadHeader))


def verified(province: Province, values: Iterator[bytes]) -> Iterator[AnyHeader]:
    """The headers of what holds; anything else is named by its code and passed by."""
    for value in values:
        try:
            yield province.verified(value)
        except Refused as refused:
            print(f"passed by: {refused}", file=sys.stderr)


def records(reader: Reader, topic: str, until: datetime | None = None) -> Iterator[bytes]:
    """The values of a topic: those that are there now, or all that come until a time."""
    end, following = reader.end_offset(topic), 0
    while now() < until if until else following < end:
        for batch in reader.poll(0.2, 500):
            yield from (record.value for record in batch.records if record.value is not None)
            following = batch.next


def now() -> datetime:
    return datetime.now(UTC)


def main(folder: str, submission: str) -> int:
    """0 for an alert that arrived, 65 for one that was refused here or rejected by the exchange."""
    try:
        province = Province(Path(folder))
        province.follow_directory()
        told = send(province, parse_submission(Path(submission).read_bytes()))
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 65
    print(json.dumps(told, ensure_ascii=False))
    return 65 if "code" in told else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
