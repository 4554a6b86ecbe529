"""What notices and heads do to own messages."""

from datetime import timedelta

import pytest

from tests.support.world import NOW
from tongbao_connectors import settling
from tongbao_connectors.store.models import Incident, Message, Outbox, ReleasedSeq
from tongbao_schemas.header import DirectoryState, HeadContent, RecordPlace, RejectedNotice
from tongbao_schemas.identifiers import new_id

pytestmark = pytest.mark.usefixtures("connector_database")


def sent(seq: int, state: str = "published", **over: object) -> Outbox:
    """An own alert on its way."""
    message_id = new_id(NOW)
    message = Message.objects.create(
        origin="520000",
        message_id=message_id,
        thread=message_id,
        type="alert",
        status="exercise",
        digest="sha256:" + "1" * 64,
        audience="440000",
        schema="alert/1.0",
        issued_at=NOW,
        expires_at=NOW,
        stored_at=NOW,
    )
    return Outbox.objects.create(message=message, seq=seq, state=state, record_sha256=f"{seq:064x}", **over)


def head(settled_seq: int, *holes: tuple[int, int], minutes: int = 0, delivery_seq: int = 0) -> HeadContent:
    return HeadContent(
        at=NOW + timedelta(minutes=minutes),
        settled_seq=settled_seq,
        holes=holes,
        out_next_offset=0,
        delivery_seq=delivery_seq,
        directory=DirectoryState(version=1, digest="sha256:" + "0" * 64),
        checkpoint="",
    )


def rejected(row: Outbox, code: str = "TB-204", *, named: bool = True) -> RejectedNotice:
    return RejectedNotice(
        kind="rejected",
        at=NOW,
        code=code,
        record=RecordPlace(offset=0, sha256=row.record_sha256),
        of=row.message.message_id if named else None,
    )


def states() -> dict[int, str]:
    return dict(Outbox.objects.order_by("seq").values_list("seq", "state"))


@pytest.mark.parametrize(
    ("settled_seq", "holes", "expected"),
    [
        pytest.param(0, [], set(), id="nothing taken yet"),
        pytest.param(3, [], {1, 2, 3}, id="up to a number"),
        pytest.param(1, [(2, 2)], {1}, id="a hole, and nothing certain beyond"),
        pytest.param(1, [(2, 2), (4, 4)], {1, 3}, id="between two holes"),
        pytest.param(0, [(1, 1), (5, 5)], {2, 3, 4}, id="between holes from the start"),
    ],
)
def test_a_head_settles_what_it_counts_as_used(
    settled_seq: int, holes: list[tuple[int, int]], expected: set[int]
) -> None:
    """Up to the settled number and between holes; beyond the last hole it says nothing."""
    for seq in range(1, 6):
        sent(seq)
    settling.apply_head(head(settled_seq, *holes), NOW)

    assert {seq for seq, state in states().items() if state == "settled"} == expected


def test_an_older_head_says_nothing_any_more() -> None:
    """A head that was held up must not undo what a newer one said."""
    sent(1)
    settling.apply_head(head(0, minutes=1), NOW)
    settling.apply_head(head(1, minutes=0), NOW)

    assert states() == {1: "published"}


@pytest.mark.parametrize(
    "stale",
    [
        pytest.param(head(0, minutes=1, delivery_seq=5), id="of what was settled"),
        pytest.param(head(1, minutes=1, delivery_seq=4), id="of what was delivered"),
    ],
)
def test_a_younger_head_that_says_less_releases_nothing(stale: HeadContent) -> None:
    """A relay that was frozen tells the past in the present: the seq it calls unused has been used up."""
    row = sent(2)
    settling.apply_head(head(1, delivery_seq=5), NOW)
    settling.reject(rejected(row), NOW)
    settling.apply_head(stale, NOW)

    assert not ReleasedSeq.objects.exists()


@pytest.mark.parametrize(
    ("settled_seq", "holes", "expected"),
    [
        pytest.param(1, [], [2], id="above everything used"),
        pytest.param(1, [(2, 2)], [2], id="in a hole"),
        pytest.param(2, [], [], id="used up"),
        pytest.param(0, [(1, 1)], [], id="perhaps used: beyond the last hole"),
        pytest.param(1, [(2, 2**53 - 1)], [], id="perhaps used: in a hole whose end isn't listed"),
    ],
)
def test_a_rejected_seq_is_released_only_when_it_is_certainly_unused(
    settled_seq: int, holes: list[tuple[int, int]], expected: list[int]
) -> None:
    """Using it twice would be a fork; waiting for the next head costs nothing."""
    row = sent(2)
    settling.reject(rejected(row), NOW)
    settling.apply_head(head(settled_seq, *holes), NOW)

    assert list(ReleasedSeq.objects.values_list("seq", flat=True)) == expected


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("state", ["sealed", "published", "settled"])
def test_a_rejected_message_ends_with_its_code(state: str, named: bool) -> None:
    """Found by its id, or by its record's hash where the exchange couldn't read it; however late."""
    row = sent(1, state)

    assert settling.reject(rejected(row, named=named), NOW)
    row.refresh_from_db()
    assert (row.state, row.code) == ("rejected", "TB-204")
    assert not settling.reject(rejected(row, named=named), NOW)


@pytest.mark.parametrize(("code", "expected"), [("TB-306", 1), ("TB-305", 1), ("TB-204", 0)])
def test_a_fork_is_an_incident(code: str, expected: int) -> None:
    """A seq or id that somebody else used in our name is more than a rejected message."""
    settling.reject(rejected(sent(1), code), NOW)

    assert Incident.objects.count() == expected


def test_an_admitted_message_is_settled() -> None:
    """Sealed or published; what was rejected stays rejected."""
    rows = [sent(1, "sealed"), sent(2), sent(3, "rejected")]
    settled = settling.settle([row.message.message_id for row in rows], NOW)

    assert settled == 2
    assert states() == {1: "settled", 2: "settled", 3: "rejected"}
