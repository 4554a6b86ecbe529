"""A province's connector without a broker: its folder, topics in memory, an exchange that admits everything.

    net = Network(tmp_path)                   # a world, topics, an exchange
    gz, gd = net.province("520000"), net.province("440000")
    gz.submit(alert("a-1"))
    net.settle()                              # turns until nothing moves any more

The topics keep what the real ones keep: order, offsets, ids. The exchange signs, stamps and counts as the
real one does, but judges nothing, so that a test decides by itself what reaches a province.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.databases import CONNECTOR, new_database, without_waiting_for_the_disk
from tests.support.world import Json, World, fields_of
from tongbao_broker import database
from tongbao_broker.kafka.reader import Batch, Record
from tongbao_broker.kafka.topics import DIRECTORY_TOPIC, LEAVES_TOPIC, in_topic, out_topic
from tongbao_broker.kafka.writer import Outgoing
from tongbao_broker.trust.keys import save_private
from tongbao_broker.trust.merkle import Frontier, leaf_hash
from tongbao_connectors import drafts
from tongbao_connectors.connector import Connector
from tongbao_connectors.drafts import Draft
from tongbao_connectors.settings import ConnectorSettings
from tongbao_schemas.codes import EXCHANGE, MessageType
from tongbao_schemas.encoding import compact_json, format_time, sha256_hex
from tongbao_schemas.record import InRecord, OutRecord, parse_out
from tongbao_schemas.stamp import LeafKind, leaf_bytes

NOTICED = {MessageType.ALERT, MessageType.UPDATE, MessageType.CANCEL, MessageType.ANSWER}

ROUTING = """
duty_desk = "duty"

[[rule]]
name = "深圳外流贩毒"
unit = "intel"
[rule.when]
regions = ["4403"]
categories = ["outbound_trafficking"]
"""

ROSTER = """
[[unit]]
code = "duty"
name = "省禁毒总队值班室"
leader = "A-0001"

[[unit]]
code = "intel"
name = "省禁毒总队情报中心"
leader = "A-0001"

[[officer]]
officer_ref = "A-0001"
name = "演练负责人"
unit = "duty"
role = "leader"

[[officer]]
officer_ref = "A-0117"
name = "演练甲"
unit = "intel"
substitute = "A-0118"

[[officer]]
officer_ref = "A-0118"
name = "演练乙"
unit = "intel"

[[officer]]
officer_ref = "A-0120"
name = "演练丙"
unit = "duty"

[[duty]]
unit = "intel"
officer = "A-0117"

[[duty]]
unit = "duty"
officer = "A-0120"
"""


@cache
def _sample() -> str:
    path = Path(__file__).parents[2] / "examples" / "1-520000-outbound-trafficking.json"
    return path.read_text(encoding="utf-8")


def alert(client_ref: str, *audience: str, **over: Any) -> bytes:
    """A good alert as a submission, to 440000 unless said otherwise; `over` replaces fields."""
    submission: Json = json.loads(_sample())
    submission |= {"client_ref": client_ref, "audience": list(audience or ("440000",)), **over}
    return compact_json(submission)


def alert_body(**over: Any) -> bytes:
    """The body of a good alert."""
    body: Json = json.loads(_sample())["body"] | over
    return compact_json(body)


@dataclass
class SetClock:
    """A clock that a test sets."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def forward(self, **delta: float) -> None:
        self.at += timedelta(**delta)


@dataclass
class Topic:
    """What lies in a topic; `first` is the oldest offset that is still there."""

    topic_id: str
    values: list[bytes | None] = field(default_factory=list)
    first: int = 0


@dataclass
class Broker:
    """Topics in memory, made when they are first named."""

    cluster_id: str = "cluster-1"
    topics: dict[str, Topic] = field(default_factory=dict)

    def topic(self, name: str) -> Topic:
        return self.topics.setdefault(name, Topic(f"{name} 1"))

    def append(self, name: str, value: bytes | None) -> int:
        self.topic(name).values.append(value)
        return len(self.topic(name).values) - 1

    def made_anew(self, name: str) -> None:
        """Deletes a topic and makes it again under the same name."""
        self.topics[name] = Topic(f"{self.topic(name).topic_id}+")

    def reader(self, topics: Sequence[str]) -> "Reader":
        return Reader(self, dict.fromkeys(topics, 0), {topic: self.topic(topic).topic_id for topic in topics})


