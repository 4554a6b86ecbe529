"""Who signs, and for whom."""

from dataclasses import replace

from tests.support.golden.case import Family
from tests.support.golden.maker import Maker
from tests.support.golden.network import GD, GZ, OUTDATED, RECEIPTS_ONLY, STOLEN, STRANGER, ZJ
from tests.support.world import fields_of
from tongbao_broker.trust.keys import SigningKey
from tongbao_schemas.codes import EXCHANGE
from tongbao_schemas.envelope import Envelope, Signature
from tongbao_schemas.record import OutRecord


def family() -> Family:
    make = Maker("signers")
    keys = make.world.keys

    def signed_by(name: str, key: SigningKey) -> OutRecord:
        return make.alert(name, key=key)

    def named(record: OutRecord, keyid: str) -> OutRecord:
        envelope = record.envelope
        signature = Signature(keyid, envelope.signatures[0].sig)
        return replace(record, envelope=Envelope(envelope.payload, envelope.payload_type, (signature,)))

    def bent(record: OutRecord) -> OutRecord:
        payload = record.envelope.payload.replace(b'"urgency":"urgent"', b'"urgency":"flash"')
        return replace(record, envelope=replace(record.envelope, payload=payload))

    make.admission(
        "good-alert", "An alert of 520000 to 440000, signed by its own key.", make.alert("good"), "admit"
    )
    make.admission(
        "another-provinces-key",
        "The header says 520000, the topic is its own, but 440000's key has signed.",
        signed_by("forged", keys[GD].message),
        "TB-203",
    )
    make.admission(
        "in-another-topic",
        "520000's good alert lies in 440000's topic.",
        make.alert("strayed"),
        "TB-203",
        by=GD,
    )
    make.admission(
        "exchanges-key",
        "The exchange's own message key doesn't speak for a province.",
        signed_by("exchange", keys[EXCHANGE].message),
        "TB-203",
    )
    make.admission(
        "unknown-key",
        "A key that the directory doesn't list.",
        signed_by("nobody", STRANGER.message),
        "TB-201",
    )
    make.admission(
        "checkpoint-key",
        "The exchange's checkpoint key signs no messages.",
        signed_by("checkpoint", keys[EXCHANGE].checkpoint),
        "TB-202",
    )
    make.admission(
        "seal-key", "The signature names a seal key.", named(make.alert("seal"), keys[GZ].seal.kid), "TB-202"
    )
    make.admission(
        "outdated-key", "The key's period ended an hour ago.", signed_by("outdated", OUTDATED), "TB-204"
    )
    make.admission(
        "stolen-key", "The key is known to be compromised for an hour.", signed_by("stolen", STOLEN), "TB-205"
    )
    make.admission("bent-payload", "One word was changed after signing.", bent(make.alert("bent")), "TB-206")
    make.admission(
        "borrowed-keyid",
        "440000 signs and puts 520000's key id above it.",
        named(signed_by("borrowed", keys[GD].message), keys[GZ].message.keyid),
        "TB-206",
    )
    make.admission(
        "key-id-in-capitals",
        "Key ids are lower case; another spelling is another name.",
        named(make.alert("capitals"), keys[GZ].message.keyid.upper()),
        "TB-201",
    )
    make.admission(
        "type-not-allowed",
        "A key of 520000 that may sign receipts only signs an alert.",
        signed_by("too much", RECEIPTS_ONLY),
        "TB-207",
    )
    make.admission(
        "provinces-notice",
        "A province writes a notice as if it were the exchange: its key may not, whoever the header names.",
        make.message("notice", "notice", EXCHANGE, [GD], about=make.alert("noticed"), key=keys[GZ].message),
        "TB-207",
    )
    make.admission(
        "notice-of-a-province",
        "A notice whose header names a province as its origin.",
        make.changed(
            make.message("own notice", "notice", EXCHANGE, [GD], about=make.alert("noticed 2")),
            lambda fields: fields.update(origin=GZ),
        ),
        "TB-301",
    )
    make.admission(
        "origin-not-signer",
        "520000 signs, in its own topic, a header that names 330000.",
        make.alert("misnamed", ZJ, key=keys[GZ].message),
        "TB-304",
    )
    make.admission(
        "content-on-an-alert",
        "An alert with plain `content` beside its sealed body.",
        make.changed(make.alert("open"), lambda fields: fields.update(content={"facts": "演练"})),
        "TB-301",
    )
    make.admission(
        "content-instead-of-seal",
        "An alert with plain `content` and no sealed body at all.",
        make.alert("plain", sealed=None, content={"facts": "演练"}),
        "TB-301",
    )
    make.admission(
        "unknown-schema",
        "A version that nobody knows yet.",
        make.alert("schema", schema="alert/1.1"),
        "TB-303",
    )
    make.admission(
        "schema-of-another-type",
        "An alert under an answer's schema.",
        make.alert("answer", schema="answer/1.0"),
        "TB-301",
    )
    make.admission(
        "unknown-header-field",
        "A header field that alerts don't have.",
        make.alert("field", region="440300"),
        "TB-301",
    )
    make.admission(
        "number-of-another-province",
        "The readable number belongs to 330000.",
        make.alert("number", number=fields_of(make.alert("of 330000", ZJ))["number"]),
        "TB-310",
    )
    make.admission(
        "number-misread",
        "The readable number's check character is wrong.",
        make.alert("misread", number="黔2026-000017-E"),
        "TB-310",
    )
    make.acceptance("delivered-good", "The good alert with its stamp.", make.alert("good 2"), "accept")
    make.acceptance(
        "delivered-forged",
        "Delivered with a good stamp, but 330000 has signed what names 520000. Provinces check anew.",
        signed_by("forged 2", keys[ZJ].message),
        "TB-304",
    )
    make.acceptance(
        "delivered-bent", "Changed after signing, and stamped.", bent(make.alert("bent 2")), "TB-206"
    )
    make.acceptance(
        "delivered-by-nobody",
        "Stamped, but the key is unknown.",
        signed_by("nobody 2", STRANGER.message),
        "TB-201",
    )
    make.acceptance(
        "delivered-to-another",
        "An alert to 330000 that reached 440000.",
        make.alert("astray", audience=[ZJ]),
        "TB-415",
    )
    return Family(
        make.family, "Keys, signatures and the header's own rules (steps 3, 4, 6 and 7).", make.cases
    )
