"""A network without a broker whose desks have a message, a draft, a shift and a login in every state.

广东 has received and sent, 浙江 has nothing at all, asks for a second factor and hasn't heard the exchange
for ten minutes, 贵州 is who wrote to 广东.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from django_otp.plugins.otp_totp.models import TOTPDevice

from tests.browser.served import serving
from tests.support.databases import DESK
from tests.support.desk import Browser, DeskAt
from tests.support.posting import post, posting
from tests.support.province import Network, Province, alert, alert_body
from tests.support.world import World
from tests.unit.desk.test_paper_pages import pressed
from tests.unit.duty.test_delivering import MAIL, channels
from tests.unit.duty.test_watch import RECIPIENTS, Carried, Watched
from tongbao_broker import database
from tongbao_connectors import casework, drafts
from tongbao_connectors.authorisation import Role
from tongbao_connectors.desk import tokens
from tongbao_connectors.desk.models import Account
from tongbao_connectors.duty import watching
from tongbao_connectors.duty.forms import local
from tongbao_connectors.duty.judging import Judge
from tongbao_connectors.duty.sending import Outbound
from tongbao_connectors.files import File
from tongbao_connectors.search.index import Index
from tongbao_connectors.store.models import ExchangeHead, InboxItem, Message
from tongbao_schemas.codes import Category

GUANGDONG, ZHEJIANG, GUIZHOU = "440000", "330000", "520000"
HANDLER, SECOND, LEADER, DESK_OFFICER = "A-0117", "A-0118", "A-0001", "A-0120"
RECEIVER, REVIEWER, HEAD = "receiver", "reviewer", "leader"
ADMIN, SUPERVISOR, POSTED, RECALLED = "admin", "supervisor", "posted", "recalled"
NOBODY = "nobody"
PEOPLE = {
    RECEIVER: (Role.RECEIVER, HANDLER),
    REVIEWER: (Role.REVIEWER, SECOND),
    HEAD: (Role.LEADER, LEADER),
    ADMIN: (Role.ADMIN, "A-0900"),
    SUPERVISOR: (Role.SUPERVISOR, "A-0901"),
    POSTED: (Role.POSTED, "A-0301"),
    RECALLED: (Role.POSTED, "A-0302"),
}
"""The roles; of the two posted officers one's posting is over."""
FILE = File.read("演练.txt", "演练".encode())
PASSWORD = "correct horse battery"
NEW, KNOWN, LOCKED = "a-0201", "a-0202", "a-0203"
"""At 浙江: without a second factor yet, with one, and locked after too many tries."""


@dataclass
class Scenes:
    """The network, where its desks are, and what lies in them, by name."""

    net: Network
    address: dict[str, str]
    people: dict[str, dict[str, Browser]] = field(default_factory=dict)
    at: dict[str, str] = field(default_factory=dict)
    drafts: dict[str, str] = field(default_factory=dict)

    def person(self, who: str, desk: str = GUANGDONG) -> Browser:
        """Somebody who is logged in, at 广东 or 浙江."""
        return self.people[desk][who]

    @property
    def gd(self) -> Province:
        return self.net.provinces[GUANGDONG]

    @property
    def gz(self) -> Province:
        return self.net.provinces[GUIZHOU]


@contextmanager
def scenes(folder: Path) -> Iterator[Scenes]:
    """The network in `folder`, with everything in it, its desks served to browsers."""
    net = Network(folder, apps=DESK, world=World.create(network="demo"))
    with ExitStack() as stack:
        stack.callback(database.close)
        for code in (GUIZHOU, GUANGDONG, ZHEJIANG):
            net.province(code)
        made = Scenes(
            net, {code: stack.enter_context(serving(net.provinces[code])) for code in net.provinces}
        )
        _postings(net)
        _received(made)
        _people(made)
        _sent(made)
        _drafts(made)
        _duty(made)
        yield made


def _postings(net: Network) -> None:
    now = net.clock.now()
    over = posting(now, days=(-9, -1), officer_ref=PEOPLE[RECALLED][1], home=GUANGDONG, host=GUIZHOU)
    post(net, posting(now, officer_ref=PEOPLE[POSTED][1], home=GUANGDONG, host=GUIZHOU), over)