@dataclass
class Reader:
    """Reads topics in memory as the real reader does, one batch a topic and poll."""

    broker: Broker
    positions: dict[str, int]
    identities: dict[str, str]
    paused: set[str] = field(default_factory=set)
    closed: bool = False

    def identity(self, topic: str) -> tuple[str, str]:
        return self.broker.cluster_id, self.identities[topic]

    def end_offset(self, topic: str) -> int:
        return len(self.broker.topic(topic).values)

    def end_seen(self, topic: str) -> int | None:
        return self.end_offset(topic)

    def seek(self, topic: str, offset: int) -> None:
        self.positions[topic] = offset

    def pause(self, topic: str) -> None:
        self.paused.add(topic)

    def resume(self, topic: str) -> None:
        self.paused.discard(topic)

    def poll(self, timeout_s: float, max_records: int) -> list[Batch]:
        return [batch for topic in self.positions for batch in self._batches(topic, max_records)]

    def close(self) -> None:
        self.closed = True

    def _batches(self, topic: str, most: int) -> Iterator[Batch]:
        start = self.positions[topic]
        first = max(start, self.broker.topic(topic).first)
        values = self.broker.topic(topic).values[first : first + most]
        if topic in self.paused or (first == start and not values):
            return
        records = tuple(Record(first + i, 0, None, value) for i, value in enumerate(values))
        self.positions[topic] = first + len(values)
        yield Batch(topic, *self.identity(topic), start, first + len(values), records, lost=first - start)


@dataclass
class Writer:
    """Writes into topics in memory."""

    broker: Broker

    def send_all(self, items: Sequence[Outgoing]) -> list[int]:
        return [self.broker.append(item.topic, item.value) for item in items]


@dataclass
class Exchange:
    """Admits whatever lies in the `out` topics, once per id, or rejects it with the code in `reject`."""

    world: World
    broker: Broker
    clock: SetClock
    frontier: Frontier = field(default_factory=Frontier)
    delivered: dict[str, int] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)
    admitted: set[str] = field(default_factory=set)
    used: dict[str, set[int]] = field(default_factory=dict)
    reject: dict[str, str] = field(default_factory=dict)
    sent: dict[tuple[str, int], bytes] = field(default_factory=dict)

    def step(self, codes: Sequence[str]) -> int:
        """Takes in what is new in the `out` topics; how many records."""
        taken = 0
        for code in codes:
            topic = self.broker.topic(out_topic(code))
            for offset in range(self.read.get(code, 0), len(topic.values)):
                self._take(code, offset, topic.values[offset] or b"")
                taken += 1
            self.read[code] = len(topic.values)
        return taken

    def _take(self, code: str, offset: int, value: bytes) -> None:
        record = parse_out(value)
        fields = fields_of(record)
        if fields["id"] in self.admitted:
            return
        if fields["id"] in self.reject:
            self.notice(
                code,
                kind="rejected",
                code=self.reject[fields["id"]],
                of=fields["id"],
                offset=offset,
                value=value,
            )
            return
        self.admitted.add(fields["id"])
        self.used.setdefault(code, set()).add(fields["seq"])
        index = self.enter(record, fields["audience"])
        for item in fields.get("content", {}).get("items", ()):
            if item["stage"] == "missing":
                self.broker.append(in_topic(code), self.sent[code, item["delivery_seq"]])
        if fields["type"] in NOTICED:
            self.notice(code, kind="admitted", about=record, index=index)

    def enter(self, record: OutRecord, audience: Sequence[str]) -> int:
        """Logs a message, publishes its leaf, delivers it to its addressees; the leaf's index."""
        delivery = self.world.deliver([record], at=self.clock.now(), before=self.frontier)[0]
        index = self.frontier.size
        self.leaf(record.envelope.digest, delivery)
        for code in audience:
            if code != EXCHANGE:
                self.put(code, delivery)
        return index

    def leaf(self, digest: str, delivery: InRecord) -> None:
        """Publishes the leaf of a delivery as a batch of its own."""
        assert delivery.stamp is not None
        facts = delivery.stamp.leaf
        hashed = leaf_hash(
            leaf_bytes(
                self.world.network, LeafKind.ADMITTED, facts.index, digest, facts.admitted_at, facts.directory
            )
        )
        value = {"from": facts.index, "hashes": [hashed.hex()], "checkpoint": delivery.stamp.checkpoint}
        self.broker.append(LEAVES_TOPIC, compact_json(value))
        self.frontier = self.frontier.append(hashed)

    def put(self, code: str, delivery: InRecord) -> int:
        """Delivers to one addressee under its next number; that number."""
        assert delivery.stamp is not None
        number = self.delivered[code] = self.delivered.get(code, 0) + 1
        stamp = delivery.stamp.model_copy(update={"delivery_seq": number})
        value = World.record_bytes(InRecord(delivery.envelope, delivery.body, stamp))
        self.sent[code, number] = value
        self.broker.append(in_topic(code), value)
        return number

    def notice(
        self,
        to: str,
        *,
        kind: str,
        about: OutRecord | None = None,
        index: int = 0,
        of: str = "",
        code: str = "",
        offset: int = 0,
        value: bytes = b"",
    ) -> None:
        """Sends an `admitted` or `rejected` notice."""
        content: Json = {"kind": kind, "at": format_time(self.clock.now())}
        if about is not None:
            content |= {"of": fields_of(about)["id"], "digest": about.envelope.digest, "index": index}
        else:
            content |= {"code": code, "record": {"offset": offset, "sha256": sha256_hex(value)}, "of": of}
        message = self.world.message("notice", EXCHANGE, [to], at=self.clock.now(), content=content)
        self.enter(message, [to])

    def head(self, code: str, **over: Any) -> None:
        """Sends a head that says what the exchange has taken of a province."""
        used = self.used.get(code, set())
        settled = next(n for n in range(len(used) + 1) if n + 1 not in used)
        content = {
            "at": format_time(self.clock.now()),
            "settled_seq": settled,
            "holes": _holes(used, settled),
            "out_next_offset": self.read.get(code, 0),
            "delivery_seq": self.delivered.get(code, 0),
            "directory": {"version": self.world.document["version"], "digest": self.world.directory.digest},
            "checkpoint": self.world.checkpoint(self.frontier),
            **over,
        }
        message = self.world.message("head", EXCHANGE, [code], at=self.clock.now(), content=content)
        self.broker.append(in_topic(code), World.record_bytes(InRecord(message.envelope)))

    def publish_directory(self) -> None:
        """Publishes the world's directory."""
        self.broker.append(DIRECTORY_TOPIC, self.world.trust_file.encode())


