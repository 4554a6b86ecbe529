"""`python -m bench.inbox [--rows N]`: an officers' inbox with ever more alerts, without a broker.

A province's real database is filled by copying one received alert (row, record, content key, inbox item) and
spreading the copies over four units, four states and three levels; an escalation has asked the officer about
every 16th, and each that waits has a round under way. Then pages are asked for as a browser would ask: the
statements are counted, and the time of a whole page is the median of several. At last the watch takes its
turns over the same rows: with nothing due, looking through everything, and with 100 items due.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any, Final

from django.db import connections
from django.test.utils import CaptureQueriesContext

from tests.support.databases import DESK
from tests.support.desk import Browser, DeskAt
from tests.support.province import Network, Province, alert
from tongbao_broker import database
from tongbao_connectors.authorisation import Role
from tongbao_connectors.duty import watching
from tongbao_connectors.duty.judging import Judge
from tongbao_connectors.duty.models import Escalation
from tongbao_connectors.duty.rules import Rules
from tongbao_connectors.search.index import Index

SENDER, RECEIVER = "520000", "440000"
LEADER, OFFICER = "A-0001", "A-0117"
PAGES = (
    ("leader, 待签收", LEADER, "/inbox/"),
    ("leader, 待签收, page 200", LEADER, "/inbox/?page=200"),
    ("leader, 特急 only", LEADER, "/inbox/?level=flash"),
    ("leader, 已办结", LEADER, "/inbox/done/"),
    ("officer, 待签收", OFFICER, "/inbox/"),
    ("officer, 我的", OFFICER, "/inbox/mine/"),
    ("officer, 本组", OFFICER, "/inbox/group/"),
    ("officer, search for a name", OFFICER, "/inbox/"),
    ("officer, live count", OFFICER, "/badge/"),
)
SEARCHED: Final = {"officer, search for a name": {"q": "演练甲"}}
DUE: Final = 100
COPIES = (
    (
        "store_message",
        {
            "id": "-n",
            "message_id": "printf('01a2068f-8a00-7000-8000-%012d', n)",
            "thread": "printf('01a2068f-8a00-7000-8000-%012d', n)",
            "number": "printf('黔2026-%06d-X', n)",
            "delivery_seq": "n + 1000000",
        },
    ),
    ("store_record", {"message_id": "-n"}),
    ("store_contentkey", {"message_id": "-n"}),
    (
        "store_inboxitem",
        {
            "message_id": "-n",
            "unit": "CASE n % 4 WHEN 0 THEN unit ELSE 'duty' END",
            "officer_ref": "CASE n % 4 WHEN 0 THEN officer_ref ELSE 'A-0120' END",
            "state": (
                "CASE n % 8 WHEN 1 THEN 'claimed' WHEN 2 THEN 'working' WHEN 3 THEN 'closed' ELSE state END"
            ),
            "claimed_by": "CASE WHEN n % 8 IN (1, 2) THEN 'A-0120' ELSE '' END",
            "urgency": "CASE n % 3 WHEN 0 THEN 'flash' WHEN 1 THEN 'urgent' ELSE 'routine' END",
            "due_at": "datetime(due_at, printf('+%d seconds', (n * 7919) % 864000))",
        },
    ),
)
ASKED: Final = """
INSERT INTO store_askedalso (item_id, officer_ref)
SELECT message_id, '{officer}' FROM store_inboxitem
WHERE -message_id BETWEEN {first} AND {last} AND message_id % 16 = 0
"""
ROUND: Final = """
INSERT INTO duty_escalation (message_id, round, step, nth, due_at, done_at)
SELECT message_id, 1, step, 0, '{due}', CASE step WHEN 'on_duty' THEN '{due}' END
FROM store_inboxitem, (SELECT 'on_duty' step UNION SELECT 'group' UNION SELECT 'leader' UNION SELECT 'desk')
WHERE state = 'waiting' AND -message_id BETWEEN {first} AND {last}
"""
"""The steps of what waits, all of them due long after the measurement."""


@dataclass(frozen=True)
class Page:
    """What one page took: milliseconds of a whole answer, statements, bytes."""

    name: str
    rows: int
    ms: float
    statements: int
    size: int


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.inbox", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}\n")
    print("| rows | page | ms | statements | KB |\n| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory(prefix="tongbao-bench-") as folder:
        for page in measure(Path(folder), sorted(arguments.rows), arguments.rounds):
            print(f"| {page.rows} | {page.name} | {page.ms:.0f} | {page.statements} | {page.size // 1024} |")


def measure(folder: Path, rows: Sequence[int], rounds: int) -> list[Page]:
    """All pages with ever more rows."""
    net = Network(folder, apps=DESK)
    sender, receiver = net.province(SENDER), net.province(RECEIVER)
    sender.submit(alert("bench"))
    net.settle()
    desk = DeskAt(receiver)
    browsers = {
        LEADER: desk.person(Role.LEADER, LEADER),
        OFFICER: desk.person(Role.RECEIVER, OFFICER),
    }
    pages, filled = [], 0
    for count in rows:
        print(f"filling to {count} rows", file=sys.stderr)
        _fill(receiver, filled, count)
        filled = count
        pages += [_page(receiver, browsers[who], name, path, count, rounds) for name, who, path in PAGES]
        pages += _watch(receiver, count, rounds)
    database.close()
    return pages


def _fill(province: Province, present: int, wanted: int) -> None:
    with province.here(), database.atomic(), connections[province.code].cursor() as cursor:
        for table, changed in COPIES:
            cursor.execute(f"PRAGMA table_info({table})")
            columns = [column[1] for column in cursor.fetchall()]
            values = ", ".join(changed.get(column, f'"{column}"') for column in columns)
            key = "id" if "id" in columns else "message_id"
            cursor.execute(  # names of ours
                f"WITH RECURSIVE number(n) AS (SELECT {present + 1} UNION ALL "  # noqa: S608
                f"SELECT n + 1 FROM number WHERE n < {wanted}) "
                f"INSERT INTO {table} SELECT {values} FROM number, "
                f"(SELECT * FROM {table} WHERE {key} > 0 ORDER BY {key} LIMIT 1)"
            )
        due = province.net.clock.now() + timedelta(days=300)
        for statement in (ASKED, ROUND):
            given = {"officer": OFFICER, "first": present + 1, "last": wanted}
            cursor.execute(statement.format(due=f"{due:%Y-%m-%d %H:%M:%S}", **given))
    with province.here():
        Index.of(province.settings.folder).fill()
        with connections[province.code].cursor() as cursor:
            cursor.execute("ANALYZE")


def _page(province: Province, browser: Browser, name: str, path: str, rows: int, rounds: int) -> Page:
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        answer = _asked(browser, name, path)
        taken.append((time.perf_counter() - began) * 1000)
    with province.here(), CaptureQueriesContext(connections[province.code]) as statements:
        answer = _asked(browser, name, path)
    if answer.status_code != 200:
        raise SystemExit(f"{path} answered {answer.status_code}")
    return Page(name, rows, median(taken), len(statements), len(answer.content))


def _asked(browser: Browser, name: str, path: str) -> Any:
    return browser.post(path, SEARCHED[name]) if name in SEARCHED else browser.get(path)


def _watch(province: Province, rows: int, rounds: int) -> list[Page]:
    """What the watch's turns cost."""
    clock, rules = province.net.clock, Rules.of(province.settings)
    with province.here(), database.atomic():
        judge = Judge(watching.begin(clock.now()))

    def turn(name: str, before: Callable[[], object]) -> Page:
        taken = []
        for _ in range(rounds):
            clock.forward(seconds=1)
            before()
            with CaptureQueriesContext(connections[province.code]) as statements:
                began = time.perf_counter()
                judge.turn(rules, clock.now())
                taken.append((time.perf_counter() - began) * 1000)
        return Page(f"watch, {name}", rows, median(taken), len(statements), 0)

    def fall_due() -> None:
        chosen = Escalation.objects.filter(step="group", done_at=None).values("pk")[:DUE]
        Escalation.objects.filter(pk__in=list(chosen.values_list("pk", flat=True))).update(due_at=clock.now())

    with province.here():
        judge.turn(rules, clock.now())
        return [
            turn("nothing due", lambda: None),
            turn("everything looked through", lambda: clock.forward(minutes=11)),
            turn(f"{DUE} due", fall_due),
        ]


if __name__ == "__main__":
    main()