def _people(made: Scenes) -> None:
    """Every role at both desks; at 浙江 also a new account, one with a token and one that is locked."""
    for code in (GUANGDONG, ZHEJIANG):
        province = made.net.provinces[code]
        desk = DeskAt(province, second_factor="off" if code == GUANGDONG else "required")
        made.people[code] = {
            name: desk.person(role, ref, unit="duty" if ref == LEADER else "intel")
            for name, (role, ref) in PEOPLE.items()
        }
    for name in (NEW, KNOWN, LOCKED):
        desk.account(Role.RECEIVER, name.upper(), password=PASSWORD)
    with province.here():
        ExchangeHead.objects.update(at=made.net.clock.now() - timedelta(minutes=10))
        account = Account.objects.get(username=KNOWN)
        TOTPDevice.objects.create(user=account, name="token", confirmed=True)
        tokens.new_recovery_codes(account)
    stranger = desk.stranger()
    for _ in range(5):
        stranger.post("/login/", {"username": LOCKED, "password": "wrong"})
    with made.gd.here():
        Account.objects.create(
            username="a-0333", officer_ref="A-0333", name="演练停用", role=Role.RECEIVER, is_active=False
        )


class _At:
    """An officer's acts at a desk, now."""

    def __init__(self, made: Scenes, province: Province, officer: str) -> None:
        self.made, self.province, self.officer = made, province, officer

    def __getattr__(self, act: str) -> Callable[..., Any]:
        def done(reference: str, **over: Any) -> Any:
            by = {"officer_ref": self.officer, "roster": self.province.settings.roster()}
            with self.province.here():
                return getattr(casework, act)(reference, at=self.made.net.clock.now(), **by, **over)

        return done


def _submitted(made: Scenes, sender: Province, name: str, *audience: str, **over: Any) -> str:
    """The id of an alert that the province sends, with a file."""
    data = alert(name, *audience, body=json.loads(alert_body(attachments=[FILE.note()])), **over)
    with sender.here():
        now = made.net.clock.now()
        draft = drafts.submit(data, origin=sender.code, by=DESK_OFFICER, now=now, files=[FILE])
    made.at[name] = draft.message_id
    return draft.message_id


def _received(made: Scenes) -> None:
    """What came to 广东: an alert in every state, and every other kind of message."""
    net, gz, gd = made.net, made.gz, made.gd
    sender = _At(made, gz, DESK_OFFICER)
    first, leader = _At(made, gd, HANDLER), _At(made, gd, LEADER)

    def sent(name: str, **over: Any) -> str:
        return _submitted(made, gz, name, **over)

    soon = {"sign_by": "2026-11-23T04:20:00.000Z", "first_feedback_by": "2026-11-23T08:00:00.000Z"}
    sent("overdue", deadlines={**soon, "result_by": "2026-11-30T04:00:00.000Z", "basis": "演练时限"})
    sent("expired", expires_at="2026-11-23T04:30:00.000Z", deadlines=_short())
    net.settle()
    net.clock.forward(hours=1)
    for name in ("signed", "assigned", "working", "asked", "answered", "returned", "closed", "cancelled"):
        first.claim(_settled(net, sent(name)))
    sent("waiting"), sent("urgent", urgency="urgent"), sent("routine", urgency="routine")
    net.settle()
    leader.assign(made.at["assigned"], to=SECOND)
    for name in ("working", "asked", "answered", "closed"):
        first.start(made.at[name])
    first.answer(made.at["working"], kind="progress", text="演练：已到现场。", origin=GUANGDONG)
    first.ask(made.at["asked"], text="演练：请补充照片。", origin=GUANGDONG)
    first.answer(
        made.at["returned"], kind="returned", ground="papers_incomplete", text="缺文书", origin=GUANGDONG
    )
    for name in ("answered", "closed"):
        first.answer(made.at[name], kind="result", outcome="located", text="演练：找到。", origin=GUANGDONG)
    net.settle()
    sender.close(made.at["closed"], text="演练：办结。", outcome="achieved", origin=GUIZHOU)
    sender.cancel(made.at["cancelled"], ground="subject_found", text="演练：撤控。", origin=GUIZHOU)
    sender.supplement(made.at["signed"], relation="corrects", text="演练：车牌有误。", origin=GUIZHOU)
    sender.remind(made.at["waiting"], text="演练：请尽快签收。", origin=GUIZHOU)
    net.settle()
    with gz.here():
        question = InboxItem.objects.get(message__type="reply").message.message_id
    sender.reply(question, text="演练：照片随后发出。", origin=GUIZHOU)
    net.settle()
    with gd.here():
        for kind in ("update", "cancel", "reminder", "reply", "closure"):
            made.at[kind] = Message.objects.filter(type=kind, inbox_item__isnull=False)[0].message_id
        Index.of(gd.settings.folder).fill()


