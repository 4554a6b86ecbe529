"""The watch at work: an alert arrives, people are asked in turn, words go out, somebody signs."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from tests.support.gateways import HttpServer, MailServer, http_server, mail_server
from tests.support.province import Network, Province, alert, alert_body
from tests.unit.duty.test_delivering import MAIL, ROOM, channels
from tongbao_broker import database
from tongbao_broker.errors import Fenced
from tongbao_connectors import casework
from tongbao_connectors.duty import changing, lines, watching
from tongbao_connectors.duty.changing import Hours
from tongbao_connectors.duty.channels import Channels
from tongbao_connectors.duty.delivering import Reason, Word, deliver
from tongbao_connectors.duty.judging import Judge
from tongbao_connectors.duty.models import ChannelState, Escalation, Notification
from tongbao_connectors.duty.rules import Rules
from tongbao_connectors.duty.sending import Outbound
from tongbao_connectors.store.models import Event, InboxItem

CANARY = "金丝雀九零一"
ON_DUTY, SUBSTITUTE, LEADER, DESK = "A-0117", "A-0118", "A-0001", "A-0120"

RECIPIENTS = "".join(
    f'[[recipient]]\nofficer = "{ref}"\nemail = "{ref.lower()}@gd.example"\n'
    for ref in (ON_DUTY, SUBSTITUTE, LEADER, DESK)
)


@dataclass
class Carried:
    """A road for words that a test looks along; `fail` says what becomes of them."""

    words: list[Word] = field(default_factory=list)
    fail: Reason | None = None

    def __call__(self, word: Word, own: Channels, at: object) -> Reason | None:
        self.words.append(word)
        return self.fail

    @property
    def addresses(self) -> list[str]:
        return sorted(word.address for word in self.words)


@dataclass
class Watched:
    """440000 with one 特急 alert in 待签收, and the watch's parts over it."""

    net: Network
    gd: Province
    road: Carried
    judge: Judge
    outbound: Outbound

    @property
    def rules(self) -> Rules:
        return Rules.of(self.gd.settings)

    @property
    def item(self) -> InboxItem:
        return InboxItem.objects.select_related("message").get(message__type="alert")

    def after(self, **delta: float) -> "Watched":
        """Turns once after this time, with a fresh head."""
        self.net.clock.forward(**delta)
        self.turn()
        return self

    def turn(self) -> None:
        now = self.net.clock.now()
        self.judge.turn(self.rules, now)
        while self.outbound.turn(self.rules, now):
            pass

    def taken(self) -> list[str]:
        done = Escalation.objects.filter(done_at__isnull=False).order_by("done_at", "due_at", "nth")
        return [f"{row.step}{row.nth or ''}" for row in done]

    def events(self, kind: str) -> list[str]:
        return [event.facts["zh"] for event in Event.objects.filter(kind=kind).order_by("pk")]

    def claim(self) -> None:
        casework.claim(
            self.item.message.number,
            officer_ref=ON_DUTY,
            roster=self.rules.roster,
            at=self.net.clock.now(),
        )


def watched(tmp_path: Path, text: str, carry: object = None, **over: object) -> Watched:
    net = Network(tmp_path)
    gz, gd = net.province("520000"), net.province("440000")
    gz.submit(alert("a-1", **over))
    net.settle()
    channels(gd.settings.folder, text)
    road = Carried()
    with gd.here(), database.atomic():
        epoch = watching.begin(net.clock.now())
    outbound = Outbound(epoch, carry or road)  # type: ignore[arg-type]
    return Watched(net, gd, road, Judge(epoch), outbound)


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watched]:
    """With e-mail that takes exercises."""
    text = MAIL.format(port=465, more="exercise = true") + RECIPIENTS
    made = watched(tmp_path, text)
    with made.gd.here():
        yield made
    database.close()


