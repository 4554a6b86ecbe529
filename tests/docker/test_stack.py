"""The network of docker-compose.yml: what it does, what it keeps closed, what it survives."""

import json
import re
import subprocess
import tomllib
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.docker.conftest import FILES, ONCE, PROJECT, ROOT, Stack

pytestmark = pytest.mark.docker

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
BACK_S = 60.0


def test_samples_reach_their_ends(stack: Stack) -> None:
    """All eight go their whole way: registered, delivered, assigned, signed for, answered; none refused."""
    played = stack.play("samples")

    assert (played["missing"], played["refused"]) == ({}, {})
    assert len(set(played["numbers"])) == 8
    assert played["trail"]["size"] > 8


def test_command_sends_from_a_provinces_container(stack: Stack) -> None:
    """What the README says: the file goes in on standard input, the connector numbers and sends it."""
    sample = (ROOT / "examples" / "1-520000-outbound-trafficking.json").read_bytes()
    command = stack.command("exec", "-T", "connector-520000", "tongbao", "send", "--json", "-")
    done = subprocess.run(
        command, input=sample, capture_output=True, check=False, timeout=60, env=stack.environment, cwd=ROOT
    )

    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)["number"]


def test_desks_answer_on_the_loopback_address(stack: Stack) -> None:
    """Each desk shows its login page, on the port that was asked for."""
    for port in stack.ports.values():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
            assert answer.status == 200
            assert answer.headers["Content-Security-Policy"]


def test_every_container_is_confined(stack: Stack) -> None:
    """No root, no capability, no new privilege, no writable root file system, bounded memory."""
    for each in stack.containers():
        host, name = each["HostConfig"], each["Name"]
        user = each["Config"]["User"].split(":")[0]
        published = [
            binding["HostIp"] for ports in (host["PortBindings"] or {}).values() for binding in ports
        ]

        assert user not in ("", "0", "root"), name
        assert host["ReadonlyRootfs"], name
        assert not host["Privileged"], name
        assert (host["CapDrop"], host["CapAdd"]) == (["ALL"], None), name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert host["Memory"] > 0, name
        assert host["PidsLimit"] > 0, name
        assert set(published) <= {"127.0.0.1"}, name


def test_nothing_can_be_written_beside_the_volumes(stack: Stack) -> None:
    """Asked in every running container: who it is, how its root is mounted, whether that takes a file."""
    ask = (
        "id -u; grep -c '^[^ ]* / [^ ]* ro[, ]' /proc/mounts; touch /there 2>/dev/null && echo written; true"
    )
    said = {
        service: stack.compose("exec", "-T", service, "sh", "-c", ask).split() for service in stack.running()
    }

    assert len(said) > 10
    assert {service: words for service, words in said.items() if words[0] == "0" or words[1:] != ["1"]} == {}


def test_keys_are_in_their_owners_containers_only(stack: Stack) -> None:
    """The volume with a participant's keys is mounted by that participant's services and the operator's."""
    mounted: dict[str, set[str]] = {}
    for each in stack.containers():
        service = each["Config"]["Labels"]["com.docker.compose.service"]
        for mount in each["Mounts"]:
            volume = mount.get("Name", "").removeprefix(f"{PROJECT}_")
            mounted.setdefault(volume, set()).add(service)

    assert mounted["exchange"] - {*ONCE} == {"exchange"}
    assert mounted["guizhou"] - {*ONCE} == {"connector-520000", "desk-520000", "watch-520000"}
    assert mounted["guangdong"] - {*ONCE} == {"connector-440000", "desk-440000", "watch-440000"}
    assert mounted["workspace"] == {*ONCE}
    assert [mounted[f"kafka-{number}"] - {*ONCE} for number in (1, 2, 3)] == [
        {"kafka-1"},
        {"kafka-2"},
        {"kafka-3"},
    ]


def test_secrets_stay_in_their_files(stack: Stack) -> None:
    """No password and no line of a private key is in an environment, an image's history or a log."""
    secrets = _secrets(stack)
    inspected = json.dumps(stack.containers())
    images = stack.compose("config", "--images").split()
    history = "".join(_docker("history", "--no-trunc", image) for image in {*images})
    logs = stack.compose("logs", "--no-color", within_s=60)

    assert len(secrets) > 20
    for place, text in {"environment": inspected, "history": history, "logs": logs}.items():
        assert not [secret for secret in secrets if secret in text], place


def test_image_holds_no_key_and_no_index(stack: Stack) -> None:
    """In our image nothing lies where keys will be; nothing says where its packages came from."""
    image = f"tongbao:{VERSION}"
    found = _docker("run", "--rm", "--network", "none", image, "find", "/var/lib/tongbao", "-type", "f")
    settings = _docker("inspect", image) + _docker("history", "--no-trunc", image)

    assert found == ""
    assert not re.search(r"PIP_INDEX_URL|index-url|PRIVATE KEY|PASSWORD", settings)


def test_configuration_is_clean_and_images_have_versions(stack: Stack) -> None:
    """`docker compose config` has nothing to say; every image is named by its version."""
    done = subprocess.run(
        ["docker", "compose", "-f", str(FILES[0]), "config", "-q"],
        capture_output=True,
        text=True,
        check=False,
    )
    images = set(stack.compose("config", "--images").split())

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert images == {f"tongbao:{VERSION}", "apache/kafka:4.3.1", "postgres:15-bookworm"}
    label = _docker(
        "inspect", "-f", '{{index .Config.Labels "org.opencontainers.image.version"}}', f"tongbao:{VERSION}"
    )
    assert label.strip() == VERSION


