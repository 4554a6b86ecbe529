"""Root and directory: how they come to be trusted, and what they then say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.world import (
    NETWORK,
    NOW,
    World,
    agreement_json,
    key_json,
    key_set_json,
    participant_json,
    root_json,
    seal_key,
    signing_key,
)
from tongbao_broker.trust import dsse
from tongbao_broker.trust.directory import (
    Trust,
    TrustFile,
    load_trust,
    parse_root_file,
    parse_trust_file,
    verify_directory,
    verify_root,
)
from tongbao_broker.trust.keys import SigningKey
from tongbao_schemas.codes import Category, Handling, MessageType
from tongbao_schemas.documents import Agreement, Floor
from tongbao_schemas.encoding import compact_json, format_time
from tongbao_schemas.envelope import DIRECTORY_TYPE, ROOT_TYPE, Envelope
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

WORLD = World.create()
ROOT_KEYS, DIRECTORY_KEYS = list(WORLD.root_keys), list(WORLD.directory_keys)
STRANGERS = [signing_key(f"stranger {index}") for index in range(5)]
DAY = timedelta(days=1)


def root(signers: Sequence[SigningKey] = ROOT_KEYS[:3], **over: Any) -> Envelope:
    """A root signed by these keys."""
    return dsse.sign(compact_json({**root_json(WORLD), **over}), ROOT_TYPE, signers)


def directory(signers: Sequence[SigningKey] = DIRECTORY_KEYS[:2], **over: Any) -> Envelope:
    """A directory signed by these keys."""
    return dsse.sign(compact_json({**WORLD.document, **over}), DIRECTORY_TYPE, signers)


def load(
    roots: Sequence[Envelope] = (),
    signed: Envelope | None = None,
    pinned: Envelope | None = None,
    **over: Any,
) -> Trust:
    file = TrustFile(tuple(roots) or (root(),), signed or directory())
    return load_trust(file, pinned or root(), **{"network": NETWORK, "now": NOW, **over})


NEW_ROOT_KEYS = STRANGERS[:5]
ROTATED = {"version": 2, "root_keys": key_set_json(NEW_ROOT_KEYS, 3)}
OLD_AND_NEW = ROOT_KEYS[:3] + NEW_ROOT_KEYS[:3]


def test_a_good_chain_is_trusted() -> None:
    """From the pinned root through a rotated one to the directory under it."""
    trust = load([root(), root(OLD_AND_NEW, **ROTATED)])

    assert (trust.root.version, trust.directory.version) == (2, 1)
    assert trust.directory.digest == directory().digest


def test_a_pinned_root_newer_than_the_files_counts() -> None:
    """Roots in a file that aren't newer than the pinned one are passed over, even unsigned ones."""
    pinned = root(NEW_ROOT_KEYS[:3], **ROTATED)

    assert load([root([]), root([], version=2)], pinned=pinned).root.version == 2


def test_three_rotations_are_followed_one_by_one() -> None:
    """Each root is judged by the one before it, so a reader may have missed several."""
    third = root(NEW_ROOT_KEYS[:3] + ROOT_KEYS[:3], version=3)

    assert load([root(OLD_AND_NEW, **ROTATED), third]).root.version == 3


def test_an_expired_root_may_lie_within_the_chain() -> None:
    """Only the last root of a chain has to be fresh."""
    old = root(expires_at=format_time(NOW - timedelta(hours=1)))

    assert load([old, root(OLD_AND_NEW, **ROTATED)], pinned=old).root.version == 2


SMALL_ORDER = {
    "kid": "01d0fabd251fcbbe2b93b4b927b26ad2a1a99077152e45ded1e678afa45dbec5",
    "public": "01" + "00" * 31,
}


@dataclass(frozen=True)
class Bad:
    """Something to load that must be refused."""

    load: Callable[[], Trust]
    code: Code


