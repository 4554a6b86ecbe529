"""A connector's folder: what is in it, and what is said when something is wrong."""

from pathlib import Path

import pytest

from tests.support.province import write_folder
from tests.support.world import World
from tongbao_broker.errors import BadConfiguration
from tongbao_connectors.settings import ConnectorSettings

WORLD = World.create()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "440000", WORLD, "440000")


def read_everything(folder: Path) -> None:
    settings = ConnectorSettings.load(folder)
    settings.routing()
    settings.message_key()
    settings.trust_file()
    settings.pinned_root()


def test_a_folder_holds_everything(folder: Path) -> None:
    """Code, network, keys, roster, rules; the database lies in the folder unless another is named."""
    settings = ConnectorSettings.load(folder)

    assert (settings.code, settings.network) == ("440000", "test")
    assert (settings.in_topic, settings.out_topic) == ("prov.440000.in.v1", "prov.440000.out.v1")
    assert settings.database_url == f"sqlite://{folder}/connector.db"
    assert settings.message_key().keyid == WORLD.keys["440000"].message.keyid
    assert set(settings.seal_keys()) == {WORLD.keys["440000"].seal.kid}
    assert settings.routing().units <= settings.roster().units.keys()


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        pytest.param("connector.toml", "code = 1", "code", id="a code that is none"),
        pytest.param("connector.toml", "cod = '440000'", "connector.toml", id="a wrong key"),
        pytest.param("roster.toml", "", "unit", id="an empty roster"),
        pytest.param("routing.toml", 'duty_desk = "nowhere"', "nowhere", id="a unit that nobody knows"),
        pytest.param("keys/message.pem", "no key", "message.pem", id="a key file without a key"),
    ],
)
def test_a_mistake_is_named_with_its_file(folder: Path, name: str, text: str, expected: str) -> None:
    """The connector doesn't start on a guess."""
    (folder / name).write_text(text, encoding="utf-8")

    with pytest.raises(BadConfiguration, match=expected):
        read_everything(folder)


@pytest.mark.parametrize(
    "name", ["connector.toml", "roster.toml", "routing.toml", "trust.json", "pinned-root.json"]
)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    """Which one, and nothing of its content."""
    (folder / name).unlink()

    with pytest.raises(BadConfiguration, match=name):
        read_everything(folder)


def test_without_a_seal_key_nothing_could_be_opened(folder: Path) -> None:
    """An empty key folder is a mistake, not a state to run in."""
    (folder / "keys" / "seal" / "1.pem").unlink()

    with pytest.raises(BadConfiguration, match="seal"):
        ConnectorSettings.load(folder).seal_keys()
