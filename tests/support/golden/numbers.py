"""Ids, sequence numbers and times."""

from datetime import timedelta

from tests.support.golden.case import Family
from tests.support.golden.maker import Maker
from tests.support.golden.network import GD, GZ
from tests.support.world import NOW, fields_of
from tongbao_schemas.encoding import format_time

MS = timedelta(milliseconds=1)


def family() -> Family:
    make = Maker("numbers")
    key = make.world.keys[GZ].message
    first = make.alert("first")
    seq, before = fields_of(first)["seq"], (make.earlier("the first alert", first),)
    other_bytes = make.changed(first, lambda fields: fields.update(urgency="flash"), key)
    [delivered, again] = (make.delivery(first)[0], make.delivery(other_bytes)[0])
    entered = (make.earlier("the first alert, delivered", delivered, GD),)

    make.admission(
        "same-bytes-again", "A province sends what it sent before.", first, "duplicate", before=before
    )
    make.admission(
        "id-again", "The same id with other content.", other_bytes, "TB-305", before=before, uses_seq=False
    )
    make.admission(
        "seq-again",
        "Another message with a seq that is taken.",
        make.alert("fork", seq=seq),
        "TB-306",
        before=before,
        uses_seq=False,
    )
    make.admission(
        "gap", "A seq that leaves a gap of five.", make.alert("gap", seq=seq + 600), "admit", before=before
    )
    make.admission(
        "late-seq",
        "A seq below the highest one that nobody has used: it closes its gap.",
        make.alert("late", seq=seq + 500),
        "admit",
        before=(*before, make.earlier("an alert after a gap", make.alert("after", seq=seq + 501))),
    )
    make.admission(
        "seq-zero", "Sequence numbers begin at 1.", make.alert("zero", seq=0), "TB-301", uses_seq=False
    )
    make.admission(
        "no-seq",
        "A province's message without a seq.",
        make.alert("none", seq=None),
        "TB-301",
        uses_seq=False,
    )
    make.admission(
        "expired",
        "It expires at this very moment.",
        make.alert("expired", at=NOW - timedelta(days=30)),
        "TB-308",
        uses_seq=True,
    )
    make.admission(
        "just-valid",
        "It expires in a millisecond.",
        make.alert("old", at=NOW - timedelta(days=30) + MS),
        "admit",
    )
    ahead = NOW + timedelta(seconds=120)
    make.admission(
        "ahead", "Issued 120 s ahead of the exchange's clock.", make.alert("ahead", at=ahead), "admit"
    )
    make.admission(
        "from-the-future",
        "Issued 120.001 s ahead.",
        make.alert("future", at=ahead + MS),
        "TB-307",
        uses_seq=True,
    )
    moment = format_time(NOW)
    make.admission(
        "expires-before-issue",
        "It expires when it is issued.",
        make.alert("backwards", expires_at=moment),
        "TB-301",
        uses_seq=False,
    )
    for name, says, change in (
        (
            "deadlines-not-in-order",
            "First feedback is due before signing.",
            {"first_feedback_by": format_time(NOW + timedelta(hours=1))},
        ),
        (
            "deadline-after-expiry",
            "The result is due after the alert has expired.",
            {"result_by": format_time(NOW + timedelta(days=31))},
        ),
        ("deadline-at-issue", "Signing is due at the moment of issue.", {"sign_by": moment}),
    ):
        bent = make.changed(make.alert(name), lambda fields, over=change: fields["deadlines"].update(over))  # type: ignore[misc]
        make.admission(name, says, bent, "TB-309", uses_seq=False)
    make.admission(
        "no-deadlines",
        "An alert without deadlines.",
        make.alert("no deadlines", deadlines=None),
        "TB-301",
        uses_seq=False,
    )
    for name, says, written in (
        ("time-with-offset", "A time with an offset instead of Z.", moment.replace("Z", "+00:00")),
        ("time-without-milliseconds", "A time without milliseconds.", moment.replace(".000Z", "Z")),
        ("time-with-microseconds", "A time with six decimals.", moment.replace(".000Z", ".000000Z")),
        ("leap-second", "There are no leap seconds here.", "2026-11-22T23:59:60.000Z"),
        ("no-such-day", "A day that doesn't exist.", "2026-02-29T00:00:00.000Z"),
    ):
        make.admission(name, says, make.alert(name, issued_at=written), "TB-301", uses_seq=False)
    upper = make.alert("upper")
    name = fields_of(upper)["id"]
    make.admission(
        "id-in-capitals",
        "Ids are lower case.",
        make.changed(upper, lambda fields: fields.update(id=name.upper(), thread=name.upper())),
        "TB-301",
        uses_seq=False,
    )
    version_4 = name[:14] + "4" + name[15:]
    make.admission(
        "id-of-version-4",
        "An id must be a UUID of version 7.",
        make.changed(make.alert("random"), lambda fields: fields.update(id=version_4, thread=version_4)),
        "TB-301",
        uses_seq=False,
    )
    make.acceptance(
        "delivered-again", "The exchange repeats a delivery.", delivered, "duplicate", before=entered
    )
    make.acceptance(
        "delivered-id-again",
        "The same id with other content, entered and stamped.",
        again,
        "TB-305",
        before=entered,
    )
    make.acceptance(
        "expired-under-way",
        "This province was away for five weeks: what was good at its entry is accepted.",
        make.alert("five weeks"),
        "accept",
        at=NOW + timedelta(days=35),
    )
    make.acceptance(
        "expired-at-entry",
        "It had expired when it was entered.",
        make.alert("stale", at=NOW - timedelta(days=30)),
        "TB-308",
    )
    return Family(
        make.family, "Ids, sequence numbers and times (steps 8 to 10 and acceptance 3 and 4).", make.cases
    )