BAD = {
    "root signed by two of three": Bad(lambda: load(pinned=root(ROOT_KEYS[:2])), Code.THRESHOLD_NOT_MET),
    "root signed by one key three times": Bad(
        lambda: load(pinned=root([ROOT_KEYS[0]] * 3)), Code.THRESHOLD_NOT_MET
    ),
    "root signed by strangers": Bad(lambda: load(pinned=root(STRANGERS[:3])), Code.THRESHOLD_NOT_MET),
    "rotation without the old keys": Bad(
        lambda: load([root(NEW_ROOT_KEYS[:3], **ROTATED)]), Code.THRESHOLD_NOT_MET
    ),
    "rotation without the new keys": Bad(
        lambda: load([root(ROOT_KEYS[:3], **ROTATED)]), Code.THRESHOLD_NOT_MET
    ),
    "rotation with too few old keys": Bad(
        lambda: load([root(ROOT_KEYS[:2] + NEW_ROOT_KEYS[:3], **ROTATED)]), Code.THRESHOLD_NOT_MET
    ),
    "rotation with too few new keys": Bad(
        lambda: load([root(ROOT_KEYS[:3] + NEW_ROOT_KEYS[:2], **ROTATED)]), Code.THRESHOLD_NOT_MET
    ),
    "next root of another network": Bad(
        lambda: load([root(OLD_AND_NEW, **ROTATED, network="demo")]), Code.DOCUMENT_NETWORK
    ),
    "root of another network": Bad(lambda: load(network="cn"), Code.DOCUMENT_NETWORK),
    "root in the directory's slot": Bad(lambda: load(signed=root()), Code.PAYLOAD_TYPE),
    "directory in the root's slot": Bad(lambda: load(pinned=directory()), Code.PAYLOAD_TYPE),
    "root with an unknown field": Bad(lambda: load(pinned=root(more=1)), Code.DOCUMENT_SHAPE),
    "root that is no JSON": Bad(
        lambda: load(pinned=dsse.sign(b"[]", ROOT_TYPE, ROOT_KEYS)), Code.NOT_ONE_JSON_OBJECT
    ),
    "root key under another's name": Bad(
        lambda: load(
            pinned=root(
                root_keys={
                    "threshold": 1,
                    "keys": [{"kid": ROOT_KEYS[0].keyid, "public": ROOT_KEYS[1].public.hex()}],
                }
            )
        ),
        Code.DOCUMENT_SHAPE,
    ),
    "root key of small order": Bad(
        lambda: load(pinned=root(root_keys={"threshold": 1, "keys": [SMALL_ORDER]})), Code.SMALL_ORDER_KEY
    ),
    "directory key of small order": Bad(
        lambda: load(pinned=root(directory_keys={"threshold": 1, "keys": [SMALL_ORDER]})),
        Code.SMALL_ORDER_KEY,
    ),
    "root older than one seen": Bad(lambda: load(minimum_root=2), Code.DOCUMENT_ROLLED_BACK),
    "expired root": Bad(lambda: load(now=NOW + 365 * DAY), Code.DOCUMENT_EXPIRED),
    "directory signed by one of two": Bad(
        lambda: load(signed=directory(DIRECTORY_KEYS[:1])), Code.THRESHOLD_NOT_MET
    ),
    "directory signed by one key twice": Bad(
        lambda: load(signed=directory([DIRECTORY_KEYS[1]] * 2)), Code.THRESHOLD_NOT_MET
    ),
    "directory signed by root keys": Bad(
        lambda: load(signed=directory(ROOT_KEYS[:3])), Code.THRESHOLD_NOT_MET
    ),
    "directory under keys that the new root dropped": Bad(
        lambda: load([root(OLD_AND_NEW, **ROTATED, directory_keys=key_set_json(STRANGERS[:3], 2))]),
        Code.THRESHOLD_NOT_MET,
    ),
    "directory of another network": Bad(
        lambda: load(signed=directory(network="demo")), Code.DOCUMENT_NETWORK
    ),
    "directory older than one seen": Bad(lambda: load(minimum_version=2), Code.DOCUMENT_ROLLED_BACK),
    "expired root under a fresh directory": Bad(
        lambda: load([root(expires_at=format_time(NOW))], pinned=root(expires_at=format_time(NOW))),
        Code.DOCUMENT_EXPIRED,
    ),
    "expired directory": Bad(
        lambda: load(signed=directory(expires_at=format_time(NOW))), Code.DOCUMENT_EXPIRED
    ),
    "directory with an unknown field": Bad(lambda: load(signed=directory(more=1)), Code.DOCUMENT_SHAPE),
    "directory with a participant twice": Bad(
        lambda: load(signed=directory(participants=[participant_json("520000")] * 2)), Code.DOCUMENT_SHAPE
    ),
    "key under another's name": Bad(
        lambda: load(
            signed=directory(
                keys=[key_json("520000", "message", signing_key("a"), NOW, kid=signing_key("b").keyid)]
            )
        ),
        Code.DOCUMENT_SHAPE,
    ),
    "message key of small order": Bad(
        lambda: load(
            signed=directory(keys=[key_json("520000", "message", signing_key("a"), NOW, **SMALL_ORDER)])
        ),
        Code.SMALL_ORDER_KEY,
    ),
    "seal key of small order": Bad(
        lambda: load(signed=directory(keys=[key_json("520000", "seal", seal_key("a"), NOW, **SMALL_ORDER)])),
        Code.SMALL_ORDER_KEY,
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_anything_less_is_refused(name: str) -> None:
    """Each way of forging, bending or withholding a document has its code."""
    with pytest.raises(Refused) as refused:
        BAD[name].load()

    assert refused.value.code is BAD[name].code


def test_a_directory_expires_at_its_very_end() -> None:
    """One millisecond before `expires_at` it still counts."""
    signed = directory(expires_at=format_time(NOW + timedelta(milliseconds=1)))

    assert load(signed=signed).directory.version == 1


def test_an_expired_directory_is_there_for_a_reader_that_waits() -> None:
    """Who holds its stream until a newer directory comes has to know the one it had."""
    trust = load(now=NOW + 400 * DAY, allow_expired=True)

    assert trust.directory.expired(NOW + 400 * DAY)
    assert not trust.directory.expired(NOW)


def test_a_directory_ends_with_its_root() -> None:
    """Under a root that expires first, the directory holds no longer than the root."""
    ending = root(expires_at=format_time(NOW + DAY))
    held = load(pinned=ending, now=NOW + 2 * DAY, allow_expired=True).directory

    assert held.expires_at == NOW + DAY
    assert [held.expired(NOW + DAY - timedelta(milliseconds=1)), held.expired(NOW + DAY)] == [False, True]


def test_the_highest_version_seen_may_come_again() -> None:
    """The same version is no rollback: it is read anew at each start."""
    trust = load(signed=directory(version=7), minimum_version=7, minimum_root=1)

    assert trust.directory.version == 7


def test_a_root_never_follows_itself() -> None:
    """A successor has a higher version than what it succeeds, whoever signed it."""
    trusted = verify_root(root(), network=NETWORK)
    with pytest.raises(Refused) as refused:
        verify_root(root(issued_at=format_time(NOW)), network=NETWORK, trusted=trusted)

    assert refused.value.code is Code.DOCUMENT_ROLLED_BACK


def test_further_signatures_do_no_harm() -> None:
    """Signatures by keys outside the set are passed over; a rotation carries both sets."""
    assert load([root()], directory([STRANGERS[0], *DIRECTORY_KEYS])).directory.version == 1


def test_a_trust_file_reads_back() -> None:
    """What is written to the file, or to exchange.directory.v1, is read as it was."""
    file = TrustFile((root(), root(OLD_AND_NEW, **ROTATED)), directory())

    assert parse_trust_file(file.encode()) == file
    assert parse_root_file(compact_json(root().as_json())) == root()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", Code.NOT_ONE_JSON_OBJECT),
        (b"{}", Code.DOCUMENT_SHAPE),
        (b'{"roots":[],"directory":{},"more":1}', Code.DOCUMENT_SHAPE),
        (b'{"roots":{},"directory":{}}', Code.DOCUMENT_SHAPE),
        (b'{"roots":[],"directory":{}}', Code.ENVELOPE_SHAPE),
        (b'{"roots":[1],"directory":{}}', Code.ENVELOPE_SHAPE),
    ],
)
def test_a_trust_file_of_another_shape_is_refused(data: bytes, code: Code) -> None:
    """A file that isn't one is said to be none, before anything is verified."""
    with pytest.raises(Refused) as refused:
        parse_trust_file(data)

    assert refused.value.code is code


