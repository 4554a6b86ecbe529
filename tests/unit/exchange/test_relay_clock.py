"""The exchange's clock and the broker's can't both be right: everything waits, and then goes in order."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.support.world import World
from tests.unit.exchange.station import Station
from tongbao_broker.exchange.dispatch import IncidentKind
from tongbao_broker.exchange.models import Incident, TrailState

GZ, GD = "520000", "440000"
BROKER_AHEAD, WE_AHEAD = "the broker's clock is ahead", "our clock is ahead"


@pytest.fixture
def station(tmp_path: Path, exchange_database: str) -> Station:
    """An exchange that has seen where its topics end."""
    made = Station(World.create(), tmp_path)
    made.run(1)
    return made


def drifted(station: Station, which: str, seconds: int) -> datetime:
    """Lets the two clocks differ, and the exchange see that nothing has come; what the broker writes now."""
    known = station.clock.at
    if which == BROKER_AHEAD:
        return known + timedelta(seconds=seconds)
    station.clock.at = known + timedelta(seconds=seconds)
    station.relay.turn(0)
    return known


@pytest.mark.parametrize("which", [BROKER_AHEAD, WE_AHEAD])
def test_more_than_a_minute_apart_holds_everything(station: Station, which: str) -> None:
    """No leaf, no delivery, no notice, also not about a bad record; an alarm stays open until it is over."""
    world, size = station.world, TrailState.objects.get().size
    records = [world.message("alert", GZ, [GD]) for _ in range(4)]
    written = drifted(station, which, 90)
    station.write(GZ, *records[:2], b"{}", *records[2:], at=written)
    station.write(GD, b"no json", at=written)
    station.run(4)
    held = (TrailState.objects.get().size - size, station.deliveries(GD), station.deliveries(GZ))
    alarm = Incident.objects.get(kind=IncidentKind.HELD)
    detail, open_while_held = alarm.detail, alarm.closed_at is None
    station.clock.at = written + timedelta(seconds=1)
    station.run(4)
    alarm.refresh_from_db()

    assert held == (0, [], [])
    assert (detail, open_while_held, alarm.closed_at is None) == ("clock_unsound", True, False)
    assert [message.out for message in station.messages(GD)] == records
    kinds = [notice.content.kind for notice in station.notices(GZ)]
    assert kinds == ["admitted", "admitted", "rejected", "admitted", "admitted"]
    assert [notice.content.kind for notice in station.notices(GD)] == ["rejected"]


@pytest.mark.parametrize(
    ("seconds", "flows"), [(59, True), (60, True), (61, False)], ids=["59 s", "60 s", "61 s"]
)
@pytest.mark.parametrize("which", [BROKER_AHEAD, WE_AHEAD])
def test_the_border_is_at_a_minute(station: Station, which: str, seconds: int, flows: bool) -> None:
    """Up to 60 s is tolerated both ways."""
    written = drifted(station, which, seconds)
    station.write(GZ, station.world.message("alert", GZ, [GD]), at=written)
    station.relay.turn(0)

    assert (len(station.messages(GD)) == 1) is flows