def _settled(net: Network, message_id: str) -> str:
    net.settle()
    return message_id


def _short() -> dict[str, str]:
    times = {"sign_by": "10", "first_feedback_by": "15", "result_by": "20"}
    return {name: f"2026-11-23T04:{minute}:00.000Z" for name, minute in times.items()} | {"basis": "演练"}


def _sent(made: Scenes) -> None:
    """What 广东 sent: under way, asked about, closed, rejected by the exchange, refused, not yet sealed."""
    net, gd, gz = made.net, made.gd, made.gz
    other, own = _At(made, gz, DESK_OFFICER), _At(made, gd, DESK_OFFICER)

    def sent(name: str, *audience: str) -> str:
        return _submitted(made, gd, name, *audience)

    sent("own open", GUIZHOU, ZHEJIANG), sent("own asked", GUIZHOU), sent("own closed", GUIZHOU)
    net.exchange.reject[sent("own rejected", GUIZHOU)] = "TB-404"
    sent("own refused", "650000")
    net.settle()
    other.claim(made.at["own open"])
    other.claim(made.at["own asked"])
    other.ask(made.at["own asked"], text="演练：请补充地址。", origin=GUIZHOU)
    other.open_body(made.at["own open"], why="承办")
    own.close(made.at["own closed"], text="演练：办结。", outcome="achieved", origin=GUANGDONG)
    net.settle()
    sent("own unsealed", GUIZHOU)


def _drafts(made: Scenes) -> None:
    """A draft of each category, empty; and one that is whole in each state."""
    author = made.person(RECEIVER)
    for category in Category:
        begun = author.post("/drafts/new/", {"category": category.value})
        made.drafts[category.value] = begun.headers["Location"]
    for name in ("reviewing", "approved", "sent back", "own"):
        by = made.person(HEAD) if name == "own" else author
        made.drafts[name] = address = _imported(by)
        assert pressed(by, address, "submit").headers["Location"] == address
    reviewer = made.person(REVIEWER)
    for name, form in {
        "approved": {"act": "pass", "remark": "演练：可以。"},
        "sent back": {"act": "send_back", "remark": "演练：写明车辆颜色。"},
    }.items():
        assert reviewer.post(f"{made.drafts[name]}act/", form).status_code == 302


def _imported(author: Browser) -> str:
    data = json.loads(alert("draft", GUIZHOU))
    data["body"]["movement"]["window"] |= {
        "from": "2026-11-24T10:00:00.000Z",
        "until": "2026-11-24T22:00:00.000Z",
    }
    response = author.post("/drafts/import/", {"text": json.dumps(data)})
    assert response.status_code == 302, response.text[-3000:]
    return str(response.headers["Location"]).split("?")[0]


def _duty(made: Scenes) -> None:
    """A week with a gap, a substitute and a swap that waits; a handover; channels."""
    folder, now = made.gd.settings.folder, made.net.clock.now()
    path = folder / "roster.toml"
    path.write_text(
        path.read_text(encoding="utf-8").replace(
            'unit = "intel"\nofficer = "A-0117"', 'unit = "intel"\nofficer = "A-0117"\nhours = "00:00-20:30"'
        ),
        encoding="utf-8",
    )
    channels(folder, MAIL.format(port=465, more="exercise = true") + RECIPIENTS)

    def hours(begin: int, end: int) -> dict[str, str]:
        start, until = now + timedelta(hours=begin), now + timedelta(hours=end)
        return {"start": local(start), "until": local(until), "unit": "intel"}

    giver = made.person(RECEIVER)
    giver.post("/duty/substitute/", {**hours(2, 5), "of": HANDLER})
    giver.post("/duty/swap/", {**hours(24, 28), "to": SECOND})
    giver.post("/handover/", {"act": "offer", "unit": "intel", "taker": SECOND, "briefed": "on"})
    with made.gd.here():
        with database.atomic():
            epoch = watching.begin(now)
        road = Carried()
        watched = Watched(made.net, made.gd, road, Judge(epoch), Outbound(epoch, road))
        watched.turn()
        watching.note_turn(epoch, True, now)
        ExchangeHead.objects.update(at=now)
