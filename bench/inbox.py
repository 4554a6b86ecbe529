"""`python -m bench.inbox [--rows N]`: an officers' inbox with ever more alerts, without a broker.

A province's real database is filled by copying one received alert (row, record, content key, inbox item) and
spreading the copies over four units, four states and three levels. Then pages are asked for as a browser
would ask: the statements are counted, and the time of a whole page is the median of several.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from django.db import connections
from django.test.utils import CaptureQueriesContext

from tests.support.databases import DESK
from tests.support.desk import Browser, DeskAt
from tests.support.province import Network, Province, alert
from tongbao_broker import database
from tongbao_connectors.authorisation import Role
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
    ("officer, search for a name", OFFICER, "/inbox/?q=演练甲"),
    ("officer, live count", OFFICER, "/badge/"),
)
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
            "state": (
                "CASE n % 8 WHEN 1 THEN 'claimed' WHEN 2 THEN 'working' WHEN 3 THEN 'closed' ELSE state END"
            ),
            "claimed_by": "CASE WHEN n % 8 IN (1, 2) THEN 'A-0120' ELSE '' END",
            "urgency": "CASE n % 3 WHEN 0 THEN 'flash' WHEN 1 THEN 'urgent' ELSE 'routine' END",
            "due_at": "datetime(due_at, printf('+%d seconds', (n * 7919) % 864000))",
        },
    ),
)


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
    with province.here():
        Index.of(province.settings.folder).fill()
        with connections[province.code].cursor() as cursor:
            cursor.execute("ANALYZE")


def _page(province: Province, browser: Browser, name: str, path: str, rows: int, rounds: int) -> Page:
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        answer = browser.get(path)
        taken.append((time.perf_counter() - began) * 1000)
    with province.here(), CaptureQueriesContext(connections[province.code]) as statements:
        answer = browser.get(path)
    if answer.status_code != 200:
        raise SystemExit(f"{path} answered {answer.status_code}")
    return Page(name, rows, median(taken), len(statements), len(answer.content))


if __name__ == "__main__":
    main()
