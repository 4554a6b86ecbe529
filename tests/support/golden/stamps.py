"""Stamps, networks, heads, and what makes exchange and province wait."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.support.golden.case import Family
from tests.support.golden.maker import Maker
from tests.support.golden.network import GD, GZ, STRANGER, successor
from tests.support.world import NOW, Keys
from tongbao_broker.trust.checkpoint import sign_checkpoint
from tongbao_schemas.codes import EXCHANGE
from tongbao_schemas.encoding import b64decode, b64encode
from tongbao_schemas.record import InRecord, OutRecord


def family() -> Family:
    make = Maker("stamps")
    world = make.world
    foreign = replace(world, network="golden-2")
    pretender = replace(world, keys={**world.keys, EXCHANGE: Keys.of("999999")})

    def entered(name: str, **how: Any) -> InRecord:
        """The second of two messages in a batch, so that its proof has something to say."""
        return make.delivery(make.alert(f"{name}, before"), make.alert(name), **how)[1]

    def stamped(record: InRecord, **over: Any) -> InRecord:
        assert record.stamp is not None
        return replace(record, stamp=record.stamp.model_copy(update=over))

    def leaf(record: InRecord, **over: Any) -> InRecord:
        assert record.stamp is not None
        return stamped(record, leaf=record.stamp.leaf.model_copy(update=over))

    def proof(record: InRecord) -> tuple[str, ...]:
        assert record.stamp is not None
        return record.stamp.proof

    def of_another() -> InRecord:
        one, other = make.delivery(make.alert("one"), make.alert("other"))
        return replace(other, stamp=one.stamp)

    def renamed(name: str) -> InRecord:
        """The stamp's leaf names this message, though another one was entered there."""
        one, other = make.delivery(make.alert(f"{name} 1"), make.alert(f"{name} 2"))
        return replace(leaf(one, digest=other.envelope.digest), envelope=other.envelope, body=other.body)

    def bent(record: InRecord) -> InRecord:
        nodes = proof(record)
        return stamped(record, proof=("00" * 32, *nodes[1:]))

    def note(key_name: str) -> str:
        """A checkpoint over the five leaves that were there before, by the exchange or by another key."""
        key = STRANGER.checkpoint if key_name == "another" else world.keys[EXCHANGE].checkpoint
        return sign_checkpoint(world.network, make.tree.size, make.tree.root, key)

    def scratched(record: InRecord) -> InRecord:
        """The right key hash over a signature of nothing."""
        assert record.stamp is not None
        head, _, line = record.stamp.checkpoint.rpartition(" ")
        blob = b64decode(line.removesuffix("\n"))[:4] + bytes(64)
        return stamped(record, checkpoint=f"{head} {b64encode(blob)}\n")

    def mine(name: str, **over: Any) -> OutRecord:
        return make.message(name, "head", EXCHANGE, [GD], **over)

    def unstamped(record: OutRecord) -> InRecord:
        return InRecord(record.envelope, record.body)

    make.acceptance("good-stamp", "An entry in a tree of seven, with its proof.", entered("good"), "accept")
    make.acceptance(
        "stamp-of-another-message", "Whole and true, but of the message before.", of_another(), "TB-215"
    )
    make.acceptance(
        "stamp-renamed",
        "The leaf is made to name this message, so it isn't in the tree.",
        renamed("named"),
        "TB-214",
    )
    make.acceptance("bent-proof", "One node of the proof is replaced.", bent(entered("bent")), "TB-214")
    make.acceptance(
        "short-proof",
        "The proof's last node is missing.",
        stamped(entered("short"), proof=proof(entered("short 2"))[:-1]),
        "TB-214",
    )
    long = entered("long")
    make.acceptance(
        "long-proof",
        "The proof has a node too many.",
        stamped(long, proof=(*proof(long), "00" * 32)),
        "TB-214",
    )
    make.acceptance(
        "smaller-tree",
        "A good checkpoint, but of the tree before this message was entered.",
        stamped(entered("early"), checkpoint=note("exchange")),
        "TB-214",
    )
    make.acceptance(
        "another-index", "The leaf claims another place.", leaf(entered("index"), index=5), "TB-214"
    )
    make.acceptance(
        "another-time",
        "The leaf claims that the entry was an hour earlier.",
        leaf(entered("time"), admitted_at=NOW - timedelta(hours=1)),
        "TB-214",
    )
    make.acceptance(
        "checkpoint-by-another-key",
        "A whole log of somebody who isn't the exchange.",
        entered("pretender", world=pretender),
        "TB-212",
    )
    make.acceptance(
        "checkpoint-scratched",
        "The checkpoint's signature isn't one.",
        scratched(entered("scratched")),
        "TB-212",
    )
    make.acceptance(
        "checkpoint-malformed",
        "A checkpoint without any signature line.",
        stamped(entered("cut"), checkpoint="tongbao/golden\n7\n"),
        "TB-211",
    )
    make.acceptance(
        "checkpoint-of-another-network",
        "Message and key are right, but the log is that of the network golden-2.",
        entered("checkpoint elsewhere", world=foreign),
        "TB-213",
    )
    make.acceptance(
        "message-of-another-network",
        "Entered here, but the message says golden-2.",
        make.alert("message elsewhere", network="golden-2"),
        "TB-302",
    )
    make.admission(
        "sent-from-another-network",
        "A message of golden-2 in golden's topic.",
        make.alert("elsewhere", network="golden-2"),
        "TB-302",
    )
    make.acceptance(
        "no-stamp", "An alert without a stamp was never entered.", unstamped(make.alert("bare")), "TB-210"
    )
    stray = world.record_bytes(entered("field")).replace(b'"delivery_seq":2', b'"delivery_seq":2,"note":1')
    make.acceptance("unknown-stamp-field", "A stamp with a further field.", stray, "TB-210")
    make.acceptance(
        "newer-directory",
        "Entered under version 2, and this province has version 1: it waits.",
        entered("newer", world=replace(successor(world), keys=world.keys)),
        "hold",
    )
    make.acceptance(
        "newer-checkpoint-key",
        "The checkpoint is by a key that only version 2 names: it waits.",
        entered("newer key", world=successor(world)),
        "hold",
    )
    make.acceptance(
        "newer-directory-arrived",
        "The same situation once version 2 is here.",
        entered("newer here", world=successor(world)),
        "accept",
        directory="2",
    )
    make.acceptance(
        "clock-behind",
        "By this province's clock the entry lies 120.001 s ahead: its own clock is wrong, so it waits.",
        entered("behind"),
        "hold",
        at=NOW - timedelta(seconds=120, milliseconds=1),
    )
    make.acceptance(
        "clock-just-behind",
        "120 s ahead is borne.",
        entered("just behind"),
        "accept",
        at=NOW - timedelta(seconds=120),
    )
    make.acceptance(
        "own-directory-expired",
        "This province's directory is out of date: it waits, and refuses nobody.",
        entered("late"),
        "hold",
        at=NOW + timedelta(days=365),
    )
    make.admission(
        "exchanges-directory-expired",
        "The exchange's own directory is out of date: it waits, even with what it would reject.",
        make.alert("late forgery", key=STRANGER.message),
        "hold",
        at=NOW + timedelta(days=365),
    )
    make.acceptance(
        "good-head", "A head of the exchange: signed, not stamped.", unstamped(mine("head")), "head"
    )
    make.acceptance(
        "old-head",
        "A head that has expired says nothing any more.",
        unstamped(mine("old head")),
        "passed",
        at=NOW + timedelta(minutes=10),
    )
    make.acceptance("stamp-on-a-head", "A head is never entered.", mine("stamped head"), "TB-210")
    make.acceptance(
        "forged-head",
        "A head signed by 520000.",
        unstamped(mine("forged head", key=world.keys[GZ].message)),
        "TB-203",
    )
    make.acceptance(
        "head-for-another",
        "A head for 520000.",
        unstamped(make.message("astray", "head", EXCHANGE, [GZ])),
        "TB-415",
    )
    return Family(
        make.family, "Proof of entry, networks, and our own trouble (acceptance 1 and 2).", make.cases
    )
