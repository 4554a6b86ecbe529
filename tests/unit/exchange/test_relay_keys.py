"""The exchange changes its own keys between two processes."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.world import NOW, World, key_json, signing_key
from tests.unit.exchange.station import Station
from tongbao_broker.exchange.dispatch import IncidentKind
from tongbao_broker.exchange.models import Incident
from tongbao_broker.trust.checkpoint import verify_checkpoint
from tongbao_schemas.codes import EXCHANGE
from tongbao_schemas.encoding import format_time

GZ, GD = "520000", "440000"
ENDS = NOW + timedelta(days=7)


@pytest.fixture
def station(tmp_path: Path, exchange_database: str) -> Station:
    return Station(World.create(), tmp_path)


def with_a_new_checkpoint_key(world: World) -> World:
    """The next directory: the checkpoint key has a successor and ends in a week."""
    key = signing_key("the exchange's next checkpoint key")
    ending = [
        {**record, "valid_until": format_time(ENDS)} if record["use"] == "checkpoint" else record
        for record in world.document["keys"]
    ]
    changed = world.changed(keys=[*ending, key_json(EXCHANGE, "checkpoint", key, NOW)])
    keys = {**world.keys, EXCHANGE: replace(world.keys[EXCHANGE], checkpoint=key)}
    return replace(changed, keys=keys)


@pytest.mark.parametrize("use", ["message", "checkpoint"])
def test_a_key_that_is_not_in_force_holds_everything(station: Station, use: str) -> None:
    """Nobody would believe a notice, a head or an entry; when a directory lists the key again all goes on."""
    world, keys = station.world, station.world.document["keys"]
    station.run(1)
    ended = [
        {**key, "valid_until": format_time(NOW + timedelta(seconds=1))}
        if (key["owner"], key["use"]) == (EXCHANGE, use)
        else key
        for key in keys
    ]
    station.put_trust(world.changed(keys=ended))
    station.run(1)
    heads = len(station.heads(GD))
    records = [world.message("alert", GZ, [GD]) for _ in range(2)]
    station.write(GZ, records[0], b"{}", records[1])
    station.run(70)
    held = (station.deliveries(GD), station.deliveries(GZ), len(station.heads(GD)) - heads)
    alarm = Incident.objects.get(kind=IncidentKind.HELD)
    station.put_trust(world.changed(keys=ended).changed(keys=keys))
    station.run(5)

    assert (held, alarm.detail) == (([], [], 0), "own_key")
    assert [message.out for message in station.messages(GD)] == records
    assert [notice.content.kind for notice in station.notices(GZ)] == ["admitted", "rejected", "admitted"]
    assert not Incident.objects.filter(kind=IncidentKind.HELD, closed_at=None).exists()


def test_heads_bear_the_present_key_though_nothing_was_entered_since(station: Station) -> None:
    """A quiet network: the last entry is under the old key, which ends; heads are believed all the same."""
    station.write(GZ, station.world.message("alert", GZ, [GD]))
    station.run()
    station.world = with_a_new_checkpoint_key(station.world)
    station.put_trust(station.world)
    station.run(1)
    old = station.heads(GD)[-1].content.checkpoint
    station.restart()
    station.clock.at = ENDS + timedelta(days=1)
    station.run(1)
    new = station.heads(GD)[-1].content.checkpoint
    keys = station.world.directory.checkpoint_keys(station.clock.at)

    assert old.splitlines()[:3] == new.splitlines()[:3]
    assert verify_checkpoint(new, station.world.network, keys).size > 0
