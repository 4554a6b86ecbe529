"""Only pinned jars are run, and a cache that is right needs no network."""

import hashlib
import os
from pathlib import Path

import pytest

from tongbao_broker.errors import BadConfiguration, Unreachable
from tongbao_broker.kafka import jars
from tongbao_broker.kafka.jars import JARS, Jar

CONTENT = {"one": b"the first jar", "two": b"the second jar"}
TABLE = tuple(
    Jar("org.example", name, "1.0", hashlib.sha256(data).hexdigest()) for name, data in CONTENT.items()
)


class Repository:
    """Stands in for the network: hands out what it has and counts."""

    def __init__(self) -> None:
        self.content = dict(CONTENT)
        self.handed_out: list[str] = []

    def download(self, jar: Jar, cache: Path) -> None:
        self.handed_out.append(jar.artifact)
        path = jar.path(cache)
        path.parent.mkdir(parents=True, exist_ok=True)
        assert not path.exists()
        path.write_bytes(self.content[jar.artifact])


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> Repository:
    repository = Repository()
    monkeypatch.setattr(jars, "JARS", TABLE)
    monkeypatch.setattr(jars, "_download", repository.download)
    return repository


def test_table_is_whole() -> None:
    """Every jar is pinned by 64 hex digits, named once, and the server itself is among them."""
    assert len({jar.name for jar in JARS}) == len(JARS) == 46
    assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in JARS)
    assert f"kafka_2.13-{jars.KAFKA_VERSION}.jar" in {jar.name for jar in JARS}


def test_second_start_needs_no_network(repository: Repository, tmp_path: Path) -> None:
    """What is in the cache and right is not fetched again."""
    jars.fetch(tmp_path)
    jars.fetch(tmp_path)

    assert repository.handed_out == ["one", "two"]


@pytest.mark.parametrize("bad", [b"", b"the first", b"something else"])
def test_wrong_jar_is_fetched_again(repository: Repository, tmp_path: Path, bad: bytes) -> None:
    """A jar that was cut short or changed is deleted and fetched anew."""
    jars.fetch(tmp_path)
    TABLE[0].path(tmp_path).write_bytes(bad)
    jars.fetch(tmp_path)

    assert TABLE[0].path(tmp_path).read_bytes() == CONTENT["one"]
    assert repository.handed_out == ["one", "two", "one"]


def test_a_jar_that_stays_wrong_is_an_error(repository: Repository, tmp_path: Path) -> None:
    """A repository that hands out something else is found out; what it gave is not kept."""
    repository.content["two"] = b"a trap"

    with pytest.raises(BadConfiguration, match=r"two-1\.0\.jar"):
        jars.fetch(tmp_path)
    assert not TABLE[1].path(tmp_path).exists()


def test_progress_counts_every_jar(repository: Repository, tmp_path: Path) -> None:
    """A progress bar hears of every jar, cached or not."""
    heard: list[tuple[int, int, str]] = []
    for _ in range(2):
        jars.fetch(tmp_path, lambda *news: heard.append(news))

    assert heard == [(1, 2, "one-1.0.jar"), (2, 2, "two-1.0.jar")] * 2


def test_no_network_is_unreachable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network and without a cache the error says so and what to do; no half file stays."""

    def no_network(*_: object, **__: object) -> None:
        raise ConnectionError

    monkeypatch.setattr("jgo.maven.MavenContext.project", no_network)
    with pytest.raises(Unreachable) as raised:
        jars.fetch(tmp_path)

    assert str(tmp_path) in raised.value.next_step()
    assert not any(path.suffix == ".jar" for path in tmp_path.rglob("*"))


def test_cache_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The cache lies where the environment says, else in the user's cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(jars.CACHE_VARIABLE, raising=False)
    usual = jars.default_cache()
    monkeypatch.setenv(jars.CACHE_VARIABLE, str(tmp_path / "elsewhere"))

    assert usual == tmp_path / "tongbao" / "jars"
    assert jars.default_cache() == tmp_path / "elsewhere"


def test_class_path_names_every_jar(repository: Repository, tmp_path: Path) -> None:
    """Java is given all pinned jars and nothing else."""
    assert jars.class_path(tmp_path).split(os.pathsep) == [str(jar.path(tmp_path)) for jar in TABLE]