# What a directory says.


def seal_record(name: str, valid_from: datetime, valid_until: datetime, **over: Any) -> dict[str, Any]:
    times = {"valid_from": format_time(valid_from), "valid_until": format_time(valid_until)}
    return key_json("440000", "seal", seal_key(name), NOW, **times, **over)


SEAL_KEYS = [
    seal_record("old", NOW - 9 * DAY, NOW + 2 * DAY),
    seal_record("new", NOW, NOW + 9 * DAY),
    seal_record("leaked", NOW + DAY, NOW + 9 * DAY, compromised_since=format_time(NOW + 3 * DAY)),
]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param(NOW - timedelta(milliseconds=1), "old", id="before the new one begins"),
        pytest.param(NOW, "new", id="when the new one begins"),
        pytest.param(NOW + DAY, "leaked", id="newest while it is good"),
        pytest.param(NOW + 3 * DAY, "new", id="once the newest has leaked"),
        pytest.param(NOW + 9 * DAY, None, id="when all have ended"),
        pytest.param(NOW - 10 * DAY, None, id="before any began"),
    ],
)
def test_bodies_are_sealed_to_the_newest_good_key(at: datetime, expected: str | None) -> None:
    """Seal keys rotate with an overlap: the newest that is in its time and not compromised is used."""
    named = WORLD.changed(keys=SEAL_KEYS).directory
    if expected is None:
        with pytest.raises(Refused) as refused:
            named.seal_recipient("440000", at)
        assert refused.value.code is Code.SEAL_KEY_NOT_VALID
    else:
        assert named.seal_recipient("440000", at).kid == seal_key(expected).kid


