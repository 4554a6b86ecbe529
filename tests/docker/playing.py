"""Plays inside the stack, with every province's folder: `python /playing.py samples|traffic|knock|replicas`.

Prints one JSON object on standard output. Run by the tests in a container of its own.
"""

import json
import socket
import ssl
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

from tongbao_broker import database
from tongbao_broker.clock import SystemClock
from tongbao_broker.errors import OperationError
from tongbao_connectors import services, workspace
from tongbao_connectors.demo import samples
from tongbao_connectors.settings import ConnectorSettings

PLACE = workspace.load(Path("/var/lib/tongbao"))
SENDER, RECEIVER = "520000", "440000"
CLOCK = SystemClock()
FLOWS = 3


def provinces(*codes: str) -> dict[str, ConnectorSettings]:
    """The settings of these provinces, their databases open."""
    found = {code: ConnectorSettings.load(PLACE.participant(code)) for code in codes}
    for settings in found.values():
        settings.open_database()
    return found


def play_samples() -> dict[str, Any]:
    """Sends the samples and plays the officers until every one has reached its end."""
    opened = provinces(*PLACE.provinces)
    from tongbao_connectors.demo.story import Story

    story = Story(opened, CLOCK)
    story.send(samples.load(), mark())
    story.play(Event(), 90)
    return {
        "missing": {each.sample.number: each.missing for each in story.journeys if each.missing},
        "refused": {each.sample.number: each.refusal for each in story.journeys if each.refusal},
        "numbers": [each.number for each in story.journeys],
        "trail": story.trail(),
    }


def play_traffic(seconds: float, every_s: float, within_s: float) -> dict[str, Any]:
    """Sends an alert every so often, whatever happens meanwhile, and waits until all have arrived.

    Whoever gets no answer submits the same again, as a case system does.
    """
    provinces(SENDER, RECEIVER)
    sample, run, until = samples.load()[0], mark(), time.monotonic() + seconds
    submitted: dict[str, float] = {}
    arrived: dict[str, float] = {}
    tries = 0
    while time.monotonic() < until:
        tries, at = tries + 1, time.monotonic()
        data = sample.fresh(f"{run}-{tries}", CLOCK.now())
        submitted[insistently(partial(submit, data), within_s)] = at
        if tries == FLOWS:
            print("flowing", file=sys.stderr, flush=True)
        arrived |= seen_to_arrive(submitted.keys() - arrived.keys(), within_s)
        time.sleep(every_s)
    until = time.monotonic() + within_s
    while len(arrived) < len(submitted) and time.monotonic() < until:
        arrived |= seen_to_arrive(submitted.keys() - arrived.keys(), within_s)
        time.sleep(every_s)
    return {
        "sent": tries,
        "ids": len(submitted),
        "missing": len(submitted) - len(arrived),
        "longest_s": round(max((arrived[each] - submitted[each] for each in arrived), default=0.0), 1),
        **insistently(lambda: counts(list(submitted)), within_s),
    }


def submit(data: bytes) -> str:
    from tongbao_connectors import drafts

    with database.use(SENDER):
        return drafts.submit(data, origin=SENDER, by="case system", now=CLOCK.now()).message_id


def seen_to_arrive(ids: set[str], within_s: float) -> dict[str, float]:
    """Those of which a receipt says at their origin that they were delivered, and when that was seen."""
    from tongbao_connectors.store.models import StageReport

    def delivered() -> list[str]:
        with database.use(SENDER):
            found = StageReport.objects.filter(stage="delivered", of__in=ids).exclude(place="")
            return list(found.values_list("of", flat=True))

    return dict.fromkeys(insistently(delivered, within_s), time.monotonic())


def counts(ids: list[str]) -> dict[str, Any]:
    """How often each of the alerts is there; how many numbers are taken twice."""
    from tongbao_connectors.store.models import InboxItem, Message

    with database.use(RECEIVER):
        messages = Counter(Message.objects.filter(message_id__in=ids).values_list("message_id", flat=True))
        items = Counter(
            InboxItem.objects.filter(message__message_id__in=ids).values_list(
                "message__message_id", flat=True
            )
        )
    with database.use(SENDER):
        numbers = Counter(Message.objects.filter(message_id__in=ids).values_list("number", flat=True))
    return {
        "received": len(messages),
        "items": len(items),
        "twice": sum(count > 1 for count in (*messages.values(), *items.values(), *numbers.values())),
    }


def insistently(ask: Callable[[], Any], within_s: float) -> Any:
    """The answer, asked for until the database gives one."""
    until = time.monotonic() + within_s
    while True:
        try:
            return ask()
        except Exception:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def knock() -> dict[str, Any]:
    """How every listener of every server answers those who shouldn't get in, and a province that should."""
    from tongbao_broker.kafka.client import ask
    from tongbao_broker.trust.certificates import CertificateAuthority

    strangers = Path(tempfile.mkdtemp())
    CertificateAuthority.create(strangers, now=CLOCK.now()).issue_to(
        strangers / "tls.pem", "000000", now=CLOCK.now(), days=1
    )
    home = PLACE.participant(SENDER)
    contexts = {
        "no certificate": context(home / "ca.pem"),
        "another authority's": context(home / "ca.pem", strangers / "tls.pem"),
        "a province's": context(home / "ca.pem", home / "tls.pem"),
    }
    answers: dict[str, Any] = {}
    for host in PLACE.brokers:
        for port in (PLACE.broker_port, PLACE.controller_port):
            server = f"{host}:{port}"
            answers[server] = {"plain": plain(host, port)} | {
                who: tried(partial(ask, server, shown)) for who, shown in contexts.items()
            }
    return answers


def plain(host: str, port: int) -> str:
    """What a request in plain text gets."""
    from tongbao_broker.kafka.client import API_VERSIONS

    def speak() -> None:
        with socket.create_connection((host, port), timeout=5) as link:
            link.sendall(API_VERSIONS)
            if not link.recv(1) or link.recv(64)[:1] == b"\x03":  # a TLS alert, or nothing
                raise ConnectionResetError

    return tried(speak)


def context(ca: Path, certificate: Path | None = None) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=str(ca))
    if certificate:
        made.load_cert_chain(str(certificate))
    return made


def tried(do: Callable[[], object]) -> str:
    try:
        do()
    except (OSError, OperationError):
        return "refused"
    return "answered"


def replicas() -> dict[str, Any]:
    """Every topic's replicas and how many of them are in step; whether the topology is as it should be."""
    from tongbao_broker.kafka import topology
    from tongbao_broker.kafka.client import administration

    connection = services.broker_connection(PLACE)
    with administration(connection) as admin:
        found = {
            each["name"]: [
                [len(partition["replica_nodes"]), len(partition["isr_nodes"])]
                for partition in each["partitions"]
            ]
            for each in admin.describe_topics()
        }
    plan = topology.plan(connection, services.directory(PLACE), len(PLACE.brokers))
    return {"topics": found, "empty": plan.empty}


def mark() -> str:
    return f"{CLOCK.now():%H%M%S%f}"[:10]


PARTS: dict[str, Callable[..., dict[str, Any]]] = {
    "samples": play_samples,
    "traffic": play_traffic,
    "knock": knock,
    "replicas": replicas,
}

if __name__ == "__main__":
    print(json.dumps(PARTS[sys.argv[1]](*(float(each) for each in sys.argv[2:]))))
