"""Two provinces and the exchange over a bad road: whatever is dropped, doubled, late or struck down, in the
end everything has arrived, once, and is settled.

The real relay and two real connectors with their databases run turn by turn over topics in memory. Hypothesis
decides who does what next, and what becomes of each record on its way: it may get lost, come twice, or come
later. A process may be struck down at any of its commit points. At the end the road is made good, time
passes, and the tables must tell one and the same story.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from django.db.models import F
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.support.databases import CONNECTOR, EXCHANGE, new_database, without_waiting_for_the_disk
from tests.support.province import alert, write_folder
from tests.support.world import World
from tests.unit.exchange.station import Broker, Station
from tongbao_broker import database
from tongbao_broker.exchange.models import Lane, TrailState
from tongbao_broker.exchange.models import Message as Entered
from tongbao_broker.exchange.points import COMMIT_POINTS
from tongbao_broker.kafka.writer import Outgoing
from tongbao_connectors import casework, drafts
from tongbao_connectors.connector import Connector
from tongbao_connectors.settings import ConnectorSettings
from tongbao_connectors.store.models import DeliveryGap, InboxItem, Message, Outbox, StageReport

CODES = ("440000", "520000")
CONNECTOR_POINTS = ("polled", "opened", "committed", "settled", "drafted", "sealed", "published")
LONG = timedelta(minutes=16)
"""Longer than anybody waits before saying a thing again."""


class Struck(BaseException):
    """The process dies here."""


class Road(Broker):
    """Topics whose writers believe that all is well, while a planned fate befalls the provinces' records."""

    fates: list[str]
    """What becomes of the next records."""
    late: list[Outgoing]

    def send_all(self, items: Sequence[Outgoing]) -> list[int]:
        for item in items:
            fate = self.fates.pop(0) if self.fates and item.topic.startswith("prov.") else "arrives"
            if fate == "late":
                self.late.append(item)
            for _ in range({"arrives": 1, "twice": 2}.get(fate, 0)):
                self.append(item.topic, item.value)
        return [0 for _ in items]

    def catch_up(self) -> None:
        """What was late arrives, the last first."""
        while self.late:
            item = self.late.pop()
            self.append(item.topic, item.value)


class Place:
    """A process with its database: a province's connector, or the exchange's relay."""

    def __init__(self, name: str, start: Callable[[Callable[[str], None]], Callable[[], object]]) -> None:
        self.name = name
        self.strike_at = ""
        self._start = start
        self._turn: Callable[[], object] | None = None

    def turn(self) -> None:
        """One turn, by a new process if there is none; a strike ends it."""
        with database.use(self.name):
            try:
                self._turn = self._turn or self._start(self._reached)
                self._turn()
            except Struck:
                self._turn = None

    def kill(self) -> None:
        """Ends the process between two turns."""
        self._turn = None

    def _reached(self, point: str) -> None:
        if point == self.strike_at:
            self.strike_at = ""
            raise Struck


