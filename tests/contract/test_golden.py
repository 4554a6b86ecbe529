"""The golden messages in `schemas/vectors/`: each has the outcome that its file says; no bad one goes on."""

import json
from pathlib import Path

import pytest

from tests.contract import golden
from tests.contract.golden import Vector
from tests.support.golden import files
from tests.support.golden.network import PROVINCES, network
from tests.support.province import Network
from tests.unit.exchange.station import Station
from tongbao_broker import database
from tongbao_broker.exchange.admission import Admit, Hold, Reject
from tongbao_broker.exchange.admission import Duplicate as SentAgain
from tongbao_broker.kafka.topics import in_topic
from tongbao_connectors import acceptance
from tongbao_connectors.store.models import InboxItem, Message, Quarantine
from tongbao_schemas.encoding import sha256_hex
from tongbao_schemas.record import parse_in
from tongbao_schemas.refusals import Code

WORDS = {
    Admit: "admit",
    SentAgain: "duplicate",
    Hold: "hold",
    acceptance.Accept: "accept",
    acceptance.Duplicate: "duplicate",
    acceptance.Hold: "hold",
    acceptance.HeadRead: "head",
    acceptance.Passed: "passed",
}


def named(judge: str) -> pytest.MarkDecorator:
    """One test a case, under the case's name."""
    cases = golden.vectors(judge)
    return pytest.mark.parametrize("vector", cases, ids=[case.name for case in cases])


@named("admission")
def test_the_exchange_decides_as_the_file_says(vector: Vector) -> None:
    """Admit, duplicate, hold, or the very code; and whether id and seq are used up."""
    decision = golden.admitted(vector)
    found = decision.code.value if isinstance(decision, Reject) else WORDS[type(decision)]

    assert found == vector.expected
    if "uses_seq" in vector.facts:
        assert isinstance(decision, Reject)
        assert decision.uses_seq == vector.facts["uses_seq"]


@named("acceptance")
def test_a_province_decides_as_the_file_says(vector: Vector) -> None:
    """Accept, duplicate, hold, a head, or the very code."""
    decision = golden.accepted(vector)
    found = decision.code.value if isinstance(decision, acceptance.Reject) else WORDS[type(decision)]

    assert found == vector.expected


@named("trust")
def test_a_trust_file_is_believed_as_the_file_says(vector: Vector) -> None:
    """Trusted, or the very code."""
    assert golden.trusted(vector) == vector.expected


def together(judge: str) -> pytest.MarkDecorator:
    """One test for all cases of a file that are judged in one place at one time."""
    groups: dict[str, list[Vector]] = {}
    for vector in golden.vectors(judge):
        place = vector.by if judge == "acceptance" else ""
        if judge == "admission" or _needs_only_the_topic(vector):
            groups.setdefault(f"{vector.family} {place} {vector.facts['at']}", []).append(vector)
    return pytest.mark.parametrize("vectors", groups.values(), ids=groups)


def _needs_only_the_topic(vector: Vector) -> bool:
    """Whether a connector can be shown the case by its `in` topic alone, and goes on after it."""
    delivered = all(b'"stamp"' in earlier.value for earlier in vector.before)
    return delivered and vector.directory == "1" and vector.expected != "hold"


def good(vectors: list[Vector]) -> set[str]:
    """The digests of what may go on: the good ones, and what came before them."""
    fine = [vector.value for vector in vectors if not vector.expected.startswith("TB-")]
    before = [earlier.value for vector in vectors for earlier in vector.before]
    return {parse_in(value).envelope.digest for value in (*fine, *before)}


@together("admission")
def test_the_exchange_routes_no_bad_message(
    vectors: list[Vector], tmp_path: Path, exchange_database: str
) -> None:
    """A relay that finds them in its topics delivers the good ones, notices and heads, nothing else."""
    station = Station(network(), tmp_path)
    station.clock.at = vectors[0].at
    for vector in vectors:
        for earlier in vector.before:
            station.write(earlier.by, earlier.value)
    station.relay.turn(0)
    for vector in vectors:
        station.write(vector.by, vector.value)
    station.relay.turn(0)

    sent = {record.envelope.digest for code in PROVINCES for record in station.messages(code)}
    assert sent <= good(vectors)


@together("acceptance")
def test_a_province_stores_no_bad_message(vectors: list[Vector], tmp_path: Path) -> None:
    """A connector that finds all of them in its topic stores and routes the good ones, nothing else."""
    net = Network(tmp_path, network())
    province = net.province(vectors[0].by)
    net.clock.at = vectors[0].at
    for value in [*(earlier.value for vector in vectors for earlier in vector.before), *values(vectors)]:
        net.broker.append(in_topic(province.code), value)
    for _ in range(3):
        province.turn()
    with province.here():
        stored = Message.objects.exclude(origin=province.code)
        kept = set(stored.values_list("digest", flat=True))
        noted = set(Quarantine.objects.values_list("sha256", flat=True))
        routed = set(InboxItem.objects.values_list("message__digest", flat=True))
    database.close()

    assert kept <= good(vectors)
    assert routed <= kept
    assert {sha256_hex(value) for value in values(vectors, bad=True)} <= noted


def values(vectors: list[Vector], *, bad: bool = False) -> list[bytes]:
    """The cases' own records, or only those that must be refused."""
    return [vector.value for vector in vectors if not bad or vector.expected.startswith("TB-")]


def test_every_case_is_told_apart_and_explained() -> None:
    """A name is used once a file and says what it is in one sentence; outcomes are words or known codes."""
    words = {*WORDS.values(), "trusted", *(code.value for code in Code)}
    for family in golden.FAMILIES:
        file = json.loads((golden.FOLDER / f"{family}.json").read_bytes())
        names = [case["name"] for case in file["cases"]]
        assert len(names) == len(set(names)), family
        for case in file["cases"]:
            assert case["says"].endswith("."), case["name"]
            assert case["expected"] in words, case["name"]


def test_the_generator_makes_the_same_files_again() -> None:
    """Nothing in the files comes from chance or from the clock: `python -m tests.support.golden`."""
    written = {path.name: path.read_text(encoding="utf-8") for path in golden.FOLDER.glob("*.json")}
    made = files.files()

    assert sorted(written) == sorted(made)
    assert [name for name, text in made.items() if written[name] != text] == []
