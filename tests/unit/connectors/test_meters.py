"""What a connector counts and tells of itself."""

from datetime import timedelta

from tests.support.metering import exposed, value
from tests.support.province import Network, Province, alert
from tests.support.world import NOW
from tongbao_broker.kafka.topics import in_topic
from tongbao_connectors import meters
from tongbao_schemas.encoding import format_time

GZ, GD = "520000", "440000"


def told(province: Province) -> str:
    """The connector's answer now."""
    with province.here():
        return exposed(
            meters.look(province.settings.folder, province.connector.condition, province.net.clock)
        )


def test_the_way_of_an_alert_is_counted(net: Network, gz: Province, gd: Province) -> None:
    """Sealed, published and settled on one side; read, accepted and timed on the other."""
    before = told(gz)
    gz.submit(alert("a-1"))
    net.settle()
    after = told(gz)

    def grown(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    assert grown("tongbao_connector_sealed_total", type="alert") == 1
    assert grown("tongbao_connector_published_total") >= 1
    assert grown("tongbao_connector_settled_total") >= 1
    assert grown("tongbao_connector_records_read_total", stream="in") >= 1
    assert grown("tongbao_connector_accepted_total", province=GZ, type="alert") == 1
    assert grown("tongbao_connector_transit_seconds_count", urgency="flash") == 1
    assert grown("tongbao_connector_batch_seconds_count", phase="open") == 0  # the fake reader isn't timed
    assert value(after, "tongbao_connector_last_head_timestamp_seconds") > 0
    assert value(after, "tongbao_connector_outbox_rows", state="published") == 0
    assert value(after, "tongbao_connector_trail_leaves") > 0


def test_what_waits_shows_with_its_age(net: Network, gz: Province) -> None:
    """Drafts, and messages that the exchange hasn't settled, with the age of the oldest."""
    gz.submit(alert("a-1"))
    net.clock.forward(seconds=30)
    drafted = told(gz)
    gz.turn()
    net.clock.forward(seconds=40)
    published = told(gz)

    assert value(drafted, "tongbao_connector_outbox_rows", state="drafted") == 1
    assert value(drafted, "tongbao_connector_outbox_oldest_seconds", state="drafted") == 30
    assert value(published, "tongbao_connector_outbox_rows", state="drafted") == 0
    assert value(published, "tongbao_connector_outbox_rows", state="published") == 1
    assert value(published, "tongbao_connector_outbox_oldest_seconds", state="published") == 40


def test_a_held_stream_shows_for_how_long(net: Network, gz: Province, gd: Province) -> None:
    """A directory that isn't here yet holds `in`; the readiness says so in one word."""
    net.world = net.exchange.world = net.world.changed(expires_at=format_time(NOW + timedelta(days=300)))
    gz.submit(alert("a-1"))
    for _ in range(3):
        net.round()
    net.clock.forward(seconds=10)
    held = told(gd)
    word = gd.connector.condition().word
    net.exchange.publish_directory()
    net.settle()
    net.clock.forward(seconds=2)
    net.settle()
    flowing = told(gd)

    assert value(held, "tongbao_connector_held_seconds", stream="in") >= 10
    assert value(held, "tongbao_connector_unread", stream="in") >= 1
    assert word == "held:in"
    assert value(flowing, "tongbao_connector_held_seconds", stream="in") == 0
    assert value(flowing, "tongbao_connector_unread", stream="in") == 0
    assert gd.connector.condition().word == ""


def test_refused_records_show_by_code(net: Network, gd: Province) -> None:
    """What lies in quarantine is counted, and so is each incident that it led to."""
    net.broker.append(in_topic(GD), b"{")
    net.settle()
    text = told(gd)

    assert value(text, "tongbao_connector_quarantine", code="TB-103") == 1
    assert value(text, "tongbao_connector_refused_total", code="TB-103") >= 1


def test_missing_deliveries_show(net: Network, gz: Province, gd: Province) -> None:
    """A gap in the delivery numbers is a number and an age."""
    net.exchange.delivered[GD] = net.exchange.delivered.get(GD, 0) + 3
    gz.submit(alert("a-1"))
    net.settle()
    net.clock.forward(seconds=5)
    text = told(gd)

    assert value(text, "tongbao_connector_missing_deliveries") == 3
    assert value(text, "tongbao_connector_oldest_missing_seconds") >= 5
    assert value(text, "tongbao_connector_incidents_total", kind="gap") == 1


def test_ends_are_told(gd: Province) -> None:
    """Keys, directory and root by their end."""
    text = told(gd)
    ends = {
        what: value(text, "tongbao_ends_timestamp_seconds", what=what)
        for what in ("message_key", "seal_key", "directory", "root")
    }

    assert all(at > NOW.timestamp() for at in ends.values())