def test_people_are_asked_in_turn_until_the_last(watch: Watched) -> None:
    """On duty at once, group after 5 minutes, leader after 10, duty desk after 15, then all again."""
    seen = []
    for minutes in (0, 4, 1, 5, 5, 5):
        watch.after(minutes=minutes)
        seen.append(watch.taken())

    assert seen == [
        ["on_duty"],
        ["on_duty"],
        ["on_duty", "group"],
        ["on_duty", "group", "leader"],
        ["on_duty", "group", "leader", "desk"],
        ["on_duty", "group", "leader", "desk", "repeat1"],
    ]
    assert watch.item.asked == [SUBSTITUTE, LEADER, DESK]


def test_each_step_is_a_line_in_the_timeline(watch: Watched) -> None:
    """Whom it reached and how, and that a channel took it."""
    watch.after(minutes=0)
    watch.turn()

    assert watch.events("escalated") == [f"通知主责：{ON_DUTY}；网页、邮件"]
    assert watch.events("notified") == [f"邮件 → {ON_DUTY} 已送出"]
    assert watch.road.addresses == ["a-0117@gd.example"]


def test_signing_stops_it(watch: Watched) -> None:
    """Nobody is asked any more, and the rows say so."""
    watch.after(minutes=0)
    watch.claim()
    watch.after(minutes=5).after(minutes=50)

    assert watch.taken() == ["on_duty"]
    assert not Escalation.objects.filter(stopped_at=None).exists()
    assert len(watch.road.words) == 1


def test_silence_after_signing_starts_it_again(watch: Watched) -> None:
    """After an hour without a sign of work a 特急 alert lies in 待签收 again, with a second round."""
    watch.after(minutes=0)
    watch.claim()
    watch.after(minutes=59)
    assert watch.item.state == "claimed"
    watch.after(minutes=2)

    assert (watch.item.state, watch.item.claimed_by) == ("waiting", "")
    assert Escalation.objects.filter(round=2, step="on_duty", done_at__isnull=False).count() == 1
    assert watch.road.words[-1].notice.why == "back"


def test_after_an_outage_steps_are_taken_as_one(watch: Watched) -> None:
    """One line, one word to each."""
    watch.after(minutes=16)

    assert watch.taken() == ["on_duty", "group", "leader", "desk"]
    assert watch.events("escalated") == [
        f"升级到省值班室：{ON_DUTY}、{SUBSTITUTE}、{LEADER}、{DESK}；网页、邮件（合并 4 步）"
    ]
    assert watch.road.addresses == [f"a-0{n}@gd.example" for n in ("001", "117", "118", "120")]


