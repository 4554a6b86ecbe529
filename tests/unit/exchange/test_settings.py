"""The exchange's settings and its process at the door."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tongbao_broker.errors import BadConfiguration
from tongbao_broker.exchange.settings import ExchangeSettings

GOOD = 'network = "demo"\n[kafka]\nbootstrap = "127.0.0.1:9093"\n'


def load(folder: Path, text: str) -> ExchangeSettings:
    (folder / "exchange.toml").write_text(text, encoding="utf-8")
    return ExchangeSettings.load(folder)


def test_the_folder_s_own_database_serves_where_none_is_named(tmp_path: Path) -> None:
    """`exchange.db` beside the settings."""
    settings = load(tmp_path, GOOD)

    assert settings.database_url == f"sqlite://{tmp_path}/exchange.db"
    assert (settings.network, settings.kafka.bootstrap) == ("demo", "127.0.0.1:9093")


def test_a_database_can_be_named(tmp_path: Path) -> None:
    """Production names PostgreSQL."""
    settings = load(tmp_path, 'database_url = "postgresql://db/exchange"\n' + GOOD)

    assert settings.database_url == "postgresql://db/exchange"


BAD = {
    "no TOML": "network =",
    "no network": '[kafka]\nbootstrap = "127.0.0.1:9093"\n',
    "a network in capitals": GOOD.replace("demo", "Demo"),
    "an unknown setting": GOOD + "speed = 1\n",
}


@pytest.mark.parametrize("name", BAD)
def test_wrong_settings_are_named_without_their_values(name: str, tmp_path: Path) -> None:
    """The error names file and field."""
    with pytest.raises(BadConfiguration, match=r"exchange\.toml") as caught:
        load(tmp_path, BAD[name])

    assert "Demo" not in str(caught.value)


def test_missing_settings_are_bad_configuration(tmp_path: Path) -> None:
    """A folder without `exchange.toml` is none of an exchange."""
    with pytest.raises(BadConfiguration, match="No such file"):
        ExchangeSettings.load(tmp_path)


def test_the_process_says_what_is_wrong_and_ends(tmp_path: Path) -> None:
    """`python -m tongbao_broker.exchange.worker` on an empty folder: one sentence on stderr, a code, no
    trace.
    """
    command = [sys.executable, "-m", "tongbao_broker.exchange.worker", str(tmp_path)]

    ended = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), check=False)

    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("exchange: OP-11 ")
    assert "Traceback" not in ended.stderr
