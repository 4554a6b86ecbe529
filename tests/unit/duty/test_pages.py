"""值班, 交接 and 通知 as pages: whole in both languages, and every form does what it says."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.databases import DESK
from tests.support.desk import Browser, DeskAt
from tests.support.province import Network, alert
from tests.unit.duty.test_delivering import MAIL, channels
from tests.unit.duty.test_watch import RECIPIENTS, Carried, Watched
from tongbao_broker import database
from tongbao_connectors.authorisation import Role
from tongbao_connectors.duty import current, watching
from tongbao_connectors.duty.forms import local
from tongbao_connectors.duty.judging import Judge
from tongbao_connectors.duty.models import ChannelState, Handover, Notification, ShiftChange
from tongbao_connectors.duty.sending import Outbound

ON_DUTY, SUBSTITUTE, LEADER, DESK_OFFICER = "A-0117", "A-0118", "A-0001", "A-0120"
PATHS = ("/duty/", "/duty/?unit=intel", "/handover/", "/notifications/")
FORMS = ("/duty/override/", "/duty/substitute/", "/duty/swap/")


@pytest.fixture
def gd(tmp_path: Path) -> Iterator[DeskAt]:
    """广东's desk with one alert in 待签收 and an e-mail channel."""
    net = Network(tmp_path, apps=DESK)
    gz, province = net.province("520000"), net.province("440000")
    gz.submit(alert("a-1"))
    net.settle()
    channels(province.settings.folder, MAIL.format(port=465, more="exercise = true") + RECIPIENTS)
    yield DeskAt(province)
    database.close()


def officer(gd: DeskAt, ref: str, lang: str = "zh-CN") -> Browser:
    return gd.person(Role.LEADER if ref == LEADER else Role.RECEIVER, ref, lang=lang)


def watch(gd: DeskAt) -> Watched:
    net = gd.province.net
    with gd.province.here():
        with database.atomic():
            epoch = watching.begin(net.clock.now())
        road = Carried()
        made = Watched(net, gd.province, road, Judge(epoch), Outbound(epoch, road))
        made.turn()
        watching.note_turn(epoch, True, net.clock.now())
    return made


def hours(gd: DeskAt, begin: float, end: float) -> dict[str, str]:
    now = gd.province.net.clock.now()
    return {
        "start": local(now + timedelta(hours=begin)),
        "until": local(now + timedelta(hours=end)),
        "unit": "intel",
    }


def accountable(gd: DeskAt, after_h: float) -> str:
    at = gd.province.net.clock.now() + timedelta(hours=after_h)
    with gd.province.here():
        return current.roster(gd.province.settings).accountable("intel", at).officer_ref


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
@pytest.mark.parametrize("path", [*PATHS, *FORMS])
def test_a_page_is_whole(gd: DeskAt, path: str, lang: str) -> None:
    """One h1, headings without jumps, no inline style or script, not a word of the other language."""
    watch(gd)
    page = officer(gd, LEADER, lang).get(path)

    assert page.status_code == 200, page.text[:2000]
    levels = [int(level) for level in re.findall(r"<h([1-6])", page.text)]
    assert levels.count(1) == 1
    assert all(other <= one + 1 for one, other in zip([1, *levels], levels, strict=False))
    assert not re.search(r"<[^>]+\sstyle=|\son[a-z]+=|<script(?![^>]+src=)|<style", page.text)
    if lang == "en":
        main = page.text[page.text.index("<main") : page.text.index("</main>")]
        shown = re.sub(
            r'<(\w+)[^>]* lang="zh"[^>]*>.*?</\1>|<option.*?</option>|<[^>]+>', "", main, flags=re.S
        )
        assert not re.findall(r"[\u4e00-\u9fff]+", re.sub(r"[粤黔]20\d\d", "", shown))


def test_the_week_names_its_gaps_and_the_leader_fills_one(gd: DeskAt) -> None:
    """A gap is red words with its length and a link to the form with these hours; then it is gone."""
    path = gd.province.settings.folder / "roster.toml"
    text = path.read_text(encoding="utf-8").replace(
        'unit = "intel"\nofficer = "A-0117"', 'unit = "intel"\nofficer = "A-0117"\nhours = "00:00-20:30"'
    )
    path.write_text(text, encoding="utf-8")
    leader = officer(gd, LEADER)
    page = leader.get("/duty/?unit=intel").text
    assert "本周有 7 段无人值班，共 24 时 30 分。" in page
    [link, *_] = re.findall(r'href="(/duty/override/\?unit=intel&amp;from=[^"]+)"', page)
    form = leader.get(link.replace("&amp;", "&")).text
    assert 'value="2026-' in form

    response = leader.post("/duty/override/", {**hours(gd, 1, 150), "to": SUBSTITUTE})
    assert response.status_code == 302
    assert "本周有 7 段" not in leader.get("/duty/?unit=intel").text


def test_a_swap_by_two_officers(gd: DeskAt) -> None:
    """One asks, the page says who is waited for; the other agrees and has the hours."""
    asker, other = officer(gd, ON_DUTY), officer(gd, SUBSTITUTE)
    assert asker.post("/duty/swap/", {**hours(gd, 24, 30), "to": SUBSTITUTE}).status_code == 302
    assert "等待 演练乙 确认调班" in asker.get("/duty/").text
    page = other.get("/duty/").text
    assert "演练甲 请你调班" in page
    assert accountable(gd, 25) == ON_DUTY

    [action] = re.findall(r'action="(/duty/swap/[0-9a-f-]{36}/)"', page)
    assert asker.post(action, {"act": "agree"}).status_code == 403
    assert other.post(action, {"act": "agree"}).status_code == 302
    assert (accountable(gd, 25), accountable(gd, 31)) == (SUBSTITUTE, ON_DUTY)


def test_a_substitute_and_taking_it_back(gd: DeskAt) -> None:
    """The week shows who stands in for whom; withdrawing is one press, and stays as a record."""
    mine = officer(gd, ON_DUTY)
    assert mine.post("/duty/substitute/", {**hours(gd, 1, 5), "of": ON_DUTY}).status_code == 302
    assert accountable(gd, 2) == SUBSTITUTE
    assert "代班" in mine.get("/duty/").text
    with gd.province.here():
        [row] = ShiftChange.objects.all()

    assert mine.post(f"/duty/change/{row.pk}/withdraw/").status_code == 302
    assert accountable(gd, 2) == ON_DUTY
    assert "已撤回" in mine.get("/duty/").text


@pytest.mark.parametrize(
    ("ref", "path", "changes", "expected", "sentence"),
    [
        pytest.param(ON_DUTY, "/duty/swap/", {"until": ""}, 200, "填写日期和时间", id="a field left out"),
        pytest.param(
            ON_DUTY,
            "/duty/swap/",
            {"until": "2020-01-01T00:00"},
            200,
            "结束时间须晚于开始时间",
            id="backwards",
        ),
        pytest.param(
            SUBSTITUTE, "/duty/swap/", {"to": ON_DUTY}, 409, "不全是 A-0118 的班", id="hours of another"
        ),
        pytest.param(
            SUBSTITUTE, "/duty/override/", {"to": SUBSTITUTE}, 403, "", id="an officer assigns nobody"
        ),
        pytest.param(LEADER, "/duty/override/", {"to": "A-9999"}, 200, "to", id="nobody of the roster"),
    ],
)
def test_what_a_form_doesnt_take(
    gd: DeskAt, ref: str, path: str, changes: dict[str, str], expected: int, sentence: str
) -> None:
    """The sentence stands at the top and at the field; nothing is stored, what was typed is kept."""
    given = {**hours(gd, 1, 5), "to": SUBSTITUTE, **changes}
    response = officer(gd, ref).post(path, given)

    assert response.status_code == expected
    assert sentence in response.text
    with gd.province.here():
        assert not ShiftChange.objects.exists()


def test_a_handover_between_two_pages(gd: DeskAt) -> None:
    """One gives, the other sees what he would take and takes it; both find it among the past ones."""
    giver, taker = officer(gd, ON_DUTY), officer(gd, SUBSTITUTE)
    assert "粤" in giver.get("/handover/").text or "2026-" in giver.get("/handover/").text
    given = {"act": "offer", "unit": "intel", "taker": SUBSTITUTE, "briefed": "on"}
    assert giver.post("/handover/", given).status_code == 302
    assert "等待接班" in giver.get("/handover/").text
    page = taker.get("/handover/").text
    assert "演练甲 向你交班" in page

    with gd.province.here():
        [row] = Handover.objects.all()
    assert giver.post("/handover/", {"act": "take", "handover": str(row.pk)}).status_code == 403
    assert taker.post("/handover/", {"act": "take", "handover": str(row.pk)}).status_code == 302
    assert accountable(gd, 1) == SUBSTITUTE
    assert "<b>演练甲</b> → <b>演练乙</b>" in taker.get("/handover/").text
    assert "<b>演练甲</b> → <b>演练乙</b>" not in officer(gd, DESK_OFFICER).get("/handover/").text


def test_channels_say_how_they_do_since_when(gd: DeskAt) -> None:
    """And what was sent lately, without a word of any case."""
    made = watch(gd)
    page = officer(gd, LEADER).get("/notifications/").text
    assert "邮件" in page
    with gd.province.here():
        assert made.rules.channels.label("mail") == "邮件"
        made.turn()
        now = made.net.clock.now()
        ChannelState.objects.filter(name="mail").update(works=False, since=now, reason="timeout")

    page = officer(gd, LEADER).get("/notifications/").text
    assert "起不通" in page
    assert "超时未答" in page


def test_an_administrator_tests_a_channel(gd: DeskAt) -> None:
    """The word carries nothing but that it is a test; the result stands on the page."""
    admin = gd.person(Role.ADMIN, "A-0117")
    made = watch(gd)
    assert admin.post("/notifications/mail/test/").status_code == 302
    assert admin.post("/notifications/mail/test/").status_code == 409
    with gd.province.here():
        made.turn()
    word = made.road.words[-1]
    assert (word.notice.why, word.notice.number, word.address) == ("test", "", "a-0117@gd.example")
    assert admin.get("/notifications/").text.count("已送出") >= 1


@pytest.mark.parametrize("role", [Role.RECEIVER, Role.LEADER, Role.SUPERVISOR])
def test_nobody_else_tests_a_channel(gd: DeskAt, role: Role) -> None:
    """It would reach people."""
    person = gd.person(role, "A-0001" if role is Role.LEADER else "A-0118")

    assert person.post("/notifications/mail/test/").status_code == 403
    with gd.province.here():
        assert not Notification.objects.exists()


def test_a_watch_that_is_not_running_is_said(gd: DeskAt) -> None:
    """Since when, what doesn't happen, what goes on."""
    assert "值守进程未运行" in officer(gd, LEADER).get("/notifications/").text
    watch(gd)
    assert "值守进程" not in officer(gd, LEADER).get("/notifications/").text
    gd.later(minutes=5)
    assert "起未运行" in officer(gd, LEADER).get("/notifications/").text


@pytest.mark.parametrize("name", ["channels.toml", "escalation.toml"])
def test_a_file_with_a_mistake_is_named(gd: DeskAt, name: str) -> None:
    """The page still opens and says which."""
    (gd.province.settings.folder / name).write_text("[[nonsense]]\n", encoding="utf-8")
    page = officer(gd, LEADER).get("/notifications/")

    assert page.status_code == 200
    assert "设置文件有误，新设置未生效。" in page.text
    assert name in page.text
