"""Keeps what a release's databases look like, so that later versions are tried on them.

    python -m tests.contract.releasing NAME       at every release, NAME its version

It lets a small network live for a while on SQLite and writes `tests/contract/released/NAME.json`:

    {"databases": {"520000": {"apps": […], "migrations": {"store": {"0001_initial": SHA-256 of its file}},
                              "rows": {"store_message": [{column: value}]}, "told": {what the program says}}}}

Bytes are written as {"base64": …}; everything else as SQLite keeps it.
"""

import base64
import hashlib
import json
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.support.databases import DESK, EXCHANGE, new_database
from tests.support.desk import DeskAt
from tests.support.province import Network, Province, alert
from tests.support.world import World
from tests.unit.exchange.station import Station
from tongbao_broker import database
from tongbao_connectors import casework
from tongbao_connectors.authorisation import Role
from tongbao_connectors.papers import drafting
from tongbao_connectors.papers.drafting import Hand
from tongbao_schemas.codes import Category

RELEASED = Path(__file__).parent / "released"
MADE_BY_MIGRATIONS = ("django_", "auth_permission", "sqlite_")
SENDER, RECEIVER, CENTRE = "520000", "440000", "100000"
Kept = dict[str, Any]


def main(name: str) -> None:
    """Writes the file of a release."""
    with TemporaryDirectory() as folder:
        databases = {**_provinces(Path(folder)), **_exchange(Path(folder) / "centre")}
    text = json.dumps({"databases": databases}, ensure_ascii=False, indent=1, sort_keys=True)
    (RELEASED / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def told_by_province(code: str) -> Kept:
    """What the program says of a province's database, now and after every later migration."""
    from tongbao_connectors.store.models import Event, Outbox, StageReport

    with database.use(code):
        states = ("waiting", "claimed", "assigned", "working", "answered", "read", "returned")
        inbox = casework.list_inbox(states=states)
        return {
            "inbox": sorted([item.number, item.state, item.officer_ref, item.claimed_by] for item in inbox),
            "outbox": [list(row) for row in Outbox.objects.order_by("seq").values_list("seq", "state")],
            "events": sorted(Event.objects.values_list("kind", flat=True)),
            "stages": sorted(StageReport.objects.values_list("stage", flat=True)),
        }


def told_by_exchange() -> Kept:
    """What the program says of an exchange's database."""
    from tongbao_broker.exchange.models import Delivery, Message, TrailState

    with database.use(CENTRE):
        trail = TrailState.objects.get()
        return {
            "messages": [
                list(row) for row in Message.objects.order_by("index").values_list("index", "digest")
            ],
            "deliveries": Delivery.objects.count(),
            "trail": [trail.size, trail.published_size, trail.checkpoint],
        }


def _provinces(folder: Path) -> Kept:
    net = Network(folder, apps=DESK)
    gz, gd = net.province(SENDER), net.province(RECEIVER)
    for number in range(3):
        gz.submit(alert(f"a-{number}"))
    gd.submit(alert("b-0", SENDER))
    net.settle()
    _work_on(gd)
    net.settle()
    gz.submit(alert("waits"))
    for province, officer in ((gz, "A-0120"), (gd, "A-0117")):
        desk = DeskAt(province)
        account = desk.account(Role.RECEIVER, officer, unit="duty")
        with province.here():
            hand = Hand(
                account.officer_ref,
                province.settings.roster(),
                province.code,
                net.world.network,
                net.clock.now(),
            )
            drafting.begin(Category.ONLINE, hand, {"body.title": ["演练：未写完的稿件"]})
    database.close()
    return {
        code: _kept(folder / code / f"{code}.db", DESK, told_by_province(code)) for code in (SENDER, RECEIVER)
    }


def _work_on(province: Province) -> None:
    from tongbao_connectors.casework import signing
    from tongbao_connectors.store.models import Message

    with province.here():
        waiting = sorted(casework.list_inbox(states=("waiting",)), key=lambda item: item.number)
        now, roster = province.net.clock.now(), province.settings.roster()
        for item in waiting[:2]:
            casework.claim(item.number, officer_ref=item.officer_ref, roster=roster, at=now)
        message = Message.objects.get(message_id=waiting[2].message_id)
        with database.atomic():
            signing.ask_also(message, ["A-0118", "A-0120"], now)
        casework.answer(
            waiting[0].number,
            kind="result",
            text="演练：已查获",
            outcome="seized",
            origin=province.code,
            officer_ref=waiting[0].officer_ref,
            roster=roster,
            at=now,
        )


def _exchange(folder: Path) -> Kept:
    folder.mkdir()
    world = World.create((SENDER, RECEIVER))
    with database.use(new_database(folder, CENTRE, EXCHANGE)):
        station = Station(world, folder)
        for _ in range(3):
            station.write(SENDER, world.message("alert", SENDER, [RECEIVER], at=station.clock.now()))
            station.run()
    database.close()
    return {CENTRE: _kept(folder / f"{CENTRE}.db", EXCHANGE, told_by_exchange())}


def _kept(file: Path, apps: Sequence[str], told: Kept) -> Kept:
    database.close()
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {
            name: [
                {column: _written(row[column]) for column in row.keys()}  # noqa: SIM118 - not a mapping
                for row in connection.execute(f'SELECT * FROM "{name}"')  # noqa: S608 - names of ours
            ]
            for name in names
            if not name.startswith(MADE_BY_MIGRATIONS)
        }
        applied = list(connection.execute("SELECT app, name FROM django_migrations ORDER BY id"))
    return {
        "apps": list(apps),
        "migrations": _migrations(applied),
        "rows": {name: found for name, found in rows.items() if found},
        "told": told,
    }


def _written(value: Any) -> Any:
    return {"base64": base64.b64encode(value).decode("ascii")} if isinstance(value, bytes) else value


def _migrations(applied: Sequence[sqlite3.Row]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for app, name in applied:
        found.setdefault(app, {})[name] = digest_of(app, name)
    return found


def digest_of(app: str, name: str) -> str:
    """SHA-256 of a migration's file; empty for those that come with a library."""
    from django.apps import apps

    package = apps.get_app_config(app).name
    if not package.startswith("tongbao_"):
        return ""
    file = import_module(f"{package}.migrations.{name}").__file__ or ""
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


if __name__ == "__main__":
    main(sys.argv[1])
