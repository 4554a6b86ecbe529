"""Two provinces with an alert between them, and their officers at work: for tests of casework."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.province import Network, Province, alert
from tongbao_connectors.roster import Roster
from tongbao_connectors.store.models import Event, InboxItem, Message, StageReport

ACCOUNTABLE, SUBSTITUTE, LEADER, SENDER = "A-0117", "A-0118", "A-0001", "A-0120"


@dataclass
class Case:
    """Guizhou has sent Guangdong an alert, which lies with A-0117 there."""

    net: Network
    gz: Province
    gd: Province
    number: str
    message_id: str

    @classmethod
    def sent(cls, folder: Path, **over: Any) -> "Case":
        net = Network(folder)
        gz, gd = net.province("520000"), net.province("440000")
        draft = gz.submit(alert("a-1", **over), by=SENDER)
        net.settle()
        with gz.here():
            number = Message.objects.get(message_id=draft.message_id).number
        return cls(net, gz, gd, number, draft.message_id)

    def roster(self, there: Province) -> Roster:
        return there.settings.roster()

    def as_(self, there: Province, officer_ref: str) -> dict[str, Any]:
        """Who acts, by which roster, when."""
        return {"officer_ref": officer_ref, "roster": self.roster(there), "at": self.net.clock.now()}

    def gd_as(self, officer_ref: str = ACCOUNTABLE) -> dict[str, Any]:
        return self.as_(self.gd, officer_ref)

    def gz_as(self, officer_ref: str = SENDER) -> dict[str, Any]:
        return self.as_(self.gz, officer_ref)

    def item(self) -> InboxItem:
        """The alert's row in Guangdong."""
        with self.gd.here():
            return InboxItem.objects.select_related("message").get(message__message_id=self.message_id)

    def sent_alert(self) -> Message:
        """The alert's row in Guizhou."""
        return Message.objects.get(message_id=self.message_id)

    def events(self, there: Province | None = None) -> list[str]:
        """The kinds of the alert's lines, oldest first."""
        with (there or self.gd).here():
            rows = Event.objects.filter(message__message_id=self.message_id).order_by("pk")
            return list(rows.values_list("kind", flat=True))

    def reported(self) -> list[tuple[str, str]]:
        """Stage and officer of what Guangdong reports of the alert, oldest first."""
        with self.gd.here():
            rows = StageReport.objects.filter(place="", of=self.message_id).order_by("pk")
            return list(rows.values_list("stage", "officer_ref"))