def _holes(used: set[int], settled: int) -> list[list[int]]:
    """Runs of unused numbers between `settled` and the highest used one."""
    missing = [number for number in range(settled + 1, max(used, default=0)) if number not in used]
    runs: list[list[int]] = []
    for number in missing:
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return runs


@dataclass
class Province:
    """One province: its folder, its database, and the connector that runs over them."""

    code: str
    settings: ConnectorSettings
    net: "Network"
    connector: Connector
    points: list[str]

    @contextmanager
    def here(self) -> Iterator[None]:
        """Makes the province's database the current one."""
        with database.use(self.code):
            yield

    def turn(self) -> None:
        with self.here():
            self.connector.turn()

    def submit(self, data: bytes, by: str = "A-0120") -> Draft:
        with self.here():
            return drafts.submit(data, origin=self.code, by=by, now=self.net.clock.now())

    def restart(self) -> None:
        """What a new process does: everything but the tables is gone."""
        with self.here():
            self.connector = self.net.connector(self.settings, self.points)
            self.connector.start()


@dataclass
class Network:
    """A world with topics in memory, an exchange and as many provinces as a test asks for."""

    folder: Path
    world: World = field(default_factory=World.create)
    broker: Broker = field(default_factory=Broker)
    provinces: dict[str, Province] = field(default_factory=dict)
    apps: Sequence[str] = CONNECTOR
    clock: SetClock = field(init=False)
    exchange: Exchange = field(init=False)

    def __post_init__(self) -> None:
        self.clock = SetClock(self.world.now)
        self.exchange = Exchange(self.world, self.broker, self.clock)

    def province(self, code: str) -> Province:
        """A province with a running connector."""
        folder = write_folder(self.folder / code, self.world, code)
        settings = ConnectorSettings.load(folder)
        new_database(folder, code, self.apps)
        points: list[str] = []
        with database.use(code):
            without_waiting_for_the_disk(code)
            connector = self.connector(settings, points)
            connector.start()
        self.provinces[code] = Province(code, settings, self, connector, points)
        return self.provinces[code]

    def connector(
        self,
        settings: ConnectorSettings,
        points: list[str],
        strike: Callable[[str], None] = lambda _point: None,
    ) -> Connector:
        """A connector that notes the points it reaches and lets `strike` act there."""

        def reached(point: str) -> None:
            points.append(point)
            strike(point)

        return Connector(
            settings,
            open_reader=self.broker.reader,
            writer=Writer(self.broker),
            clock=self.clock,
            reached=reached,
        )

    def change(self, **directory: Any) -> None:
        """The world's directory in its next version, published."""
        self.world = self.exchange.world = self.world.changed(**directory)
        self.exchange.publish_directory()

    def round(self) -> int:
        """One turn of everybody; how many records the exchange took."""
        for province in self.provinces.values():
            province.turn()
        taken = self.exchange.step(tuple(self.provinces))
        self.clock.forward(milliseconds=50)
        return taken

    def settle(self, rounds: int = 20) -> None:
        """Turns until nothing moves any more, then a head for everybody."""
        for _ in range(rounds):
            if not self.round() and not self.round():
                break
        for code in self.provinces:
            self.exchange.head(code)
        self.round()


def write_folder(folder: Path, world: World, code: str) -> Path:
    """The files that a connector reads, with the world's keys and documents."""
    folder.mkdir(parents=True)
    (folder / "connector.toml").write_text(
        f'code = "{code}"\nnetwork = "{world.network}"\n[kafka]\nbootstrap = "127.0.0.1:9093"\n',
        encoding="utf-8",
    )
    save_private(folder / "keys" / "message.pem", world.keys[code].message)
    save_private(folder / "keys" / "seal" / "1.pem", world.keys[code].seal)
    (folder / "trust.json").write_bytes(world.trust_file.encode())
    (folder / "pinned-root.json").write_bytes(compact_json(world.root.as_json()))
    (folder / "routing.toml").write_text(ROUTING, encoding="utf-8")
    (folder / "roster.toml").write_text(ROSTER, encoding="utf-8")
    return folder