def test_logs_are_json(stack: Stack) -> None:
    """Every line of our services on standard output is one JSON object with its component."""
    for service in ("exchange", "connector-520000", "watch-440000"):
        lines = stack.compose("logs", "--no-color", "--no-log-prefix", service).splitlines()
        ours = [json.loads(line) for line in lines if line.startswith("{")]

        assert all(line["component"] for line in ours)


def test_kafka_lets_in_who_has_a_certificate_of_the_authority(stack: Stack) -> None:
    """On every listener of every server plain text, no certificate and a stranger's are refused."""
    answers = stack.play("knock")

    assert len(answers) == 6
    for server, answer in answers.items():
        assert answer == {
            "plain": "refused",
            "no certificate": "refused",
            "another authority's": "refused",
            "a province's": "answered",
        }, server


def test_topics_have_three_replicas(stack: Stack) -> None:
    """Each partition is on three servers, all in step; rights are those that the directory demands."""
    found = stack.play("replicas")

    assert found["empty"]
    assert {tuple(each) for partitions in found["topics"].values() for each in partitions} == {(3, 3)}


def test_brokers_take_a_new_certificate_without_a_restart(stack: Stack) -> None:
    """The operator's command gives each server a new one; all three show it to whoever connects next."""
    said = stack.compose(
        "run", "--rm", "--no-deps", "-T", "topology", "tongbao", "rotate", "certificate", "000000", "--json"
    )

    assert json.loads(said)["in_use"]


@contextmanager
def traffic(stack: Stack, seconds: int) -> Iterator[Callable[[], dict[str, Any]]]:
    """Alerts flow for so many seconds; gives what has become of them."""
    command = stack.command(*stack.playing("traffic", str(seconds), "0.2", str(BACK_S)))
    playing = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=stack.environment, cwd=ROOT
    )
    assert playing.stderr
    assert any("flowing" in line for line in playing.stderr)

    def result() -> dict[str, Any]:
        said, talk = playing.communicate(timeout=seconds + 3 * BACK_S)
        assert playing.returncode == 0, talk
        return dict(json.loads(said.splitlines()[-1]))

    try:
        yield result
    finally:
        if playing.poll() is None:
            playing.terminate()
            playing.wait()


def everything_arrived(result: dict[str, Any]) -> None:
    """Each alert that was submitted is there once, and none took longer than the time to be back."""
    assert result["sent"] == result["ids"] == result["received"] == result["items"] > 10
    assert (result["missing"], result["twice"]) == (0, 0)
    assert result["longest_s"] <= BACK_S


def test_killed_broker_loses_nothing(stack: Stack) -> None:
    """One of three servers is killed under traffic, and comes back: the others go on."""
    with traffic(stack, 15) as result:
        stack.compose("kill", "-s", "SIGKILL", "kafka-1")
        stack.compose("start", "kafka-1")

        everything_arrived(result())
    stack.await_healthy("kafka-1", "exchange", "connector-520000", "connector-440000")


def test_exchange_moves_to_a_fresh_container(stack: Stack) -> None:
    """The exchange's container is thrown away under traffic; another one goes on with the same database."""
    before = stack.compose("ps", "-q", "exchange")
    with traffic(stack, 15) as result:
        stack.compose("rm", "-sf", "exchange")
        stack.compose("up", "-d", "--no-deps", "exchange")

        everything_arrived(result())
    stack.await_healthy("exchange")
    assert stack.compose("ps", "-q", "exchange") != before


def test_restarted_database_loses_nothing(stack: Stack) -> None:
    """PostgreSQL is restarted under traffic: who waits for it starts again and goes on."""
    with traffic(stack, 20) as result:
        stack.compose("restart", "postgres")

        everything_arrived(result())
    stack.await_healthy("postgres", "exchange", "connector-520000", "connector-440000")


@pytest.mark.slow
def test_rolling_restart_of_all_brokers_loses_nothing(stack: Stack) -> None:
    """Each server in its turn, when the one before it is back: as in an upgrade."""
    with traffic(stack, 60) as result:
        for number in (1, 2, 3):
            stack.compose("restart", f"kafka-{number}")
            stack.await_healthy(f"kafka-{number}")

        everything_arrived(result())


def _secrets(stack: Stack) -> set[str]:
    """Every password, and every line of every private key, of the whole network."""
    text = stack.compose(
        *("run", "--rm", "--no-deps", "-T", "--entrypoint", "sh", "player", "-c"),
        "find /var/lib/tongbao -name '*.pem' -exec cat {} + ; cat /var/lib/tongbao/*/keys/database.pass",
    )
    keys = re.findall(r"-----BEGIN PRIVATE KEY-----\n(.*?)-----END", text, re.DOTALL)
    passwords = re.findall(r"^postgres:5432:\w+:\w+:(\S+)$", text, re.MULTILINE)
    assert len(passwords) == 6
    return {line for key in keys for line in key.split() if len(line) > 16} | set(passwords)


def _docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout
