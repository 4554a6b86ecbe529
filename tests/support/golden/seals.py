"""Sealed bodies."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tests.support.golden import gcm
from tests.support.golden.case import Family
from tests.support.golden.maker import ALERT_BODY, Maker, seal_as, seed, wrap
from tests.support.golden.network import GD, OUTDATED_SEAL, STRANGER, ZJ
from tests.support.world import Json, fields_of
from tongbao_broker.trust.keys import SealKey
from tongbao_broker.trust.sealing import Recipient, SealContext
from tongbao_schemas.encoding import b64decode, b64encode, digest, sha256_hex
from tongbao_schemas.record import OutRecord

SALT = seed("salt of a bent plaintext")


def family() -> Family:
    make = Maker("seals")
    keys = make.world.keys

    def case(name: str, says: str, record: OutRecord, expected: str) -> None:
        """What the exchange can see, and so reject; a province sees it as well."""
        make.admission(name, says, record, expected)
        make.acceptance(f"{name}-delivered", f"The same, delivered. {says}", record, expected)

    def unseen(name: str, says: str, record: OutRecord, expected: str = "TB-234") -> None:
        """What only the holder of a key can see: the exchange admits it."""
        make.admission(f"{name}-sent", f"The exchange can't see this. {says}", record, "admit")
        make.acceptance(name, says, record, expected)

    def sealed(name: str, change: Callable[[Json], Any], audience: tuple[str, ...] = (ZJ, GD)) -> OutRecord:
        """An alert to both with its `sealed` changed."""
        return make.changed(make.alert(name, audience=audience), lambda fields: change(fields["sealed"]))

    def own(key: SealKey, name: str) -> OutRecord:
        """An alert whose wrap for 440000 is made, correctly, for another key."""
        record = make.alert(name)
        fields = fields_of(record)
        recipient = Recipient(GD, key.kid, key.public)
        bound = SealContext.of(fields).bound(fields["sealed"]["content_digest"])
        fields["sealed"]["to"][0] = wrap(name, seed(f"cek seals {name}"), recipient, bound)
        return make.signed(fields, record.body)

    def flip(record: OutRecord, at: int) -> OutRecord:
        assert record.body is not None
        return replace(record, body=record.body[:at] + bytes([record.body[at] ^ 1]) + record.body[at + 1 :])

    def fitted(record: OutRecord) -> OutRecord:
        """The header says what the ciphertext is now."""
        assert record.body is not None
        facts = {"ct_sha256": sha256_hex(record.body), "ct_size": len(record.body)}
        return make.changed(record, lambda fields: fields["sealed"].update(facts))

    def rewrapped(name: str, change: Callable[[bytes], bytes]) -> OutRecord:
        def bend(fields: Json) -> None:
            first = fields["sealed"]["to"][0]
            first["wrap"] = b64encode(change(b64decode(first["wrap"])))

        return make.changed(make.alert(name), bend)

    make.acceptance(
        "good-seal",
        "Sealed to 330000, 440000 and 520000; 440000 opens it.",
        make.alert("good", audience=(ZJ, GD)),
        "accept",
    )
    make.acceptance(
        "good-seal-other",
        "330000 opens the same message.",
        make.alert("good 2", audience=(ZJ, GD)),
        "accept",
        by=ZJ,
    )
    case(
        "extra-wrap",
        "A fourth wrap, for somebody the header doesn't name.",
        sealed("extra", lambda seal: seal["to"].insert(2, {**seal["to"][0], "code": "450000"})),
        "TB-230",
    )
    case("missing-wrap", "No wrap for 330000.", sealed("missing", lambda seal: seal["to"].pop(0)), "TB-230")
    case(
        "no-wrap-for-origin",
        "No wrap for the origin.",
        sealed("own", lambda seal: seal["to"].pop()),
        "TB-230",
    )
    case(
        "foreign-wrap",
        "330000's wrap is replaced by one for 610000.",
        sealed("foreign", lambda seal: seal["to"][0].update(code="610000")),
        "TB-230",
    )
    case("wraps-in-another-order", "All wraps, the first two swapped.", sealed("order", _swap), "TB-230")
    case(
        "wrap-twice",
        "440000's wrap twice.",
        sealed("twice", lambda seal: seal["to"].insert(1, seal["to"][1])),
        "TB-230",
    )
    case(
        "expired-wrap",
        "Sealed to a key of 440000 whose period has ended.",
        own(OUTDATED_SEAL, "expired"),
        "TB-231",
    )
    case(
        "unknown-seal-key",
        "Sealed to a key that the directory doesn't list.",
        own(STRANGER.seal, "unknown"),
        "TB-231",
    )
    case(
        "another-owners-seal-key", "440000's wrap is for 330000's key.", own(keys[ZJ].seal, "other"), "TB-231"
    )
    case(
        "message-key-in-seal",
        "A wrap names 440000's message key.",
        sealed("message", lambda seal: seal["to"][1].update(kid=keys[GD].message.keyid)),
        "TB-231",
    )
    case("body-missing", "The ciphertext isn't there.", replace(make.alert("no body"), body=None), "TB-232")
    case("flipped-bit", "One bit of the ciphertext.", flip(make.alert("flipped"), 100), "TB-233")
    record = make.alert("longer")
    case(
        "longer-ciphertext",
        "A byte follows the ciphertext.",
        replace(record, body=(record.body or b"") + b"\0"),
        "TB-233",
    )
    case("short-wrap", "A wrap of 79 bytes.", rewrapped("short", lambda raw: raw[:-1]), "TB-301")
    case(
        "ragged-size",
        "A size that is no whole number of blocks.",
        sealed("ragged", lambda seal: seal.update(ct_size=4113)),
        "TB-301",
    )
    case(
        "unknown-suite",
        "Another suite.",
        sealed("suite", lambda seal: seal.update(suite="X25519-SHA256-A128GCM")),
        "TB-301",
    )
    unseen(
        "flipped-bit-signed",
        "One bit of the ciphertext, and the header says so.",
        fitted(flip(make.alert("flipped 2"), 100)),
    )
    unseen(
        "flipped-tag-signed",
        "One bit of the tag, and the header says so.",
        fitted(flip(make.alert("flipped 3"), 4100)),
    )
    unseen(
        "bent-wrap",
        "One bit of 440000's wrap.",
        rewrapped("bent", lambda raw: raw[:-1] + bytes([raw[-1] ^ 1])),
    )
    unseen(
        "small-order-wrap",
        "The encapsulated key is a point of small order.",
        rewrapped("small", lambda raw: bytes(32) + raw[32:]),
    )
    unseen(
        "wrong-commitment",
        "The commitment is another.",
        sealed("commit", lambda seal: seal.update(commit="00" * 32)),
    )
    unseen(
        "another-content-digest",
        "The content digest is another; it is bound into everything, so nothing opens.",
        sealed("digest", lambda seal: seal.update(content_digest=digest(b"another"))),
    )
    unseen(
        "two-keys",
        "One ciphertext that AES-GCM opens under two keys: 330000 was given the one that the commitment fits,"
        " 440000 the other.",
        _two_keys(make),
    )
    _copied(make)
    unseen(
        "hidden-bytes",
        "A byte hidden in the padding.",
        _plain(make, "hidden", _frame(ALERT_BODY)[:-1] + b"\1"),
    )
    unseen(
        "block-too-many",
        "A block of padding too many.",
        _plain(make, "block", _frame(ALERT_BODY) + bytes(4096)),
    )
    unseen(
        "length-beyond",
        "The body's length lies beyond the end.",
        _plain(make, "length", SALT + b"\xff\xff\xff\xff" + bytes(4060)),
    )
    return Family(make.family, "Sealed bodies (step 14, acceptance 3 and 6).", make.cases)


def _swap(seal: Json) -> None:
    seal["to"][0], seal["to"][1] = seal["to"][1], seal["to"][0]


def _copied(make: Maker) -> None:
    original = make.alert("copied")
    fields, taken = fields_of(make.alert("copy", ZJ)), fields_of(original)["sealed"]
    own = {"code": ZJ, "kid": make.world.keys[ZJ].seal.kid, "wrap": taken["to"][1]["wrap"]}
    copy = make.signed({**fields, "sealed": taken}, original.body, make.world.keys[ZJ].message)
    make.admission(
        "copied-seal-as-it-is",
        "330000 signs 520000's sealed body, as it is, under a header of its own.",
        copy,
        "TB-230",
        by=ZJ,
    )
    says = "330000 signs 520000's sealed body under its own header and puts its code into the origin's wrap."
    copy = make.signed(
        {**fields, "id": fields["id"][:-1] + "0", "thread": fields["id"][:-1] + "0", "seq": fields["seq"] + 1}
        | {"sealed": {**taken, "to": [taken["to"][0], own]}},
        original.body,
        make.world.keys[ZJ].message,
    )
    make.admission("copied-seal-sent", f"The exchange can't see this. {says}", copy, "admit", by=ZJ)
    make.acceptance("copied-seal", says, copy, "TB-234")


def _frame(body: bytes) -> bytes:
    frame = SALT + len(body).to_bytes(4, "big") + body
    return frame + bytes(-len(frame) % 4096)


def _derived(cek: bytes, bound: bytes) -> tuple[bytes, str]:
    okm = HKDF(SHA256(), 64, None, b"tongbao/body/v1\n" + bound).derive(cek)
    return okm[:32], okm[32:].hex()


def _plain(make: Maker, name: str, plaintext: bytes) -> OutRecord:
    """An alert whose sender encrypted just this, with everything else right."""
    record = make.alert(name)
    fields = fields_of(record)
    context, cek = SealContext.of(fields), seed(f"cek plain {name}")
    content_digest = digest(b"tongbao/content/v1\n" + SALT + ALERT_BODY)
    bound = context.bound(content_digest)
    key, commit = _derived(cek, bound)
    ciphertext = AESGCM(key).encrypt(bytes(12), plaintext, None)
    recipients = make.world.recipients(context.recipients)
    fields["sealed"] |= {
        "to": [wrap(f"plain {name}", cek, recipient, bound) for recipient in recipients],
        "commit": commit,
        "ct_size": len(ciphertext),
        "ct_sha256": sha256_hex(ciphertext),
        "content_digest": content_digest,
    }
    return make.signed(fields, ciphertext)


def _two_keys(make: Maker) -> OutRecord:
    fields = fields_of(make.alert("two keys", audience=(ZJ, GD)))
    context, names = SealContext.of(fields), ("two keys 1", "two keys 2")
    recipients = make.world.recipients(context.recipients)
    first = seal_as(names[0], ALERT_BODY, context, recipients)
    bound = context.bound(first.sealed["content_digest"])
    ceks = [seed(f"cek {name}") for name in names]
    one, other = (_derived(cek, bound)[0] for cek in ceks)
    ciphertext = gcm.for_two_keys(one, other, first.ciphertext[:-16])
    for key in (one, other):
        AESGCM(key).decrypt(bytes(12), ciphertext, None)  # authentic under both
    to = [first.sealed["to"][0], wrap(names[1], ceks[1], recipients[1], bound), first.sealed["to"][2]]
    fields["sealed"] = {**first.sealed, "to": to, "ct_sha256": sha256_hex(ciphertext)}
    return make.signed(fields, ciphertext)