class Delivery(RuleBasedStateMachine):
    """The rules of the game."""

    def __init__(self) -> None:
        super().__init__()
        self._open = ExitStack()
        folder = Path(self._open.enter_context(TemporaryDirectory(prefix="tongbao-model-")))
        self.world = World.create(CODES)
        for name, apps in (("100000", EXCHANGE), *((code, CONNECTOR) for code in CODES)):
            new_database(folder, name, apps)
        with database.use("100000"):
            self.station = Station(self.world, folder)
        self.road = self._bad_road()
        self.places = {"100000": Place("100000", self._relay)}
        self.settings = {
            code: ConnectorSettings.load(write_folder(folder / code, self.world, code)) for code in CODES
        }
        for code in CODES:
            self._quick(code)
            self.places[code] = Place(code, self._connector(code))
        self.submitted: dict[str, tuple[str, str]] = {}

    def _bad_road(self) -> Road:
        road = Road(self.station.clock)
        road.topics, road.fates, road.late = self.station.broker.topics, [], []
        self.station.broker = road
        return road

    def _quick(self, code: str) -> None:
        with database.use(code):
            Message.objects.count()
            without_waiting_for_the_disk(code)

    def _relay(self, reached: Callable[[str], None]) -> Callable[[], object]:
        relay = self.station.new_relay(reached=reached)
        return lambda: relay.turn(0)

    def _connector(self, code: str) -> Callable[[Callable[[str], None]], Callable[[], object]]:
        def start(reached: Callable[[str], None]) -> Callable[[], object]:
            connector = Connector(
                self.settings[code],
                open_reader=self.road.reader,
                writer=self.road,
                clock=self.station.clock,
                reached=reached,
            )
            connector.start()
            return connector.turn

        return start

    # What may happen.

    @initialize()
    def begin(self) -> None:
        """Each has something to say from the beginning."""
        for code in CODES:
            self.submit(code, again=False)

    @rule(origin=st.sampled_from(CODES), again=st.booleans())
    def submit(self, origin: str, again: bool) -> None:
        """A case system hands in an alert, or the same one a second time."""
        mine = [ref for ref, (sender, _) in self.submitted.items() if sender == origin]
        ref = mine[-1] if mine and again else f"case-{len(self.submitted)}"
        other = next(code for code in CODES if code != origin)
        with database.use(origin):
            draft = drafts.submit(alert(ref, other), origin=origin, by="A-0120", now=self.station.clock.now())
        assert self.submitted.setdefault(ref, (origin, draft.message_id)) == (origin, draft.message_id)

    @rule(code=st.sampled_from(CODES))
    def answer(self, code: str) -> None:
        """The officer signs for the first alert that waits, and answers it."""
        with database.use(code):
            waiting = [item for item in casework.list_inbox(states=("waiting",)) if item.type == "alert"]
            for item in waiting[:1]:
                roster = self.settings[code].roster()
                who: dict[str, Any] = {
                    "officer_ref": item.officer_ref,
                    "roster": roster,
                    "at": self.station.clock.now(),
                }
                casework.claim(item.message_id, **who)
                casework.answer(item.message_id, kind="progress", text="演练：核查中", origin=code, **who)

    @rule(name=st.sampled_from(("100000", *CODES)))
    def turn(self, name: str) -> None:
        """A process takes a turn."""
        self.places[name].turn()
        self.station.clock.at += timedelta(milliseconds=50)

    @rule()
    def round(self) -> None:
        """Everybody takes one."""
        for name in (*CODES, "100000", *CODES):
            self.turn(name)

    @rule(fates=st.lists(st.sampled_from(["drop", "twice", "late", "arrives"]), min_size=1, max_size=5))
    def plan(self, fates: list[str]) -> None:
        """The next records meet these fates."""
        self.road.fates.extend(fates)

    @precondition(lambda self: bool(self.road.late))
    @rule()
    def catch_up(self) -> None:
        """The late ones come in."""
        self.road.catch_up()

    @rule(name=st.sampled_from(CODES), point=st.sampled_from(CONNECTOR_POINTS))
    def strike_a_connector(self, name: str, point: str) -> None:
        """The next time that it gets there, it dies."""
        self.places[name].strike_at = point

    @rule(point=st.sampled_from(COMMIT_POINTS))
    def strike_the_relay(self, point: str) -> None:
        """The exchange is no better off."""
        self.places["100000"].strike_at = point

    @rule(name=st.sampled_from(("100000", *CODES)))
    def kill(self, name: str) -> None:
        """A process ends between two turns."""
        self.places[name].kill()

    @rule(seconds=st.sampled_from([3, 25, 70]))
    def wait(self, seconds: int) -> None:
        """Time passes, and what isn't settled is said again."""
        self.station.clock.at += timedelta(seconds=seconds)

    # What must come of it.

    def teardown(self) -> None:
        """The road is good again: all that was handed in arrives, once, and everything is settled."""
        try:
            self._make_good()
            self._all_arrived_once()
            self._all_settled()
            self._one_story_at_the_exchange()
        finally:
            database.close()
            self._open.close()

    def _make_good(self) -> None:
        self.road.fates.clear()
        for place in self.places.values():
            place.strike_at = ""
        for _ in range(12):
            self.road.catch_up()
            for _ in range(3):
                self.round()
            if self._quiet():
                return
            self.station.clock.at += LONG

    def _quiet(self) -> bool:
        return self._trail_is_published() and all(self._quiet_at(code) for code in CODES)

    def _trail_is_published(self) -> bool:
        with database.use("100000"):
            return TrailState.objects.filter(published_size=F("size")).exists()

    def _quiet_at(self, code: str) -> bool:
        with database.use(code):
            unsettled = Outbox.objects.exclude(state=Outbox.State.SETTLED).exists()
            waiting = StageReport.objects.filter(pending=True).exists()
            return not unsettled and not waiting and not DeliveryGap.objects.exists()

    def _all_arrived_once(self) -> None:
        for origin, message_id in self.submitted.values():
            [addressee] = [code for code in CODES if code != origin]
            with database.use(addressee):
                rows = Message.objects.filter(message_id=message_id, origin=origin)
                assert rows.count() == 1
                assert InboxItem.objects.filter(message__in=rows).count() == 1
            with database.use(origin):
                assert Message.objects.filter(message_id=message_id).count() == 1
                told = StageReport.objects.filter(of=message_id, place=addressee, stage="delivered")
                assert told.count() == 1

    def _all_settled(self) -> None:
        for code in CODES:
            with database.use(code):
                states = set(Outbox.objects.values_list("state", flat=True))
                seqs = sorted(Outbox.objects.values_list("seq", flat=True))
                assert states <= {Outbox.State.SETTLED}
                assert seqs == list(range(1, len(seqs) + 1))
                assert not DeliveryGap.objects.exists()
                assert not StageReport.objects.filter(pending=True).exists()

    def _one_story_at_the_exchange(self) -> None:
        sent = {}
        for code in CODES:
            with database.use(code):
                sent[code] = sorted(Message.objects.filter(origin=code).values_list("digest", flat=True))
        with database.use("100000"):
            for code in CODES:
                mine = Entered.objects.filter(origin=code)
                assert sorted(mine.values_list("digest", flat=True)) == sent[code]
                assert not mine.exclude(code="").exists()
                assert Lane.objects.get(addressee=code).settled_seq == len(sent[code])
            assert TrailState.objects.get().published_size == TrailState.objects.get().size


Delivery.TestCase.settings = settings(
    max_examples=10,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestDelivery = Delivery.TestCase


@pytest.mark.parametrize("fate", ["drop", "twice", "late"])
@pytest.mark.parametrize("writer", ["520000", "100000"])
def test_whatever_befalls_an_alert_it_arrives_once(writer: str, fate: str) -> None:
    """On its way to the exchange as on its way from there."""
    game = Delivery()
    game.submit("520000", again=False)
    for name in ("520000", "100000"):
        game.road.fates = [fate] if name == writer else []
        game.turn(name)
    assert game.road.fates == []
    game.teardown()
