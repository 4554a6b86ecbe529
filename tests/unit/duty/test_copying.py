"""A posted officer is told of what goes between home and host: once, by level, number and link."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.posting import HOME, HOST, OFFICER, OTHER, post, posting
from tests.support.province import Network, Province, alert
from tests.unit.duty.test_delivering import MAIL, ROOM, channels
from tests.unit.duty.test_watch import Carried
from tongbao_broker import database
from tongbao_connectors import casework
from tongbao_connectors.duty import watching
from tongbao_connectors.duty.copying import Copier
from tongbao_connectors.duty.models import Notification
from tongbao_connectors.duty.rules import Rules
from tongbao_connectors.duty.sending import Outbound
from tongbao_connectors.store.models import Event, InboxItem

ADDRESS = "posted@gz.example"
RECIPIENT = f'[[recipient]]\nofficer = "{OFFICER}"\nemail = "{ADDRESS}"\n'


@dataclass
class Home:
    """贵州 with its watch's parts; its officer is posted at 广东."""

    net: Network
    gz: Province
    copier: Copier
    outbound: Outbound
    road: Carried = field(default_factory=Carried)

    def turn(self) -> None:
        """Two turns of the watch: what is queued, and what came of it."""
        rules, now = Rules.of(self.gz.settings), self.net.clock.now()
        self.copier.turn(rules, now)
        for _ in range(2):
            self.outbound.turn(rules, now)
            while not self.outbound.is_idle:
                self.outbound.collect(rules, now)

    def said(self) -> list[str]:
        """What went out, and to whom."""
        return [f"{word.address} {word.notice.text}" for word in self.road.words]

    def told(self) -> list[tuple[str, str]]:
        """Who was told of which message at the desk."""
        rows = Notification.objects.filter(channel="web", why="copy").order_by("pk")
        return [(row.recipient, row.path) for row in rows]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """With e-mail and a room that take exercises."""
    net = Network(tmp_path)
    gz = net.province(HOME)
    net.province(HOST), net.province(OTHER)
    post(net)
    room = ROOM.format(port=1, template="dingtalk") + "exercise = true\n"
    channels(gz.settings.folder, MAIL.format(port=465, more="exercise = true") + room + RECIPIENT)
    with gz.here():
        with database.atomic():
            epoch = watching.begin(net.clock.now())
        road = Carried()
        yield Home(net, gz, Copier(epoch), Outbound(epoch, road), road)
    database.close()


def sent(net: Network, origin: str, client_ref: str, *audience: str) -> str:
    """An alert, delivered; its id."""
    draft = net.provinces[origin].submit(alert(client_ref, *audience))
    net.settle()
    return draft.message_id


def answered(province: Province, reference: str) -> None:
    """The province signs for the alert and answers."""
    with province.here():
        owner = InboxItem.objects.get(message__message_id=reference).officer_ref
        at, roster = province.net.clock.now(), province.settings.roster()
        casework.claim(reference, officer_ref=owner, roster=roster, at=at)
        casework.answer(
            reference,
            officer_ref=owner,
            roster=roster,
            at=at,
            kind="progress",
            text="已布控。",
            origin=province.code,
        )
    province.net.settle()


def test_alerts_of_both_directions_are_copied_once(home: Home) -> None:
    """Sent to the host, or come from it; what is a third province's isn't, and no later turn repeats any."""
    mine = [sent(home.net, HOME, "to-both", HOST, OTHER), sent(home.net, HOST, "from-host", HOME)]
    sent(home.net, HOME, "to-other", OTHER), sent(home.net, OTHER, "from-other", HOME)
    home.turn()
    home.copier._seen = 0  # as after a new start of the watch
    home.turn()

    assert home.told() == [(OFFICER, f"/posted/m/{each}/") for each in mine]
    assert len(home.road.words) == 2


