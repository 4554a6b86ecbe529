"""The relay: one process that reads every province's `out` topic and writes every `in` topic.

A turn of it:
1. polled: records have come, at most one batch a topic.
2. decided: what passes steps 1 to 7 is looked up in the tables at once and judged in order (`admission`).
3. committed: decisions, leaves, checkpoint, notices, deliveries, rejections and the cursors' steps, in one
   transaction. What would be large is cut into portions, each with its own transaction and checkpoint.
4. published: the rows go to their topics. What went is marked with the next batch's rows, or (marked) in a
   turn that has nothing to read.
5. Heads go to the provinces that are due one and whose lane is clear: a head never runs ahead of a delivery.
   It speaks of the present, so the trail must stand where this process left it: one that was frozen while
   another took over has a past to tell, and ends instead.

What can go wrong:
- Our own trouble (directory expired, own key not in force, clock unsound, database away) holds everything:
  an alarm, an incident, nothing rejected; the reader goes back to the cursors, and the same records come
  again in order.
- A record over which our own code stumbles is found by halving its portion, and rejected as unreadable;
  nobody else's record waits longer than that takes.
- Another process on the same tables: Fenced. A topic made anew: TopicReplaced. A producer that failed:
  WriterBroken. All three end the process; a new one starts from the tables.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tongbao_broker import logs
from tongbao_broker.clock import Clock
from tongbao_broker.database import atomic, reading
from tongbao_broker.errors import (
    BadConfiguration,
    Fenced,
    Held,
    OperationError,
    TopicRefused,
    Unreachable,
    WriterBroken,
)
from tongbao_broker.exchange import meters, spans, store
from tongbao_broker.exchange.admission import (
    Circumstances,
    Decision,
    HoldReason,
    Reject,
    View,
    decide,
    examine,
    holding,
    lookup,
)
from tongbao_broker.exchange.alarm import BROKER, DATABASE, Alarm
from tongbao_broker.exchange.condition import Condition
from tongbao_broker.exchange.dispatch import (
    Arrival,
    Dispatch,
    Entry,
    IncidentKind,
    IncidentNote,
    LaneState,
    Step,
)
from tongbao_broker.exchange.heads import HeadSchedule, Standing
from tongbao_broker.exchange.inlets import Inlets
from tongbao_broker.exchange.notices import Account, Announcer
from tongbao_broker.exchange.own_directory import OwnDirectory, refusal_text
from tongbao_broker.exchange.points import no_op
from tongbao_broker.exchange.portions import Judged, arrivals, portions
from tongbao_broker.exchange.publishing import Publisher, Shipment, Sink
from tongbao_broker.exchange.tails import OpenSource, check_lanes, check_leaves
from tongbao_broker.exchange.trail import TrailHead
from tongbao_broker.kafka.reader import Batch
from tongbao_broker.kafka.topics import LEAVES_TOPIC, in_topic, out_topic
from tongbao_broker.kafka.writer import Outgoing
from tongbao_broker.trust.keys import SigningKey
from tongbao_broker.trust.verify import Verified
from tongbao_schemas.codes import EXCHANGE, ParticipantStatus
from tongbao_schemas.errors import Refused
from tongbao_schemas.record import InRecord, ce_headers, encode_in
from tongbao_schemas.refusals import Code

__all__ = ["Relay", "Roads", "Voice"]

MAX_RECORDS = 500
LOOK_AROUND_EVERY = timedelta(seconds=30)
PURGE_AT_ONCE = 1000

_log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Roads:
    """The ways to the broker: what reads given topics, and what writes."""

    source: OpenSource
    sink: Sink


@dataclass(frozen=True, slots=True)
class Voice:
    """What the exchange signs with: the announcer has its message key, checkpoints have their own."""

    announcer: Announcer
    checkpoint_key: SigningKey


@dataclass(slots=True)
class Relay:
    """The exchange at work. `start`, then `turn` for ever; the current database is the exchange's."""

    own: OwnDirectory
    voice: Voice
    clock: Clock
    roads: Roads
    reached: Callable[[str], None] = no_op
    _lanes: dict[str, LaneState] = field(default_factory=dict)
    _trail: TrailHead = field(default_factory=TrailHead)
    _heads: HeadSchedule = field(default_factory=HeadSchedule)
    _alarm: Alarm = field(default_factory=Alarm)
    _looked_at: datetime | None = None
    _reopen: bool = False
    _logged: int = 0
    """The newest directory version that has a leaf."""
    _inlets: Inlets = field(init=False)
    _publisher: Publisher = field(init=False)

    def __post_init__(self) -> None:
        self._inlets = Inlets(self.roads.source)

    # The start.

    def start(self) -> None:
        """Reads the tables, compares them with the topics, and opens the streams.

        Raises DatabaseOlderThanLog, Unreachable, BadConfiguration, or Refused for a trust file that doesn't
        verify.
        """
        known = store.last_directory()
        self.own.known = known or self.own.known
        self._logged = known[0] if known else 0
        self.own.load(self.clock.now())
        self._alarm.take_over()
        # Heads speak of the present: an old checkpoint's key may have ended since.
        self._trail = (store.trail() or self._begun()).under(self.own.network, self.voice.checkpoint_key)
        self._lanes = store.lanes()
        self._publisher = Publisher(self.roads.sink, self._compared(), self.reached)
        self._enrol()
        self._renew_directory()

    def close(self) -> None:
        """Marks what is published, and closes the reader."""
        self._publisher.mark()
        self._inlets.close()

    def condition(self) -> Condition:
        """How it stands; may be asked from another thread."""
        voice, failing = self.voice, self._publisher.backoff.failing
        lanes, following = dict(self._lanes), dict(self._inlets.next)
        return Condition(
            held=self._alarm.reason,
            trust=self.own.trust,
            keys={"message": voice.announcer.keyid, "checkpoint": voice.checkpoint_key.keyid},
            lanes=lanes,
            refused=frozenset(code for code in lanes if failing(in_topic(code))),
            closed=frozenset(code for code in lanes if out_topic(code) in self._inlets.closed),
            unread={
                code: (following[topic], self._inlets.end_seen(topic))
                for code in lanes
                if (topic := out_topic(code)) in following
            },
            heads=self._heads.times(),
            trail_size=self._trail.size,
            published_leaves=self._publisher.published_leaves,
        )

    def _begun(self) -> TrailHead:
        head = TrailHead.empty(self.own.network, self.voice.checkpoint_key)
        store.begin_trail(head)
        return head

    def _compared(self) -> int:
        """Holds the tables against the tails; how many leaves count as published."""
        if self._lanes:
            check_lanes(self.roads.source, self._lanes)
        with closing(self.roads.source([LEAVES_TOPIC])) as source:
            return check_leaves(source, self._trail.size, store.published_leaves())

    def _enrol(self) -> None:
        """Lanes and streams of all participants that have not left."""
        provinces = self._provinces()
        if missing := [code for code in provinces if code not in self._lanes]:
            store.add_lanes(missing)
            self._lanes.update((code, LaneState()) for code in missing)
        self._inlets.open([out_topic(code) for code in provinces], self.clock.now())
        self._reopen = False

    def _provinces(self) -> list[str]:
        return [
            participant.code
            for participant in self.own.trust.directory.document.participants
            if participant.code != EXCHANGE and participant.status is not ParticipantStatus.LEFT
        ]

    # A turn.

    def turn(self, timeout_s: float) -> bool:
        """One turn; False when there is trouble and the next one had better wait a second.

        Raises Fenced, TopicReplaced, RecordsLost or WriterBroken when this process has to end.
        """
        try:
            self._renew_directory()
            self._look_around()
            flowing = self._take(timeout_s)
            self._publish(None)
            self._send_heads()
            return flowing
        except TopicRefused as error:
            _log.error("a topic can't be read any more", detail=error.detail)
            self._reopen = True
        except WriterBroken:
            raise
        except Held as error:
            self._hold(DATABASE, error.detail)
        except Unreachable as error:
            self._hold(BROKER, error.detail)
        return False

    def _take(self, timeout_s: float) -> bool:
        """Polls, judges, commits and publishes; False when it has to hold."""
        if hold := holding(self._circumstances()):
            self._publisher.mark()
            self._hold(hold.reason)
            return False
        batches = self._inlets.poll(timeout_s, MAX_RECORDS)
        if not batches:
            self._publisher.mark()
            if self._alarm.reason != HoldReason.CLOCK_UNSOUND:
                self._alarm.release(self.clock.now())
            return True
        self.reached("polled")
        meters.polled(batches)
        circumstances = self._circumstances()
        sound = self._inlets.clock_agrees(batches, circumstances.now)
        if hold := holding(replace(circumstances, clock_sound=sound)):
            self._hold(hold.reason)
            return False
        self._relay(batches, circumstances)
        self._alarm.release(self.clock.now())
        return True

    def _circumstances(self) -> Circumstances:
        directory, voice = self.own.trust.directory, self.voice
        own_keys = (voice.announcer.keyid, voice.checkpoint_key.keyid)
        return Circumstances(self.own.network, directory, self.clock.now(), own_keys=own_keys)

    def _hold(self, reason: str, detail: str = "") -> None:
        self._inlets.seek_back()
        self._alarm.hold(reason, self.clock.now(), detail)

    def _relay(self, batches: Sequence[Batch], circumstances: Circumstances) -> None:
        for batch in batches:
            if batch.lost:
                self._skip(batch, circumstances)
        judged = [
            (arrival, _examine(arrival, circumstances)) for batch in batches for arrival in arrivals(batch)
        ]
        for portion in portions(judged):
            self._settle(portion, circumstances)

    def _settle(self, portion: Sequence[Judged], circumstances: Circumstances) -> None:
        """Commits and publishes a portion; if our own code stumbles, in halves, down to the record it is."""
        try:
            entry = self._commit(portion, circumstances)
        except OperationError:
            raise
        except Exception:
            self._settle_in_halves(portion, circumstances)
        else:
            self._publish(entry)

    def _settle_in_halves(self, portion: Sequence[Judged], circumstances: Circumstances) -> None:
        if len(portion) > 1:
            middle = len(portion) // 2
            self._settle(portion[:middle], circumstances)
            self._settle(portion[middle:], circumstances)
            return
        arrival, _ = portion[0]
        _log.exception("a record can't be dealt with", topic=arrival.topic, offset=arrival.offset)
        self._publish(self._commit([(arrival, Reject(Code.RECORD_UNREADABLE))], circumstances))

    def _commit(self, portion: Sequence[Judged], circumstances: Circumstances) -> Entry:
        decisions = _decide(portion, circumstances)
        self.reached("decided")
        dispatch = self._dispatch(circumstances.now)
        for (arrival, _), decision in zip(portion, decisions, strict=True):
            dispatch.take(arrival, decision)
        entry = dispatch.finish(self._steps(portion), self.voice.checkpoint_key)
        self._write(entry)
        meters.committed([arrival.owner for arrival, _ in portion], decisions, entry)
        spans.admitted(decisions, circumstances.now, self.clock.now())
        self.reached("committed")
        return entry

    def _dispatch(self, at: datetime) -> Dispatch:
        numbers = {code: lane.delivery_seq for code, lane in self._lanes.items()}
        directory = self.own.trust.directory
        return Dispatch(self.own.network, self.voice.announcer, directory, at, self._trail, numbers)

    def _steps(self, portion: Sequence[Judged]) -> list[Step]:
        last = {arrival.topic: arrival for arrival, _ in portion}
        return [
            Step(topic, self._inlets.next[topic], arrival.next, arrival.cluster_id, arrival.topic_id)
            for topic, arrival in last.items()
        ]

    def _write(self, entry: Entry) -> None:
        """Commits, and takes over what is so now."""
        self._lanes.update(store.commit(entry, self._lanes, self._publisher.marks))
        self._publisher.marked()
        self._inlets.moved(entry.steps)
        if entry.growth:
            self._trail = entry.growth.head
        _report(entry)

    def _skip(self, batch: Batch, circumstances: Circumstances) -> None:
        """Passes offsets that retention has taken before we read them."""
        step = Step(batch.topic, batch.start, batch.start + batch.lost, batch.cluster_id, batch.topic_id)
        note = IncidentNote(IncidentKind.RECORDS_LOST, batch.topic, batch.start, f"{batch.lost} records")
        dispatch = self._dispatch(circumstances.now)
        dispatch.take_incident(note)
        self._write(dispatch.finish([step], self.voice.checkpoint_key))

    # Publishing.

    def _publish(self, entry: Entry | None) -> None:
        began = self.clock.now()
        moved = self._publisher.publish(self._lanes, self._trail.size, entry, began)
        spans.delivered(entry, moved, began, self.clock.now())
        for code, number in moved.items():
            self._lanes[code] = replace(self._lanes[code], published_seq=number)

    def _send_heads(self) -> None:
        """Heads to whoever is due one. A lane that isn't clear waits: its head would run ahead. Under a key
        that isn't in force nobody would believe any.
        """
        if self._alarm.reason == HoldReason.OWN_KEY:
            return
        now, version = self.clock.now(), self.own.trust.directory.version
        standings = {code: _standing(self._lanes[code], version) for code in self._provinces()}
        due = {
            code: standing
            for code, standing in standings.items()
            if self._lanes[code].clear
            and self._publisher.backoff.allows(in_topic(code), now)
            and self._heads.due(code, standing, now)
        }
        if not due:
            return
        self._check_unrivalled()
        sent = self._publisher.send([self._head(code, now) for code in due], now)
        there = {shipment.topic for shipment in sent}
        for code, standing in due.items():
            if in_topic(code) in there:
                self._heads.told(code, standing, now)

    def _check_unrivalled(self) -> None:
        """Whatever a head tells of a province's messages has changed the trail."""
        with atomic():
            trail = store.trail()
        if trail is None or trail.size != self._trail.size:
            raise Fenced(f"the trail has not {self._trail.size} leaves any more")

    def _head(self, code: str, now: datetime) -> Shipment:
        lane, directory = self._lanes[code], self.own.trust.directory
        out_next = self._inlets.next.get(out_topic(code), 0)
        account = Account(lane.settled_seq, lane.holes, out_next, lane.delivery_seq)
        known = (directory.version, directory.digest)
        head = self.voice.announcer.head(code, account, known, self._trail.checkpoint, now)
        value = encode_in(InRecord(head.envelope))
        item = Outgoing(in_topic(code), head.header.thread.encode(), value, ce_headers(head.header))
        return Shipment(in_topic(code), [item])

    # Besides.

    def _renew_directory(self) -> None:
        """Takes over a newer trust file, and gives its directory a leaf."""
        if self.own.changed():
            self._reload()
        if self.own.trust.directory.version > self._logged:
            self._log_directory()

    def _reload(self) -> None:
        """Reads the trust file; one that doesn't verify is reported once and changes nothing."""
        now = self.clock.now()
        try:
            self.own.load(now)
            self._reopen = True
        except (Refused, BadConfiguration) as error:
            text = refusal_text(error)
            _log.error("the new trust file is not taken over", reason=text)
            store.note_incident(IncidentNote(IncidentKind.DIRECTORY_REFUSED, detail=text), now)

    def _log_directory(self) -> None:
        directory = self.own.trust.directory
        dispatch = self._dispatch(self.clock.now())
        dispatch.take_directory(self.own.value)
        entry = dispatch.finish((), self.voice.checkpoint_key)
        self._write(entry)
        self._logged = directory.version
        self._publish(entry)
        _log.info("a directory is in force", directory=directory.version, index=entry.before.size)

    def _look_around(self) -> None:
        """Now and then: topics that were closed to us, where topics end, deliveries that have expired."""
        now, before = self.clock.now(), self._looked_at
        if not self._reopen and before and timedelta() <= now - before < LOOK_AROUND_EVERY:
            return
        self._looked_at = now
        if self._reopen or self._inlets.come_back():
            self._enrol()
        self._inlets.anchor(now)
        store.purge_expired(now, PURGE_AT_ONCE)


