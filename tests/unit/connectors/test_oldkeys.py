"""Which private halves of old seal keys may be destroyed, over topics in memory."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.province import Network, Province, alert
from tests.support.world import NOW, Keys, key_json, seal_key
from tongbao_broker import database
from tongbao_broker.trust.keys import load_seal_key, save_private
from tongbao_connectors import acceptance, oldkeys
from tongbao_connectors.oldkeys import Outcome, StillNeeded
from tongbao_connectors.store.models import ContentKey, DeliveryGap
from tongbao_schemas.encoding import format_time
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

ME = "440000"
OLD, NEW = Keys.of(ME).seal, seal_key("the next one of 440000")
ENDS = NOW + timedelta(days=7)
LATE = ENDS + timedelta(days=15)


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Network]:
    """Two provinces; an alert went to each, sealed to the old key of one, which then gets a new one."""
    network = Network(tmp_path)
    for code, other in (("520000", ME), (ME, "520000")):
        network.province(code).submit(alert(f"from {code}", other))
    network.settle()
    rotate(network)
    network.settle()
    yield network
    database.close()


def rotate(net: Network) -> None:
    """The key has a successor, and ends in a week."""
    save_private(net.folder / ME / "keys" / "seal" / "2.pem", NEW)
    ending = [
        {**record, "valid_until": format_time(ENDS)} if record["kid"] == OLD.kid else record
        for record in net.world.document["keys"]
    ]
    net.change(keys=[*ending, key_json(ME, "seal", NEW, NOW + timedelta(days=1))])


@pytest.fixture
def me(net: Network) -> Province:
    return net.provinces[ME]


@pytest.fixture
def quiet(net: Network, me: Province) -> Province:
    """Weeks later, after a head that says that nothing is missing."""
    net.clock.at = LATE
    net.settle()
    return me


def destroy(province: Province) -> Outcome:
    with province.here():
        net = province.net
        return oldkeys.destroy(province.settings, net.world.directory, net.clock.now())


def here(province: Province) -> set[str]:
    """The kids of the private halves that are left."""
    folder = province.settings.folder / "keys" / "seal"
    return {load_seal_key(path).kid for path in folder.glob("*.pem")}


def refused(province: Province) -> str:
    """Why nothing was destroyed."""
    with pytest.raises(StillNeeded) as caught:
        destroy(province)
    assert OLD.kid in here(province)
    return caught.value.detail


def test_a_key_that_nothing_needs_is_destroyed(quiet: Province) -> None:
    """The one in use stays, and every stored body opens as before; doing it again finds nothing to do."""
    outcome = destroy(quiet)
    again = destroy(quiet)

    assert (outcome.destroyed, outcome.kept) == ((OLD.kid,), {})
    assert here(quiet) == {NEW.kid}
    assert (again.destroyed, again.kept) == ((), {})


@pytest.mark.parametrize(
    ("at", "why"),
    [
        pytest.param(ENDS - timedelta(minutes=1), "senders may use it", id="it still holds"),
        pytest.param(ENDS, "recovery would need it", id="it has just ended"),
        pytest.param(ENDS + timedelta(days=13), "recovery would need it", id="the topics still keep it"),
        pytest.param(LATE, "have arrived", id="no head since then"),
    ],
)
def test_too_early(net: Network, me: Province, at: object, why: str) -> None:
    """What senders use, what recovery reads, and what may be on its way keeps the key."""
    net.clock.at = at  # type: ignore[assignment]

    assert why in refused(me)


def test_a_missing_delivery_keeps_it(quiet: Province) -> None:
    """Nobody knows what a delivery that hasn't come is sealed to."""
    with quiet.here():
        DeliveryGap.objects.create(first=90, last=90, noted_at=LATE, ask_at=LATE)

    assert "have arrived" in refused(quiet)


def test_a_body_that_its_content_key_does_not_open_keeps_it(quiet: Province) -> None:
    """Each is tried: what was received, and what was sent and sealed to oneself as well."""
    with quiet.here():
        ContentKey.objects.update(cek=bytes(32))

    assert refused(quiet).endswith("content keys don't open: 2")


def test_a_purged_body_needs_nothing(quiet: Province) -> None:
    """A purge has deleted the content key, so that nothing may open the body."""
    with quiet.here():
        ContentKey.objects.all().delete()

    assert destroy(quiet).destroyed == (OLD.kid,)


def test_a_key_that_the_directory_does_not_list_stays(quiet: Province) -> None:
    """It may be the next one, of a rotation that was interrupted; the old one goes all the same."""
    orphan = seal_key("of an interrupted rotation")
    save_private(quiet.settings.folder / "keys" / "seal" / "3.pem", orphan)
    outcome = destroy(quiet)

    assert (outcome.destroyed, set(outcome.kept)) == ((OLD.kid,), {orphan.kid})
    assert here(quiet) == {NEW.kid, orphan.kid}


@pytest.mark.parametrize(
    ("life", "waits"),
    [
        pytest.param(timedelta(days=60), True, id="in date: it may be judged again"),
        pytest.param(timedelta(days=20), False, id="expired: nobody waits for it"),
    ],
)
def test_a_refused_record_that_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, life: timedelta, waits: bool
) -> None:
    """Our own fault refused an alert; after the mending it has to be opened."""
    net = Network(tmp_path)
    origin, me = net.province("520000"), net.province(ME)

    def faulty(*_: object, **__: object) -> None:
        raise Refused(Code.BODY_SHAPE)

    with monkeypatch.context() as patch:
        patch.setattr(acceptance, "parse_body", faulty)
        origin.submit(alert("refused", ME, expires_at=format_time(NOW + life)))
        net.settle()
    rotate(net)
    net.clock.at = LATE
    net.settle()
    try:
        if waits:
            assert refused(me).endswith("that may be replayed: 1")
        else:
            assert destroy(me).destroyed == (OLD.kid,)
    finally:
        database.close()
