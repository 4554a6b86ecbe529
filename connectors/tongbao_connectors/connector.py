"""One province's connector, turn by turn: take what came in, send what is to go out.

A turn:
1. Poll the three topics for at most 20 ms. A newer directory comes into force before anything else is judged.
2. Judge the rest outside a transaction, store it with the cursors in one.
3. Seal drafts and stage reports, publish what is sealed; once a second, publish again what is overdue, ask
   for deliveries that are missing, and read routing and roster again if their files have changed.

Trouble:
4. A stream that is held goes back to the record and pauses for a second; the others go on.
   A hold that lasts is an incident.
5. A topic that was made anew ends the process. Its successor notes an incident and goes to its beginning
   (duplicates are recognised); what the exchange hasn't settled is published again.
6. So does any other failure: the process ends, and its successor goes on from the tables.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from tongbao_broker import logs
from tongbao_broker.clock import Clock
from tongbao_broker.database import atomic
from tongbao_broker.errors import BadConfiguration, DatabaseOlderThanLog, Held, Words
from tongbao_broker.kafka.reader import Batch
from tongbao_broker.kafka.topics import DIRECTORY_TOPIC, LEAVES_TOPIC
from tongbao_broker.streams import cursor
from tongbao_connectors import following, inbox, incidents, meters, numbering, spans
from tongbao_connectors.acceptance import HeadRead, View, examine
from tongbao_connectors.composing import Office
from tongbao_connectors.duty import current
from tongbao_connectors.following import Followed
from tongbao_connectors.intake import Intake, Reception
from tongbao_connectors.ownlog import own_messages
from tongbao_connectors.publishing import Publisher, Sender
from tongbao_connectors.settings import ConnectorSettings
from tongbao_connectors.store.models import Message, Outbox
from tongbao_connectors.trusting import Trusting

POLL_S = 0.02
RECORDS_AT_ONCE = 500
TAIL = 20
"""How many records at the end of the own topics are compared with the tables at the start."""

PAUSE = timedelta(seconds=1)
LASTING = timedelta(seconds=5)

log = logs.get(__name__)


class Source(Protocol):
    """What the connector asks of the broker's reader."""

    def identity(self, topic: str) -> tuple[str, str]: ...
    def end_offset(self, topic: str) -> int: ...
    def seek(self, topic: str, offset: int) -> None: ...
    def pause(self, topic: str) -> None: ...
    def resume(self, topic: str) -> None: ...
    def end_seen(self, topic: str) -> int | None: ...
    def poll(self, timeout_s: float, max_records: int) -> list[Batch]: ...
    def close(self) -> None: ...


@dataclass(slots=True)
class Waiting:
    """A stream that is held: since when, and when it is tried again."""

    since: datetime
    until: datetime


