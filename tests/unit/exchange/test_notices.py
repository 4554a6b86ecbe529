"""What the exchange says itself, and what it takes it to have said without reading it again."""

import pytest

from tests.support.world import NOW, World
from tongbao_broker.exchange.notices import Account, Announcement, Announcer, Place
from tongbao_schemas.codes import EXCHANGE
from tongbao_schemas.header import Header, parse_header
from tongbao_schemas.refusals import Code

GZ = "520000"
WORLD = World.create()
ANNOUNCER = Announcer(WORLD.network, WORLD.keys[EXCHANGE].message)
SUBJECT = parse_header(WORLD.message("alert", GZ, ("440000",)).envelope.payload)
DIGEST = f"sha256:{'0' * 64}"
CHECKPOINT = f"tongbao/{WORLD.network}\n"

SAID: dict[str, Announcement] = {
    "admitted": ANNOUNCER.admitted(SUBJECT, DIGEST, 7, NOW),
    "rejected": ANNOUNCER.rejected(GZ, Place(3, "0" * 64), Code.EXPIRED, NOW, of=SUBJECT.id, digest=DIGEST),
    "a head": ANNOUNCER.head(GZ, Account(1, ((3, 4),), 5, 2), (1, DIGEST), CHECKPOINT, NOW),
}


@pytest.mark.parametrize("name", SAID)
def test_what_is_taken_as_said_is_what_a_reader_finds(name: str) -> None:
    """The header kept at hand has every common field as the signed payload has it."""
    said = SAID[name]

    read = parse_header(said.envelope.payload)

    assert {field: getattr(said.header, field) for field in Header.model_fields} == {
        field: getattr(read, field) for field in Header.model_fields
    }
