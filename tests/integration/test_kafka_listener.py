"""The broker's certificate is replaced while clients are connected, on a real broker."""

from contextlib import closing

import pytest

from tests.support.kafka import BROKER, DAYS, Broker, directory, wait_until
from tongbao_broker.clock import SystemClock
from tongbao_broker.kafka.listener import reload_certificate, served
from tongbao_broker.kafka.server import HOST
from tongbao_broker.kafka.topics import out_topic
from tongbao_broker.kafka.writer import Outgoing, Writer

pytestmark = pytest.mark.kafka

CODE = "520000"


def test_a_new_certificate_serves_without_a_restart(own_broker: Broker) -> None:
    """Who is connected writes on, who comes meets the new certificate, and no setting is left behind."""
    server = own_broker.server
    own_broker.set_up(directory(p520000="active"))
    before = served(server.connection, server.bootstrap)
    with closing(Writer(own_broker.as_(CODE))) as writer:
        writer.send_all([Outgoing(out_topic(CODE), None, b"{}")])
        own_broker.authority.issue_to(
            server.certificate, BROKER, now=SystemClock().now(), days=DAYS, hosts=(HOST,)
        )
        assert served(server.connection, server.bootstrap) == before
        assert reload_certificate(server.connection, server.certificate)
        offsets = writer.send_all([Outgoing(out_topic(CODE), None, b"{}")])
    with closing(Writer(own_broker.as_(CODE))) as writer:
        offsets += writer.send_all([Outgoing(out_topic(CODE), None, b"{}")])

    assert offsets == [1, 2]
    assert served(server.connection, server.bootstrap) != before
    assert own_broker.process.poll() is None


def test_a_certificate_that_the_broker_does_not_have_is_waited_for_in_vain(
    own_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the broker goes on with another one, the caller is told so in bounded time."""
    monkeypatch.setattr("tongbao_broker.kafka.listener.TAKEN_OVER_S", 0.3)
    other = own_broker.as_("520000").certificate

    assert not reload_certificate(own_broker.server.connection, other)


def test_the_controllers_port_takes_it_too(own_broker: Broker) -> None:
    """The controller's listener reads the same file."""
    server = own_broker.server
    controller = f"{HOST}:{server.controller_port}"
    own_broker.authority.issue_to(
        server.certificate, BROKER, now=SystemClock().now(), days=DAYS, hosts=(HOST,)
    )

    assert reload_certificate(server.connection, server.certificate)
    wait_until(lambda: served(server.connection, controller) == served(server.connection, server.bootstrap))
