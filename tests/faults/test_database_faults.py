"""A database server that goes away under a running network, on a real broker; on PostgreSQL only."""

import json
import time
from datetime import UTC, datetime

import pytest
from django.db import connections

from tests.support import postgresql
from tests.support.network import Network, until
from tests.support.postgresql import only_postgresql
from tests.support.racing import attempt
from tongbao_broker import database
from tongbao_connectors import drafts
from tongbao_connectors.demo import samples
from tongbao_connectors.store.models import InboxItem, Incident, Outbox, StageReport

pytestmark = [pytest.mark.kafka, only_postgresql]

ORIGIN, ADDRESSEE = "520000", "440000"
CUTS, ALERTS = 6, 5


def submit(client_ref: str) -> str:
    """An alert's id; tried again with the same reference as long as the database is away."""
    data = json.dumps({**samples.load()[0].content, "client_ref": client_ref}).encode()

    def once() -> str:
        return drafts.submit(data, origin=ORIGIN, by="test", now=datetime.now(UTC)).message_id

    with database.use(ORIGIN):
        while (found := attempt(once)) == "Held":
            time.sleep(0.1)
    return str(found)


def reported(ids: list[str]) -> bool:
    """Whether the origin knows that all of them are routed, and has everything settled."""
    with database.use(ORIGIN):
        routed = StageReport.objects.filter(of__in=ids, stage="routed").values("of").distinct()
        return routed.count() == len(ids) and not Outbox.objects.exclude(state="settled").exists()


def test_connections_that_are_cut_lose_nothing(network: Network) -> None:
    """All at once, as by a restart of the server, again and again while alerts flow: each arrives once.

    They flow again within a minute.
    """
    names = [network.open_province(ORIGIN), network.open_province(ADDRESSEE), network.open_exchange()]
    servers = [connections[name].settings_dict["NAME"] for name in names]
    ids = []
    for cut in range(CUTS):
        ids += [submit(f"cut-{cut}-{number}") for number in range(ALERTS)]
        database.close()
        for server in servers:
            postgresql.cut_off(server)
    until(lambda: reported(ids), 60, "everything is through")

    with database.use(ADDRESSEE):
        assert sorted(InboxItem.objects.values_list("message__message_id", flat=True)) == sorted(ids)
    with database.use(ORIGIN):
        seqs = list(Outbox.objects.order_by("seq").values_list("seq", flat=True))
        assert seqs == list(range(1, len(seqs) + 1))
        assert not Incident.objects.exclude(kind="gap").exists()