def test_only_the_exchanges_keys_sign_checkpoints() -> None:
    """A checkpoint key of a province, one out of its time and one compromised count for nothing."""
    past = {"valid_until": format_time(NOW)}
    leaked = {"compromised_since": format_time(NOW)}
    keys = [
        key_json("100000", "checkpoint", signing_key("good"), NOW),
        key_json("100000", "checkpoint", signing_key("past"), NOW, **past),
        key_json("100000", "checkpoint", signing_key("leaked"), NOW, **leaked),
        key_json("520000", "checkpoint", signing_key("province"), NOW),
        key_json("100000", "message", signing_key("message"), NOW),
    ]

    assert WORLD.changed(keys=keys).directory.checkpoint_keys(NOW) == (signing_key("good").public,)


def test_participants_are_active_or_not() -> None:
    """Suspended and left participants stay listed, but aren't active."""
    named = WORLD.changed(
        participants=[
            participant_json("440000"),
            participant_json("330000", "suspended"),
            participant_json("520000", "left"),
        ]
    ).directory

    assert named.active_codes() == ("440000",)
    assert [named.is_active(code) for code in ("440000", "330000", "520000", "110000")] == [
        True,
        False,
        False,
        False,
    ]
    assert named.participant("330000") is not None
    assert named.participant("110000") is None


@pytest.mark.parametrize(
    ("keyid", "code"),
    [
        pytest.param("0" * 64, Code.KEY_UNKNOWN, id="unknown"),
        pytest.param(WORLD.keys["440000"].seal.kid, Code.KEY_USE, id="a seal key"),
        pytest.param(WORLD.keys["100000"].checkpoint.keyid, Code.KEY_USE, id="the checkpoint key"),
    ],
)
def test_only_message_keys_sign_messages(keyid: str, code: Code) -> None:
    """One key has one use."""
    with pytest.raises(Refused) as refused:
        WORLD.directory.message_key(keyid)

    assert refused.value.code is code