def test_listed_twice_he_is_told_once(home: Home) -> None:
    """Two postings to one host that overlap are one reason to tell him."""
    now = home.net.clock.now()
    post(home.net, posting(now), posting(now, days=(-2, 3)))
    sent(home.net, HOST, "from-host", HOME)
    home.turn()

    assert len(home.told()) == 1


def test_a_copy_says_level_number_and_link(home: Home) -> None:
    """Nothing of the case; by mail to him, and no word to the room."""
    reference = sent(home.net, HOST, "from-host", HOME)
    home.turn()

    [said] = home.said()
    assert said.startswith(f"{ADDRESS} 通报 【演练】特急 粤2026-000001")
    assert "抄送" in said
    assert said.endswith(f"/posted/m/{reference}/")


def test_an_answer_of_the_host_is_copied_and_no_other(home: Home) -> None:
    """Both addressees answer; he hears of his host's answer."""
    reference = sent(home.net, HOME, "to-both", HOST, OTHER)
    home.turn()
    answered(home.net.provinces[OTHER], reference)
    home.turn()
    assert len(home.told()) == 1

    answered(home.net.provinces[HOST], reference)
    home.turn()

    assert len(home.told()) == 2


def test_it_stands_in_the_timeline(home: Home) -> None:
    """Who was told over what, and that it arrived."""
    sent(home.net, HOST, "from-host", HOME)
    home.turn()

    lines = [event.facts["zh"] for event in Event.objects.filter(kind="notified").order_by("pk")]
    assert lines == [f"抄送外派联络员 {OFFICER}；网页、邮件", f"邮件 → {OFFICER} 已送出"]


def test_signing_doesnt_spare_him_the_word(home: Home) -> None:
    """A copy that waits is sent all the same after somebody has signed."""
    reference = sent(home.net, HOST, "from-host", HOME)
    home.copier.turn(Rules.of(home.gz.settings), home.net.clock.now())
    answered(home.gz, reference)
    home.turn()

    assert len(home.road.words) == 1


def test_a_word_that_waits_ends_with_the_posting(home: Home) -> None:
    """Queued before, not sent after."""
    sent(home.net, HOST, "from-host", HOME)
    home.copier.turn(Rules.of(home.gz.settings), home.net.clock.now())
    home.net.change(postings=[])
    home.net.settle()
    home.turn()

    assert home.road.words == []
    assert Notification.objects.get(channel="mail").state == "dropped"


@pytest.mark.parametrize(
    "changed",
    [{"days": (-30, -1)}, {"days": (1, 30)}, {"home": OTHER}],
    ids=["ended", "not begun", "not ours"],
)
def test_no_posting_no_copy(home: Home, changed: dict[str, object]) -> None:
    """Ended, not begun, of another home: nobody is told."""
    post(home.net, posting(home.net.clock.now(), **changed))  # type: ignore[arg-type]
    sent(home.net, HOST, "from-host", HOME)
    home.turn()

    assert home.told() == []


def test_a_posting_that_begins_later_starts_with_what_comes_then(home: Home) -> None:
    """What was there before the posting isn't told; what comes afterwards is."""
    sent(home.net, HOST, "before", HOME)
    post(home.net, posting(home.net.clock.now(), days=(0, 30)))
    after = sent(home.net, HOST, "after", HOME)
    home.turn()

    assert home.told() == [(OFFICER, f"/posted/m/{after}/")]


def test_after_a_days_outage_he_isnt_told_of_what_is_older(home: Home) -> None:
    """It is in his list; a word about it would be late."""
    sent(home.net, HOST, "from-host", HOME)
    home.net.clock.forward(days=1, minutes=1)
    home.turn()

    assert home.told() == []


def test_many_copies_at_once_become_one_that_leads_to_his_list(home: Home) -> None:
    """More than three at one moment are counted in one word."""
    for number in range(5):
        sent(home.net, HOST, f"from-host-{number}", HOME)
    home.turn()

    [word] = home.road.words
    assert (word.notice.covers, word.notice.link.endswith("/posted/")) == (5, True)