def _examine(arrival: Arrival, circumstances: Circumstances) -> Verified | Reject:
    """Steps 1 to 7; a record that the reader or our own code can't deal with is unreadable."""
    if arrival.error:
        return Reject(Code.RECORD_UNREADABLE)
    try:
        return examine(arrival.value, arrival.owner, circumstances)
    except Exception:
        _log.exception("a record can't be examined", topic=arrival.topic, offset=arrival.offset)
        return Reject(Code.RECORD_UNREADABLE)


def _decide(portion: Sequence[Judged], circumstances: Circumstances) -> list[Decision]:
    """Steps 8 to 14 for what passed, each record in the light of those before it."""
    view = _view(portion)
    decisions = []
    for _, result in portion:
        decision = result if isinstance(result, Reject) else decide(result, circumstances, view)
        view.note(decision)
        decisions.append(decision)
    return decisions


def _view(portion: Sequence[Judged]) -> View:
    with reading():
        return store.view(lookup(result for _, result in portion if not isinstance(result, Reject)))


def _standing(lane: LaneState, directory: int) -> Standing:
    return Standing(lane.settled_seq, lane.holes, lane.delivery_seq, directory)


def _report(entry: Entry) -> None:
    """What an admin should find in the log: every rejection by its place, every incident."""
    for refusal in entry.refusals:
        arrival = refusal.arrival
        _log.warning(
            "a record is rejected",
            topic=arrival.topic,
            offset=arrival.offset,
            sha256=arrival.sha256,
            code=refusal.code,
            where=refusal.where,
            index=refusal.index,
        )
    for note in entry.incidents:
        _log.error("an incident", incident=note.kind, stream=note.stream, offset=note.offset)