AGREEMENT = agreement_json(
    ["330000", "440000", "520000"],
    NOW,
    categories=["online"],
    types=["alert", "receipt"],
    handling=["H1"],
    valid_from=format_time(NOW),
    valid_until=format_time(NOW + DAY),
)
FLOOR = {
    "categories": ["manufacturing"],
    "types": ["alert"],
    "handling": ["H0"],
    "valid_from": format_time(NOW),
    "valid_until": format_time(NOW + DAY),
}
Question = tuple[str, str, Category | None, MessageType, Handling | None, datetime]
ALERT, ONLINE, H1 = MessageType.ALERT, Category.ONLINE, Handling.H1
MANUFACTURING, H0 = Category.MANUFACTURING, Handling.H0


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        pytest.param(("520000", "440000", ONLINE, ALERT, H1, NOW), Agreement, id="agreed"),
        pytest.param(("440000", "520000", ONLINE, ALERT, H1, NOW), Agreement, id="the other way round"),
        pytest.param(("520000", "110000", ONLINE, ALERT, H1, NOW), None, id="no party"),
        pytest.param(("110000", "520000", ONLINE, ALERT, H1, NOW), None, id="origin no party"),
        pytest.param(("520000", "440000", MANUFACTURING, ALERT, H1, NOW), None, id="category"),
        pytest.param(("520000", "440000", ONLINE, MessageType.UPDATE, H1, NOW), None, id="type"),
        pytest.param(("520000", "440000", ONLINE, ALERT, H0, NOW), None, id="handling"),
        pytest.param(("520000", "440000", ONLINE, ALERT, H1, NOW - DAY), None, id="before"),
        pytest.param(("520000", "440000", ONLINE, ALERT, H1, NOW + DAY), None, id="at its end"),
        pytest.param(
            ("520000", "440000", ONLINE, ALERT, H1, NOW + DAY - timedelta(milliseconds=1)),
            Agreement,
            id="just before its end",
        ),
        pytest.param(
            ("520000", "440000", None, MessageType.RECEIPT, None, NOW),
            Agreement,
            id="receipt: type and parties",
        ),
        pytest.param(("520000", "440000", None, MessageType.HEAD, None, NOW), None, id="type not agreed"),
        pytest.param(("520000", "110000", MANUFACTURING, ALERT, H0, NOW), Floor, id="floor"),
        pytest.param(("520000", "110000", MANUFACTURING, ALERT, H1, NOW), None, id="floor, other handling"),
        pytest.param(("520000", "110000", MANUFACTURING, ALERT, H0, NOW + DAY), None, id="floor over"),
    ],
)
def test_what_is_agreed(question: Question, expected: type | None) -> None:
    """An agreement or the statutory floor allows a message by parties, category, type, handling and time."""
    found = WORLD.changed(agreements=[AGREEMENT], floor=FLOOR).directory.agreement(*question)

    assert type(found) is (expected or type(None))


def test_an_agreement_comes_before_the_floor() -> None:
    """Where both allow it, the agreement's deadlines count."""
    wide = agreement_json(["440000", "520000"], NOW)
    named = WORLD.changed(agreements=[wide], floor=FLOOR).directory

    assert isinstance(named.agreement("520000", "440000", MANUFACTURING, ALERT, H0, NOW), Agreement)


def test_the_second_of_two_agreements_counts_too() -> None:
    """Between the same two, any agreement in force is enough."""
    wide = agreement_json(["440000", "520000"], NOW)
    named = WORLD.changed(agreements=[AGREEMENT, wide]).directory
    found = named.agreement("520000", "440000", MANUFACTURING, ALERT, H0, NOW)

    assert isinstance(found, Agreement)
    assert found.id == wide["id"]


def test_without_floor_nothing_is_statutory() -> None:
    """The floor holds only where the directory has one."""
    named = WORLD.changed(agreements=[]).directory

    assert named.agreement("520000", "440000", MANUFACTURING, ALERT, H0, NOW) is None


def test_a_directory_is_signed_under_the_root_given() -> None:
    """The same directory is none under a root that names other directory keys."""
    other = verify_root(root(directory_keys=key_set_json(STRANGERS[:3], 2)), network=NETWORK)
    with pytest.raises(Refused) as refused:
        verify_directory(directory(), other, network=NETWORK)

    assert refused.value.code is Code.THRESHOLD_NOT_MET
