"""The golden files as a stranger reads them: JSON, no generator; and the judges to put the cases before."""

import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from tongbao_broker.exchange import admission
from tongbao_broker.trust.directory import Directory, load_trust, parse_root_file, parse_trust_file
from tongbao_broker.trust.keys import SealKey
from tongbao_connectors import acceptance
from tongbao_schemas.encoding import compact_json, parse_time
from tongbao_schemas.errors import Refused
from tongbao_schemas.header import parse_header
from tongbao_schemas.record import parse_in

FOLDER = Path(__file__).resolve().parents[2] / "schemas/vectors"
WORLD: Any = json.loads((FOLDER / "world.json").read_bytes())
NETWORK: str = WORLD["network"]
FAMILIES = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != "world")


@dataclass(frozen=True)
class Before:
    """A record that was judged earlier."""

    by: str
    value: bytes
    at: datetime


@dataclass(frozen=True)
class Vector:
    """A case with its bytes."""

    family: str
    facts: Mapping[str, Any]
    value: bytes
    before: Sequence["Before"]

    @property
    def name(self) -> str:
        return f"{self.family}: {self.facts['name']}"

    @property
    def at(self) -> datetime:
        return parse_time(self.facts["at"])

    @property
    def judge(self) -> str:
        return str(self.facts["judge"])

    @property
    def by(self) -> str:
        return str(self.facts["by"])

    @property
    def expected(self) -> str:
        return str(self.facts["expected"])

    @property
    def directory(self) -> str:
        return str(self.facts["directory"])


def vectors(judge: str) -> list[Vector]:
    """All cases of a judge, from all files."""
    return [vector for family in FAMILIES for vector in _read(family) if vector.judge == judge]


def _read(family: str) -> list[Vector]:
    file = json.loads((FOLDER / f"{family}.json").read_bytes())
    values = {name: _bytes(written) for name, written in file["records"].items()}
    return [
        Vector(
            family,
            case,
            values[case["record"]],
            [
                Before(earlier["by"], values[earlier["record"]], parse_time(earlier.get("at", case["at"])))
                for earlier in case.get("before", [])
            ],
        )
        for case in file["cases"]
    ]


def _bytes(written: Any) -> bytes:
    if isinstance(written, str):
        return b64decode(written, validate=True)
    return b"".join(b64decode(piece["base64"], validate=True) * piece["times"] for piece in written)


def pinned_root() -> bytes:
    """The root that everybody was given by hand."""
    return compact_json(WORLD["pinned_root"])


def trust_file(version: str) -> bytes:
    """The trust file of a directory version."""
    return compact_json(WORLD["trust"][version])


@cache
def directory(version: str) -> Directory:
    """A directory of the world, verified; whether it has expired is for the judges to say."""
    file, pinned = parse_trust_file(trust_file(version)), parse_root_file(pinned_root())
    at = parse_time("2026-11-23T04:00:00.000Z")
    return load_trust(file, pinned, network=NETWORK, now=at, allow_expired=True).directory


def admitted(vector: Vector) -> admission.Decision | admission.Hold:
    """What the exchange decides."""
    circumstances = admission.Circumstances(NETWORK, directory(vector.directory), vector.at)
    view = admission.View()
    for earlier in vector.before:
        then = replace(circumstances, now=earlier.at)
        decision = admission.admit(earlier.value, earlier.by, then, view)
        assert isinstance(decision, admission.Admit), decision
        view.note(decision)
    return admission.admit(vector.value, vector.by, circumstances, view)


Accepted = (
    acceptance.Accept
    | acceptance.Duplicate
    | acceptance.Reject
    | acceptance.Hold
    | acceptance.HeadRead
    | acceptance.Passed
)


def accepted(vector: Vector) -> Accepted:
    """What a province decides."""
    key = SealKey.from_private(bytes.fromhex(WORLD["secrets"][f"{vector.by} seal"]))
    view = acceptance.View(
        code=vector.by,
        network=NETWORK,
        directory=directory(vector.directory),
        directory_at=lambda version: directory(str(version)),
        seal_keys={key.kid: key},
        now=vector.at,
    )
    known = acceptance.Known.of(_known(earlier) for earlier in vector.before)
    examined = acceptance.examine(vector.value, view)
    return acceptance.decide(examined, known, view) if isinstance(examined, acceptance.Examined) else examined


def _known(earlier: Before) -> acceptance.KnownMessage:
    """A message that the province has already, its own or one that was delivered to it."""
    envelope = parse_in(earlier.value).envelope
    header = parse_header(envelope.payload)
    return acceptance.KnownMessage(
        origin=header.origin,
        id=header.id,
        thread=header.thread,
        type=header.type,
        status=header.status,
        digest=envelope.digest,
        audience=header.audience,
        entered_at=earlier.at,
    )


def trusted(vector: Vector) -> str:
    """Whether a trust file is believed: `trusted`, or the code."""
    seen = vector.facts.get("seen", {"root": 0, "directory": 0})
    try:
        load_trust(
            parse_trust_file(vector.value),
            parse_root_file(pinned_root()),
            network=NETWORK,
            now=vector.at,
            minimum_root=seen["root"],
            minimum_version=seen["directory"],
        )
    except Refused as refused:
        return refused.code.value
    return "trusted"
