"""The network that the golden messages live in: nine provinces, one directory with a successor, fixed seeds.

330000, 440000, 520000   active, one agreement over everything
450000                   suspended, party to that agreement
460000                   agreement with 520000 over online cases and handling H0 only
530000                   agreement with 520000 that ended an hour before `NOW`
540000                   no agreement; the statutory floor covers manufacturing cases
610000                   party to the first agreement, takes receipts only
999999 is nobody. Version 2 of the directory is the same but for the exchange's second checkpoint key.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.support.world import (
    NOW,
    Json,
    Keys,
    World,
    agreement_json,
    key_json,
    participant_json,
    seal_key,
    signing_key,
)
from tongbao_broker.trust.keys import SealKey, SigningKey
from tongbao_schemas.codes import EXCHANGE
from tongbao_schemas.encoding import format_time

NETWORK = "golden"
GZ, GD, ZJ, GX = "520000", "440000", "330000", "450000"
HAINAN, YUNNAN, TIBET, SHAANXI = "460000", "530000", "540000", "610000"
PROVINCES = (ZJ, GD, GX, HAINAN, GZ, YUNNAN, TIBET, SHAANXI)
LAPSED_AT = NOW - timedelta(hours=1)

RECEIPTS_ONLY = signing_key("520000 receipts only")
OUTDATED = signing_key("520000 outdated")
STOLEN = signing_key("520000 stolen")
NEXT_CHECKPOINT = signing_key("100000 checkpoint 2")
OUTDATED_SEAL = seal_key("440000 outdated seal")
STRANGER = Keys.of("999999")


def network() -> World:
    """The network under version 1 of its directory."""
    world = World.create(PROVINCES, network=NETWORK)
    wide = (ZJ, GD, GX, GZ, SHAANXI)
    return replace(
        world,
        document={
            **world.document,
            "participants": [_participant(code) for code in sorted(world.keys)],
            "keys": [*world.document["keys"], *_further_keys()],
            "agreements": [
                agreement_json(wide, NOW),
                agreement_json([HAINAN, GZ], NOW, categories=["online"], handling=["H0"]),
                agreement_json([GZ, YUNNAN], NOW, valid_until=format_time(LAPSED_AT)),
            ],
            "floor": {
                "categories": ["manufacturing"],
                "types": ["alert", "receipt"],
                "handling": ["H0"],
                "valid_from": format_time(NOW - timedelta(days=1)),
                "valid_until": format_time(NOW + timedelta(days=10)),
            },
        },
    )


def successor(world: World) -> World:
    """The network under version 2, where the exchange signs checkpoints with its second key."""
    keys = [*world.document["keys"], key_json(EXCHANGE, "checkpoint", NEXT_CHECKPOINT, NOW)]
    exchange = replace(world.keys[EXCHANGE], checkpoint=NEXT_CHECKPOINT)
    return replace(world.changed(keys=keys), keys={**world.keys, EXCHANGE: exchange})


def secrets(world: World) -> dict[str, str]:
    """Every private key by its holder and use, as hex of its 32 raw bytes."""
    named: dict[str, SigningKey | SealKey] = {}
    for code, keys in world.keys.items():
        named[f"{code} message"] = keys.message
        if code == EXCHANGE:
            named[f"{code} checkpoint"] = keys.checkpoint
        else:
            named[f"{code} seal"] = keys.seal
    named |= {f"root {place}": key for place, key in enumerate(world.root_keys)}
    named |= {f"directory {place}": key for place, key in enumerate(world.directory_keys)}
    named |= {
        "520000 message, receipts only": RECEIPTS_ONLY,
        "520000 message, outdated": OUTDATED,
        "520000 message, stolen": STOLEN,
        "100000 checkpoint, second": NEXT_CHECKPOINT,
        "440000 seal, outdated": OUTDATED_SEAL,
    }
    return {name: key.private.private_bytes_raw().hex() for name, key in named.items()}


def world_json() -> Json:
    """`world.json`: the trusted documents by directory version, the pinned root, the private keys."""
    world = network()
    return {
        "network": NETWORK,
        "pinned_root": world.root.as_json(),
        "trust": {
            version: {"roots": [under.root.as_json()], "directory": under.trust_file.directory.as_json()}
            for version, under in (("1", world), ("2", successor(world)))
        },
        "secrets": secrets(world),
    }


def _participant(code: str) -> Json:
    status = "suspended" if code == GX else "active"
    return participant_json(code, status, ["receipt/1.0"] if code == SHAANXI else None)


def _further_keys() -> list[dict[str, Any]]:
    ended = {"valid_until": format_time(LAPSED_AT)}
    return [
        key_json(GZ, "message", RECEIPTS_ONLY, NOW, may_sign=["receipt"]),
        key_json(GZ, "message", OUTDATED, NOW, **ended),
        key_json(GZ, "message", STOLEN, NOW, compromised_since=format_time(LAPSED_AT)),
        key_json(GD, "seal", OUTDATED_SEAL, NOW, **ended),
    ]