class Connector:
    """The connector of one province over a reader, a writer and its database, which is the current one."""

    def __init__(
        self,
        settings: ConnectorSettings,
        *,
        open_reader: Callable[[Sequence[str]], Source],
        writer: Sender,
        clock: Clock,
        reached: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._open_reader = open_reader
        self._clock = clock
        self._reached = reached
        now = clock.now()
        self._trusting = Trusting.of(settings, now)
        self._rules = current.changed(settings)
        self._reception = Reception.of(settings)
        self._publisher = Publisher(
            office=Office(settings.network, settings.code, settings.message_key()),
            topic=settings.out_topic,
            writer=writer,
            clock=clock,
            reached=reached,
        )
        self._topics = (DIRECTORY_TOPIC, LEAVES_TOPIC, settings.in_topic)
        self._waiting: dict[str, Waiting] = {}
        self._busy = False
        self._next_minding = now
        self._sealing_held_since: datetime | None = None
        self._reader = open_reader((*self._topics, settings.out_topic))

    def start(self) -> None:
        """Compares the tables with the log and takes up the cursors; raises DatabaseOlderThanLog."""
        self._compare_with_log()
        self._watch_out_topic()
        for topic in self._topics:
            self._reader.seek(topic, self._position(topic)[0])

    def close(self) -> None:
        self._reader.close()

    def condition(self) -> meters.Condition:
        """How it stands; may be asked from another thread."""
        held = {topic: waiting.since for topic, waiting in list(self._waiting.items())}
        since = self._sealing_held_since
        return meters.Condition(
            trust=self._trusting.current,
            keys={"message": self._publisher.keyid, "seal": self._seal_key()},
            held=held | ({self._settings.out_topic: since} if since else {}),
            ends={topic: self._reader.end_seen(topic) for topic in self._topics},
        )

    def _seal_key(self) -> str:
        """The newest seal key in the directory whose private half is here."""
        known = map(self._trusting.directory.key, self._reception.seal_keys)
        newest = max(filter(None, known), key=lambda key: (key.valid_from, key.kid), default=None)
        return newest.kid if newest else ""

    def turn(self) -> None:
        """One turn (see above)."""
        now = self._clock.now()
        self._resume(now)
        batches = self._reader.poll(0 if self._busy else POLL_S, RECORDS_AT_ONCE)
        minding = now >= self._next_minding
        self._busy = self._take(batches) + self._send(asking=minding) > 0
        if minding:
            self._next_minding = now + PAUSE
            self._publisher.publish_again()
            self._reread_rules()

    def _take(self, batches: Sequence[Batch]) -> int:
        """Judges and stores what came in; how many records."""
        if not batches:
            return 0
        self._reached("polled")
        meters.polled(batches)
        now = self._clock.now()
        try:
            for batch in self._of(DIRECTORY_TOPIC, batches):
                self._store([following.read_directories(batch, self._trusting, now)], [])
            leaves = [self._read_leaves(batch, now) for batch in self._of(LEAVES_TOPIC, batches)]
            arrived = self._of(self._settings.in_topic, batches)
            intakes = [self._reception.read(batch, self._trusting, now) for batch in arrived]
            self._reached("opened")
            self._store(leaves, intakes)
        except Held as trouble:
            log.error("nothing was stored", detail=trouble.detail)
            self._hold_all(now)
        return sum(len(batch.records) for batch in batches)

    def _of(self, topic: str, batches: Iterable[Batch]) -> list[Batch]:
        return [batch for batch in batches if batch.topic == topic]

    def _read_leaves(self, batch: Batch, now: datetime) -> Followed:
        waiting = self._waiting.get(LEAVES_TOPIC)
        return following.read_leaves(batch, self._trusting, now, waiting.since if waiting else now)

    def _store(self, followed: Sequence[Followed], intakes: Sequence[Intake]) -> None:
        settled = 0
        with atomic():
            for one in followed:
                following.store(one, self._trusting)
            for intake in intakes:
                settled += inbox.store(intake)
        meters.stored(intakes, settled)
        spans.accepted(intakes, self._settings.code, self._clock.now())
        self._reached("committed")
        if settled:
            self._reached("settled")
        for one in followed:
            for offered in one.directories:
                self._trusting.take_over(offered)
                log.info("directory in force", directory=offered.trust.directory.version)
        for one in followed:
            self._go_on_or_hold(one)
        for intake in intakes:
            self._go_on_or_hold(intake)

    def _go_on_or_hold(self, batch: Followed | Intake) -> None:
        topic = batch.batch.topic
        if not batch.held:
            self._waiting.pop(topic, None)
            return
        self._hold(topic, batch.next, batch.at)
        if batch.at - self._waiting[topic].since >= LASTING:
            incidents.note(
                "held", f"{topic}:{batch.next}", batch.at, topic=topic, offset=batch.next, reason=batch.held
            )

    def _hold(self, topic: str, offset: int, now: datetime) -> None:
        """Puts the stream back to the record that it can't get past and lets it wait."""
        self._reader.seek(topic, offset)
        self._reader.pause(topic)
        waiting = self._waiting.setdefault(topic, Waiting(now, now))
        waiting.until = now + PAUSE

    def _hold_all(self, now: datetime) -> None:
        for topic in self._topics:
            state = cursor.load(topic)
            if state is not None:
                self._hold(topic, state.next, now)

    def _resume(self, now: datetime) -> None:
        for topic, waiting in self._waiting.items():
            if now >= waiting.until:
                self._reader.resume(topic)

    def _reread_rules(self) -> None:
        """Routing, roster and shifts change without a restart.

        A file with a mistake leaves the former ones in force.
        """
        changed = current.changed(self._settings)
        if changed == self._rules:
            return
        self._rules = changed
        try:
            self._reception = Reception.of(self._settings)
            log.info("routing and roster read again")
        except BadConfiguration as mistake:
            log.error("routing and roster stay as they were", detail=mistake.detail)

    def _send(self, asking: bool) -> int:
        """Seals and publishes; how many messages. An expired directory of our own is waited for."""
        try:
            sealed = self._publisher.seal(self._trusting.directory)
            if asking:
                sealed += self._publisher.ask(self._trusting.directory)
            self._sealing_held_since = None
        except Held as trouble:
            sealed = 0
            if self._sealing_held_since is None:
                log.error("nothing is sealed", detail=trouble.detail)
                self._sealing_held_since = self._clock.now()
        return sealed + self._publisher.publish()

    def _position(self, topic: str) -> tuple[int, bool]:
        """Where the stream goes on, at the beginning if the topic was made anew; and whether it was."""
        cluster_id, topic_id = self._reader.identity(topic)
        state = cursor.load(topic) or cursor.begin(topic, cluster_id, topic_id)
        if (state.cluster_id, state.topic_id) == (cluster_id, topic_id):
            return state.next, False
        now = self._clock.now()
        incidents.note("topic_replaced", f"{topic}:{topic_id}", now, topic=topic, topic_id=topic_id)
        with atomic():
            return cursor.rewind(topic, cluster_id, topic_id).next, True

    def _watch_out_topic(self) -> None:
        """The own `out` topic isn't read, but has a cursor for its identity, which the reader compares."""
        topic = self._settings.out_topic
        self._reader.pause(topic)
        if self._position(topic)[1]:
            Outbox.objects.filter(state=Outbox.State.PUBLISHED).update(publish_again_at=self._clock.now())

    def _compare_with_log(self) -> None:
        """What this province published, and what the exchange says of it, must be in its tables.

        Otherwise they are an old copy. Retention may have taken the messages; a head still counts them.
        """
        settings, digests, used = self._settings, set(), 0
        directory = self._trusting.directory
        view = View(
            settings.code, settings.network, directory, self._trusting.directory_at, {}, self._clock.now()
        )
        reader = self._open_reader((settings.out_topic, settings.in_topic))
        try:
            for batch in _tails(reader, (settings.out_topic, settings.in_topic)):
                if batch.topic == settings.out_topic:
                    digests |= {own.digest for own in own_messages(batch, directory, settings.code)}
                else:
                    used = max(used, _settled_seq(batch, view))
        finally:
            reader.close()
        known = Message.objects.filter(origin=settings.code, digest__in=digests)
        if known.values("digest").distinct().count() < len(digests):
            raise _older(settings.code, settings.out_topic)
        if used > numbering.last_seq():
            raise _older(settings.code, settings.in_topic)


def _older(code: str, topic: str) -> DatabaseOlderThanLog:
    return DatabaseOlderThanLog(
        Words(
            f"{topic} 中有本省消息，数据库却不知道",
            f"{topic} knows of messages of this province that the database doesn't know",
        ),
        Words(
            f"勿删除数据库；执行 tongbao recover {code}，从日志补齐后会自动启动。",
            f"Don't delete the database; run: tongbao recover {code}. "
            "It imports what is missing, and the connector then starts by itself.",
        ),
    )


def _tails(reader: Source, topics: Sequence[str]) -> Iterator[Batch]:
    """The last records of each topic."""
    ends = {topic: reader.end_offset(topic) for topic in topics}
    for topic, end in ends.items():
        reader.seek(topic, max(0, end - TAIL))
    waiting = {topic for topic, end in ends.items() if end}
    while waiting:
        for batch in reader.poll(1.0, TAIL):
            if batch.next >= ends[batch.topic]:
                waiting.discard(batch.topic)
            yield batch


def _settled_seq(batch: Batch, view: View) -> int:
    """The highest own seq that a head among these records counts as used; 0 if there is no head."""
    heads = (_head(record.value, view) for record in batch.records if record.value is not None)
    return max((head.header.content.settled_seq for head in heads if head), default=0)


def _head(value: bytes, view: View) -> HeadRead | None:
    """A record as a head; None for anything else. What can't be judged is dealt with when it is read."""
    with suppress(Exception):
        found = examine(value, view)
        return found if isinstance(found, HeadRead) else None
    return None