def test_who_was_told_a_moment_ago_isnt_told_again(watch: Watched) -> None:
    """Within the window a repeat is suppressed, and that is a line too."""
    path = watch.gd.settings.folder / "channels.toml"
    path.write_text("window_s = 3600\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    watch.after(minutes=0).after(minutes=5)

    assert watch.road.addresses == ["a-0117@gd.example", "a-0118@gd.example"]
    assert watch.events("suppressed") == [f"邮件 → {ON_DUTY} 未重复发送：短时间内已通知"]


def test_a_new_shift_takes_over_what_waits(watch: Watched) -> None:
    """The item moves with its clocks; who comes on duty hears of it."""
    watch.after(minutes=0)
    now = watch.net.clock.now()
    hours = Hours("intel", now, now + timedelta(hours=8))
    with database.atomic():
        changing.override(hours, to=SUBSTITUTE, by=LEADER, roster=watch.rules.roster, at=now)
    watch.after(seconds=1)

    assert watch.item.officer_ref == SUBSTITUTE
    assert watch.events("routed")[-1] == f"换班：责任人由 {ON_DUTY} 改为 {SUBSTITUTE}，时限不变"
    assert watch.road.addresses == ["a-0117@gd.example", "a-0118@gd.example"]
    assert Escalation.objects.filter(round=2).count() == 0


def test_an_own_reminder_comes_when_it_is_due(watch: Watched) -> None:
    """Once, to him alone."""
    watch.after(minutes=0)
    watch.claim()
    now = watch.net.clock.now()
    casework.remind_me(
        watch.item.message.number,
        when=now + timedelta(minutes=30),
        officer_ref=ON_DUTY,
        roster=watch.rules.roster,
        at=now,
    )
    watch.after(minutes=29).after(minutes=2).after(minutes=1)

    assert [word.notice.why for word in watch.road.words] == ["sign", "reminder"]


def test_a_channel_that_fails_is_tried_again_and_then_given_up(watch: Watched) -> None:
    """The first failure, the end, and that no channel worked are lines; the desk sees since when."""
    watch.road.fail = Reason.TIMEOUT
    watch.after(minutes=0)
    failed_at = watch.net.clock.now()
    for _ in range(12):
        watch.after(seconds=20)

    assert len(watch.road.words) == 5
    assert watch.events("channel_failed") == [
        f"邮件 → {ON_DUTY} 未送达：超时未答，稍后再试",
        f"邮件 → {ON_DUTY} 未送达：超时未答，不再尝试",
        "没有一个渠道送达，仅网页提示；按时限继续升级",
    ]
    state = ChannelState.objects.get(name="mail")
    assert (state.works, state.since) == (False, failed_at)


def test_an_officer_without_an_address_is_no_fault_of_the_channel(watch: Watched) -> None:
    """But when nobody can be reached, that is said at once."""
    path = watch.gd.settings.folder / "channels.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(ON_DUTY, "A-0999"), encoding="utf-8")
    watch.after(minutes=0)

    assert watch.road.words == []
    assert watch.events("channel_failed") == ["没有一个渠道送达，仅网页提示；按时限继续升级"]
    assert not ChannelState.objects.exists()


def test_an_exercise_doesnt_reach_a_live_channel(tmp_path: Path) -> None:
    """Unless that is marked for it; the line says which was left out."""
    made = watched(tmp_path, MAIL.format(port=465, more="") + RECIPIENTS)
    with made.gd.here():
        made.after(minutes=0)

        assert made.road.words == []
        assert made.events("escalated") == [f"通知主责：{ON_DUTY}；仅网页提示；邮件 不发演练和测试"]
        assert Notification.objects.filter(channel="web", recipient=ON_DUTY, state="sent").count() == 1
    database.close()


def test_a_word_that_waited_for_the_morning_isnt_sent_once_somebody_has_signed(tmp_path: Path) -> None:
    """Quiet hours hold it back; then it isn't wanted any more."""
    text = MAIL.format(port=465, more='exercise = true\nquiet = "00:00-23:59"') + RECIPIENTS
    made = watched(tmp_path, text, urgency="urgent")
    patient = "[urgent]\ngroup = 30\ncomes_back = 10080\n"
    (made.gd.settings.folder / "escalation.toml").write_text(patient, encoding="utf-8")
    with made.gd.here():
        made.after(minutes=0)
        made.claim()
        made.after(hours=24)

        assert made.road.words == []
        assert Notification.objects.get(channel="mail").state == "dropped"
    database.close()


def test_many_words_at_once_become_one_that_counts_them(tmp_path: Path) -> None:
    """After an outage nobody finds forty mails."""
    net = Network(tmp_path)
    gz, gd = net.province("520000"), net.province("440000")
    for number in range(5):
        gz.submit(alert(f"a-{number}"))
    net.settle()
    channels(gd.settings.folder, MAIL.format(port=465, more="exercise = true") + RECIPIENTS)
    road = Carried()
    with gd.here():
        with database.atomic():
            epoch = watching.begin(net.clock.now())
        made = Watched(net, gd, road, Judge(epoch), Outbound(epoch, road))
        made.after(minutes=0)

        [word] = road.words
        assert (word.notice.covers, word.notice.link.endswith("/inbox/waiting/")) == (5, True)
        assert len(made.events("suppressed")) == 4
    database.close()


def test_an_item_that_our_code_stumbles_over_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is left for a minute; then it is tried again."""
    net = Network(tmp_path)
    gz, gd = net.province("520000"), net.province("440000")
    for number in range(2):
        gz.submit(alert(f"a-{number}"))
    net.settle()
    road = Carried()
    with gd.here():
        with database.atomic():
            epoch = watching.begin(net.clock.now())
        made = Watched(net, gd, road, Judge(epoch), Outbound(epoch, road))
        good = lines.escalated
        stumbling = iter([True])

        def escalated(*given: object) -> object:
            if next(stumbling, False):
                raise RuntimeError("seeded")
            return good(*given)  # type: ignore[arg-type]

        monkeypatch.setattr(lines, "escalated", escalated)
        made.after(minutes=0)
        assert made.taken() == ["on_duty"]
        assert Notification.objects.filter(channel="web").count() == 1
        made.after(minutes=2)
        assert made.taken() == ["on_duty", "on_duty"]
    database.close()


def test_a_newer_watch_ends_the_older_one(watch: Watched) -> None:
    """What the old one writes fails; what it was sending isn't sent again."""
    watch.after(minutes=0)
    Notification.objects.filter(channel="mail").update(state="sending", epoch=watch.judge.epoch)
    with database.atomic():
        epoch = watching.begin(watch.net.clock.now())
    newer = Watched(watch.net, watch.gd, Carried(), Judge(epoch), Outbound(epoch, watch.road))
    sent_before = len(watch.road.words)
    newer.turn()

    assert Notification.objects.get(channel="mail").state == "unclear"
    assert len(watch.road.words) == sent_before
    assert "发送中断" in watch.events("channel_failed")[-1]
    with pytest.raises(Fenced):
        watch.after(minutes=5)


@pytest.mark.parametrize(
    ("minutes", "promised", "expected"),
    [
        pytest.param(0, 0, True, id="a fresh head and everything here"),
        pytest.param(3, 0, False, id="no head for three minutes"),
        pytest.param(0, 3, False, id="deliveries are still outstanding"),
    ],
)
def test_when_the_connector_is_caught_up(watch: Watched, minutes: int, promised: int, expected: bool) -> None:
    """Nothing is judged while something may be missing that changes the judgement."""
    if promised:
        known = watch.net.exchange.delivered["440000"]
        watch.net.exchange.head("440000", delivery_seq=known + promised)
        watch.net.round()
    watch.net.clock.forward(minutes=minutes)

    assert watching.is_caught_up(watch.net.clock.now()) is expected


@pytest.fixture
def servers() -> Iterator[tuple[MailServer, HttpServer]]:
    with mail_server() as mail, http_server() as http:
        yield mail, http


def test_no_word_carries_a_case(tmp_path: Path, servers: tuple[MailServer, HttpServer]) -> None:
    """Over real sockets, with a canary in every text of the body: level, number and link, nothing else."""
    mail, http = servers
    text = (
        MAIL.format(port=mail.port, more="exercise = true\nunsafe_plain = true")
        + ROOM.format(port=http.port, template="dingtalk").replace("0.3", "2\nexercise = true")
        + RECIPIENTS
    )
    body = alert_body(title=f"演练{CANARY}", facts=f"演练{CANARY}事实")

    made = watched(tmp_path, text, deliver, body=json.loads(body))
    with made.gd.here():
        made.after(minutes=0).after(minutes=6)
        mails = [
            message_from_bytes(raw.partition(b"\r\n")[2].partition(b"\r\n")[2], policy=policy.default)
            for raw in mail.received
        ]
        out = str([[*one.items(), one.get_content()] for one in mails]) + str(
            [(path, headers, content.decode()) for path, headers, content in http.received]
        )
        number = made.item.message.number
        tables = (Notification, Event, ChannelState, Escalation)
        rows = str([list(table.objects.values()) for table in tables])
    database.close()

    assert (len(mails), len(http.received)) == (3, 2)
    assert out.count(number) >= 5
    assert CANARY not in out + rows
    assert not any(secret in rows for secret in ("SEC1", "t-1"))
