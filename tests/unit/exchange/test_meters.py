"""What the exchange counts and tells of itself."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.metering import exposed, value
from tests.support.world import World
from tests.unit.exchange.station import Station
from tongbao_broker.exchange import meters
from tongbao_broker.kafka.topics import in_topic, out_topic

GZ, GD, ZJ = "520000", "440000", "330000"


@pytest.fixture
def world() -> World:
    return World.create()


@pytest.fixture
def station(world: World, tmp_path: Path, exchange_database: str) -> Station:
    return Station(world, tmp_path)


def told(station: Station) -> str:
    """The exchange's answer now."""
    return exposed(meters.look(station.folder, station.relay.condition, station.clock))


def test_decisions_are_counted(station: Station, world: World) -> None:
    """Records read, admitted by type, rejected by code, and duplicates, each by province."""
    before = told(station)
    alert = world.message("alert", GZ, (GD,))
    station.write(GZ, alert, alert, b"{")
    station.run()
    after = told(station)

    def grown(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    assert grown("tongbao_exchange_records_read_total", province=GZ) == 3
    assert grown("tongbao_exchange_admitted_total", province=GZ, type="alert") == 1
    assert grown("tongbao_exchange_rejected_total", province=GZ, code="TB-103") == 1
    assert grown("tongbao_exchange_duplicates_total", province=GZ) == 1
    assert value(after, "tongbao_exchange_last_batch_timestamp_seconds") >= world.now.timestamp()
    assert value(after, "tongbao_exchange_last_checkpoint_timestamp_seconds") >= world.now.timestamp()
    assert value(after, "tongbao_exchange_last_head_timestamp_seconds", province=GD) > 0
    assert value(after, "tongbao_exchange_trail_leaves") > 2
    assert value(after, "tongbao_database_bytes") > 0


def test_a_hold_has_its_reason(station: Station, world: World) -> None:
    """While the directory has expired that is the reason, and afterwards none is."""
    station.write(GZ, world.message("alert", GZ, (GD,)))
    station.clock.at += timedelta(days=400)
    station.run(1)
    held = told(station)
    station.clock.at -= timedelta(days=400)
    station.run(1)
    flowing = told(station)

    assert value(held, "tongbao_exchange_held", reason="directory_expired") == 1
    assert value(held, "tongbao_exchange_unread", province=GZ) == 1
    assert value(held, "tongbao_exchange_incidents_open", kind="held") == 1
    assert value(held, "tongbao_exchange_incidents_total", kind="held") == 1
    assert value(flowing, "tongbao_exchange_held", reason="directory_expired") == 0
    assert value(flowing, "tongbao_exchange_unread", province=GZ) == 0
    assert value(flowing, "tongbao_exchange_incidents_open", kind="held") == 0


def test_a_lane_that_is_closed_shows_what_waits_and_since_when(station: Station, world: World) -> None:
    """The deliveries to one addressee wait, those to another don't."""
    station.broker.refused.add(in_topic(GD))
    station.write(GZ, world.message("alert", GZ, (GD, ZJ)))
    station.run(2)
    station.clock.at += timedelta(seconds=60)
    text = told(station)

    assert value(text, "tongbao_exchange_deliveries_waiting", province=GD) == 1
    assert value(text, "tongbao_exchange_oldest_delivery_seconds", province=GD) >= 60
    assert value(text, "tongbao_exchange_lane_refused", province=GD) == 1
    assert value(text, "tongbao_exchange_deliveries_waiting", province=ZJ) == 0
    assert value(text, "tongbao_exchange_oldest_delivery_seconds", province=ZJ) == 0


def test_a_province_whose_topic_is_closed_shows(station: Station) -> None:
    """A topic that can't be read is one number for its province."""
    station.broker.refused.add(out_topic(ZJ))
    station.restart()
    text = told(station)

    assert value(text, "tongbao_exchange_topic_closed", province=ZJ) == 1
    assert value(text, "tongbao_exchange_topic_closed", province=GZ) == 0


def test_ends_are_told(station: Station, world: World) -> None:
    """When directory, root and own keys end; what can't be found has ended at 0."""
    text = told(station)
    directory = world.directory.document

    def ends(what: str) -> float:
        return value(text, "tongbao_ends_timestamp_seconds", what=what)

    assert ends("directory") == directory.expires_at.timestamp()
    assert ends("message_key") == ends("checkpoint_key") > world.now.timestamp()
    assert ends("root") > 0
    assert ends("certificate") == 0
    assert value(text, "tongbao_directory_version") == directory.version


def test_phases_are_timed() -> None:
    """The time between two commit points of one batch is taken, what lies between batches isn't."""
    points: list[str] = []
    reached = meters.timed(points.append)
    before = exposed()
    for point in ("polled", "decided", "committed", "published", "marked", "published"):
        reached(point)
    after = exposed()

    def count(phase: str) -> float:
        name = "tongbao_exchange_batch_seconds_count"
        return value(after, name, phase=phase) - value(before, name, phase=phase)

    assert [count(phase) for phase in ("decide", "commit", "publish")] == [1, 1, 1]
    assert points == ["polled", "decided", "committed", "published", "marked", "published"]
