"""The index on a province's real database: found by the key only, nothing readable, gone with the body."""

import stat
from pathlib import Path

import pytest
from django.db import connections

from tests.support.province import Network, Province, alert, alert_body
from tongbao_connectors.search.index import Index, similar
from tongbao_connectors.search.models import Reached, Token
from tongbao_connectors.search.terms import Kind
from tongbao_connectors.store.models import ContentKey, Message
from tongbao_schemas.gate import parse_object


@pytest.fixture
def gd(tmp_path: Path) -> Province:
    """广东 with two alerts that share a plate, a document and a case, and one that shares a phone only."""
    net = Network(tmp_path)
    sender, there = net.province("520000"), net.province("440000")
    body = parse_object(alert_body(), limit=100_000)
    other = body | {
        "title": "另一件",
        "facts": "无关",
        "assessment": "无关",
        "case": body["case"] | {"number": "演〔9〕"},
    }
    other["subjects"] = [
        body["subjects"][0]
        | {"name": "演练辛", "aliases": [], "vehicles": []}
        | {"id_document": {"kind": "passport", "number": "EX0000001"}}
    ]
    for reference, said in (("a-1", body), ("a-2", body), ("a-3", other)):
        sender.submit(alert(reference, body=said))
    net.settle()
    return there


def numbers(found: set[int]) -> list[str]:
    return sorted(Message.objects.filter(pk__in=found).values_list("number", flat=True))


def test_fill_reads_each_body_once(gd: Province) -> None:
    """In the order in which they came, as many at a time as asked for; then there is nothing to do."""
    with gd.here():
        index = Index.of(gd.settings.folder)
        read = [index.fill(2), index.fill(2), index.fill(2)]

        assert read == [2, 1, 0]
        assert Reached.objects.get().message == Message.objects.filter(type="alert").latest("pk").pk


def test_a_word_finds_what_says_it(gd: Province) -> None:
    """All words of a query must be there."""
    with gd.here():
        index = Index.of(gd.settings.folder)
        index.fill()
        alerts = sorted(Message.objects.filter(type="alert").values_list("number", flat=True))
        found = {
            query: numbers(index.find(query)) for query in ("演练", "演练辛", "贵A00000", "另一件 演练甲")
        }

    assert found == {"演练": alerts, "演练辛": alerts[2:], "贵A00000": alerts[:2], "另一件 演练甲": []}


def test_similar_says_why(gd: Province) -> None:
    """By identifiers that both have; never by a name, a title or the writing unit's phone."""
    with gd.here():
        Index.of(gd.settings.folder).fill()
        first = Message.objects.filter(type="alert").earliest("pk")
        reasons = [set(each.reasons) for each in similar(first)]

    assert reasons == [{Kind.PHONE}, {Kind.CASE, Kind.DOCUMENT, Kind.PHONE, Kind.PLATE}]


def test_nothing_readable_is_kept(gd: Province) -> None:
    """The table holds numbers; another key finds nothing."""
    with gd.here():
        Index.of(gd.settings.folder).fill()
        with connections[gd.code].cursor() as cursor:
            cursor.execute("SELECT * FROM search_token")
            cells = {type(cell) for row in cursor.fetchall() for cell in row}
            cursor.execute("SELECT DISTINCT kind FROM search_token")
            words = {row[0] for row in cursor.fetchall()}
        stranger = Index(bytes(32)).find("演练甲")

    assert cells == {int, str}
    assert words <= {kind.value for kind in Kind}
    assert stranger == set()


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    """A second process takes the first one's."""
    (tmp_path / "keys").mkdir()
    Index.of(tmp_path)
    key = (tmp_path / "keys" / "search.key").read_bytes()
    Index.of(tmp_path)

    assert (tmp_path / "keys" / "search.key").read_bytes() == key
    assert stat.S_IMODE((tmp_path / "keys" / "search.key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["search.key"]


def test_a_purge_takes_the_tokens_along(gd: Province) -> None:
    """They hang on the content key."""
    with gd.here():
        index = Index.of(gd.settings.folder)
        index.fill()
        ContentKey.objects.all().delete()

        assert (Token.objects.count(), index.find("演练甲")) == (0, set())
