"""The commands on a workspace whose processes don't run."""

import json
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tongbao_broker import database
from tongbao_broker.clock import SystemClock
from tongbao_connectors import services
from tongbao_connectors import workspace as workspaces
from tongbao_connectors.cli import send
from tongbao_connectors.cli.main import app
from tongbao_connectors.demo import samples
from tongbao_connectors.settings import ConnectorSettings
from tongbao_connectors.store.models import Draft, InboxItem, Message, Quarantine
from tongbao_connectors.workspace import Workspace
from tongbao_schemas.bodies.codes import ReturnGround

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NUMBER = "黔2026-000017-D"
MESSAGE_ID = "019aafd6-0c00-7000-8000-000000000001"
ANSWER_ID = "019aafd6-0c00-7000-8000-000000000002"
WAITING_ID = "019aafd6-0c00-7000-8000-000000000003"
FACTS = {
    "origin": "520000",
    "message_id": MESSAGE_ID,
    "thread": MESSAGE_ID,
    "type": "alert",
    "status": "exercise",
    "digest": "sha256:" + "0" * 64,
    "audience": "440000",
    "schema": "alert/1.0",
    "number": NUMBER,
    "urgency": "flash",
    "handling": "H1",
    "category": "outbound_trafficking",
    "issued_at": NOW,
    "expires_at": NOW + timedelta(days=30),
    "stored_at": NOW,
}


def opened(workspace: Workspace, code: str) -> str:
    """The database of a province of this workspace, whatever other tests opened under its name."""
    return ConnectorSettings.load(workspace.province(code)).open_database(migrate=True)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace in which one alert of Guizhou lies at Guangdong's desk in Shenzhen."""
    made = workspaces.create(tmp_path_factory.mktemp("cli") / "demo", SystemClock().now())
    with database.use(opened(made, "440000")):
        alert = Message.objects.create(**FACTS)
        InboxItem.objects.create(
            message=alert,
            unit="gd-shenzhen",
            officer_ref="粤-0117",
            rule="深圳",
            steps=[{"zh": "规则适用", "en": "rule applies"}],
            routed_at=NOW,
        )
        Quarantine.objects.create(
            topic="prov.440000.in.v1",
            topic_id="t",
            partition=0,
            offset=7,
            sha256="0" * 64,
            size=10,
            code="TB-206",
            noted_at=NOW,
        )
    database.close()
    yield made
    database.close()


def run(workspace: Workspace, *arguments: str) -> Any:
    environment = {"LANG": "", "LC_ALL": "", "COLUMNS": "200", "TONGBAO_DIR": str(workspace.folder)}
    return CliRunner().invoke(app, list(arguments), env=environment)


def data(workspace: Workspace, *arguments: str) -> Any:
    """The JSON value that a command prints."""
    result = run(workspace, *arguments, "--json")

    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def code_of(result: Any) -> str:
    """The code of the error on standard error."""
    return str(json.loads(result.stderr.splitlines()[-1])["error"]["code"])


def test_init_makes_a_workspace_and_says_where(tmp_path: Path, workspace: Workspace) -> None:
    """The first `init` makes it, the second is told that the folder is taken."""
    made = data(workspace, "init", str(tmp_path / "net"))
    again = run(workspace, "init", str(tmp_path / "net"), "--json")

    assert workspaces.load(tmp_path / "net").provinces == tuple(made["provinces"])
    assert (again.exit_code, code_of(again)) == (1, "OP-22")


def test_inbox_lists_what_lies_where(workspace: Workspace) -> None:
    """Without `--as` every province's desk is listed, with it one; `--officer` narrows to the accountable."""
    everywhere = data(workspace, "inbox")
    elsewhere = data(workspace, "inbox", "--as", "330000")
    his = data(workspace, "inbox", "--as", "440000", "--officer", "粤-0117")
    not_his = data(workspace, "inbox", "--as", "440000", "--officer", "粤-0151")

    assert [(item["province"], item["number"]) for item in everywhere] == [("440000", NUMBER)]
    assert (elsewhere, len(his), not_his) == ([], 1, [])


def test_inbox_for_people_uses_words(workspace: Workspace) -> None:
    """The table shows labels, not wire terms."""
    result = run(workspace, "inbox")

    assert all(word in result.stdout for word in (NUMBER, "特急", "演练", "外流贩毒", "贵州", "待签收"))


def test_inbox_tells_answers_from_alerts(workspace: Workspace) -> None:
    """An answer says what it is, and it is to be read, not signed for."""
    with database.use(opened(workspace, "440000")):
        answer = Message.objects.create(
            **(FACTS | {"message_id": ANSWER_ID, "type": "answer", "answer_kind": "result"})
        )
        InboxItem.objects.create(
            message=answer, unit="gd-shenzhen", officer_ref="粤-0117", steps=[], routed_at=NOW
        )
    zh = run(workspace, "inbox", "--as", "440000").stdout
    en = run(workspace, "inbox", "--as", "440000", "--lang", "en").stdout
    with database.use(opened(workspace, "440000")):
        answer.delete()

    assert [_kind_and_state(line) for line in zh.splitlines() if NUMBER in line][::-1] == [
        "协查通报 待签收",
        "反馈 待阅",
    ]
    assert all(word in en for word in ("Alert", "Result", "to read", "to sign for"))


def _kind_and_state(line: str) -> str:
    return " ".join(word for word in line.split() if word in ("协查通报", "反馈", "待签收", "待阅"))


def test_show_names_the_unit_and_the_officer(workspace: Workspace) -> None:
    """An officer reads the unit's name; its code is for the settings file."""
    text = run(workspace, "show", NUMBER, "--as", "440000").stdout

    assert "深圳市禁毒支队" in text
    assert "粤-0117 演练员粤戊" in text
    assert "gd-shenzhen" not in text


def test_show_without_officer_leaves_the_body_closed(workspace: Workspace) -> None:
    """Header facts and the reason for the routing need no record."""
    shown = data(workspace, "show", NUMBER, "--as", "440000")

    assert (shown["officer_ref"], "body" in shown) == ("粤-0117", False)


def test_show_wants_a_reason_from_whoever_is_not_accountable(workspace: Workspace) -> None:
    """An officer of another unit must say why he opens the body."""
    result = run(workspace, "show", NUMBER, "--as", "440000", "--officer", "粤-0151", "--json")

    assert (result.exit_code, code_of(result)) == (2, "CL-03")


@pytest.mark.parametrize(
    ("arguments", "exit_code", "code"),
    [
        (["claim", NUMBER, "--as", "440000", "--officer", "粤-0151"], 77, "OP-09"),
        (["answer", NUMBER, "--text", "x", "--as", "440000", "--officer", "粤-0151"], 77, "OP-09"),
        (["claim", NUMBER, "--as", "440000"], 2, "CL-02"),
        (["claim", NUMBER, "--officer", "粤-0117"], 2, "CL-02"),
        (["claim", "黔2026-000018-B", "--as", "440000", "--officer", "粤-0117"], 4, "OP-08"),
        (["claim", NUMBER, "--as", "610000", "--officer", "粤-0117"], 4, "OP-23"),
        (["inbox", "--as", "100000"], 4, "OP-23"),
        (["trail", NUMBER], 4, "OP-08"),
        (["trail", MESSAGE_ID], 2, "CL-02"),
        (["quarantine", "show", "99", "--as", "440000"], 4, "OP-08"),
        (["schema", "show", "poem/1.0"], 4, "OP-08"),
        (["send", "no-such-file.json", "--as", "520000"], 4, "CL-04"),
        (["validate", "no-such-file.json"], 4, "CL-04"),
        (["topology", "plan"], 69, "OP-24"),
        (["inbox", "--dir", "no-such-folder"], 4, "OP-21"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_refused_with_its_exit_code(
    workspace: Workspace, arguments: list[str], exit_code: int, code: str
) -> None:
    """Not accountable 77, nobody named 2, nothing by that name 4, no server 69."""
    result = run(workspace, *arguments, "--json")

    assert (result.exit_code, code_of(result)) == (exit_code, code)


def test_claim_is_the_accountable_officers_once(workspace: Workspace) -> None:
    """The officer on duty signs; the item shows who did; the second one is told."""
    claimed = data(workspace, "claim", NUMBER, "--as", "440000", "--officer", "粤-0117")
    again = data(workspace, "claim", MESSAGE_ID, "--as", "440000", "--officer", "粤-0117")
    substitute = run(workspace, "claim", NUMBER, "--as", "440000", "--officer", "粤-0118", "--json")

    assert (claimed["state"], claimed["claimed_by"]) == ("claimed", "粤-0117")
    assert again == claimed
    assert (substitute.exit_code, code_of(substitute)) == (1, "OP-10")


@pytest.fixture
def waiting(workspace: Workspace) -> Iterator[str]:
    """The id of one more alert that waits for 粤-0117, gone afterwards."""
    with database.use(opened(workspace, "440000")):
        facts = FACTS | {"message_id": WAITING_ID, "thread": WAITING_ID, "number": ""}
        alert = Message.objects.create(**facts)
        InboxItem.objects.create(
            message=alert, unit="gd-shenzhen", officer_ref="粤-0117", steps=[], routed_at=NOW
        )
    yield WAITING_ID
    with database.use(opened(workspace, "440000")):
        alert.delete()


@pytest.mark.parametrize(
    ("options", "said", "state"),
    [
        (["--ground", "duplicate"], {"kind": "returned", "ground": "duplicate"}, "returned"),
        (["--kind", "return", "--ground", "not_our_area"], {"ground": "not_our_area"}, "returned"),
        (["--to", "330000"], {"kind": "redirect", "to": "330000"}, "redirected"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_not_ours_is_given_back_at_once(
    workspace: Workspace, waiting: str, options: list[str], said: dict[str, str], state: str
) -> None:
    """退回 and 建议改发 of what still waits, as at the desk; the body has what the desk's would have."""
    arguments = ["answer", waiting, "--text", "不在本辖区。", "--as", "440000", "--officer", "粤-0117"]

    draft = data(workspace, *arguments, *options)

    assert body_of(workspace, draft).items() >= said.items()
    assert state_of(workspace, waiting) == state


@pytest.mark.parametrize("until", ["2027-01-08T18:00", "2027-01-08 18:00", "2027-01-08T10:00:00+00:00"])
def test_more_time_in_beijing_time(workspace: Workspace, waiting: str, until: str) -> None:
    """申请延期 by whoever signed; without a zone the time is Beijing's."""
    who = ("--as", "440000", "--officer", "粤-0117")
    data(workspace, "claim", waiting, *who)

    draft = data(workspace, "answer", waiting, "--text", "等鉴定。", "--until", until, *who)

    body = body_of(workspace, draft)
    assert (body["kind"], body["until"]) == ("more_time", "2027-01-08T10:00:00.000Z")


@pytest.mark.parametrize(
    ("options", "exit_code", "code"),
    [
        (["--until", "morgen"], 2, "CL-01"),
        (["--ground", "no-such-ground"], 65, "TB-501"),
        (["--to", "440001"], 65, "TB-501"),
        (["--ground", "duplicate", "--to", "330000"], 65, "TB-501"),
        (["--kind", "poem"], 65, "TB-501"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_answer_that_cannot_be_understood(
    workspace: Workspace, waiting: str, options: list[str], exit_code: int, code: str
) -> None:
    """It says why, and the alert stays as it was."""
    who = ("--as", "440000", "--officer", "粤-0117")
    result = run(workspace, "answer", waiting, "--text", "x", *who, *options, "--json")

    assert (result.exit_code, code_of(result)) == (exit_code, code)
    assert state_of(workspace, waiting) == "waiting"


def test_the_help_names_every_ground(workspace: Workspace) -> None:
    """An officer needn't look the codes up."""
    for lang in ("zh", "en"):
        said = (
            CliRunner(env={"COLUMNS": "400"}).invoke(app, ["answer", "--help"], env={"LC_ALL": lang}).output
        )

        assert all(ground.value in said for ground in ReturnGround), lang


def body_of(workspace: Workspace, draft: dict[str, Any]) -> dict[str, Any]:
    """The body that a draft of Guangdong's waits with."""
    with database.use(opened(workspace, "440000")):
        row = Draft.objects.get(message_id=draft["message_id"])
    return dict(json.loads(bytes(row.text or b"{}"))["body"])


def state_of(workspace: Workspace, reference: str) -> str:
    """Where an alert stands at Guangdong's desk."""
    with database.use(opened(workspace, "440000")):
        return str(InboxItem.objects.get(message__message_id=reference).state)


def test_send_without_servers_keeps_a_draft(workspace: Workspace) -> None:
    """The submission is checked and stored; the same file again is the same message."""
    sample = samples.load()[0]
    first = data(workspace, "send", str(sample.path), "--as", sample.origin)
    second = data(workspace, "send", str(sample.path), "--as", sample.origin)

    assert (first["state"], first["created"], second["created"]) == ("drafted", True, False)
    assert first["message_id"] == second["message_id"]


def test_send_says_that_it_is_known_only_when_it_is(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the connector numbers a first draft, nobody is told that he had sent it before."""
    monkeypatch.setattr(services, "running", lambda _workspace: object())
    monkeypatch.setattr(send, "NUMBER_WITHIN_S", 0.2)
    sample = samples.load()[1]
    first = run(workspace, "send", str(sample.path), "--as", sample.origin)
    second = run(workspace, "send", str(sample.path), "--as", sample.origin, "--json")

    assert ("此前已提交过" in first.stderr, first.exit_code) == (False, 0)
    assert ("此前已提交过" in second.stderr, json.loads(second.stdout)["created"]) == (True, False)


def test_bad_submission_is_refused_before_anything_is_stored(workspace: Workspace) -> None:
    """Each bad example ends with 65 and its code, and none leaves a draft; every third one also by `send`."""
    folder = samples.folder() / "bad"
    expected = tomllib.loads((folder / "expected.toml").read_text(encoding="utf-8"))
    with database.use(opened(workspace, "520000")):
        before = Draft.objects.count()
    for number, (stem, code) in enumerate(expected.items()):
        for command in ("validate", "send") if number % 3 == 0 else ("validate",):
            arguments = (command, str(folder / f"{stem}.json"), "--as", "520000", "--json")
            result = run(workspace, *arguments)

            assert (stem, result.exit_code, code_of(result)) == (stem, 65, code)
    with database.use(opened(workspace, "520000")):
        assert Draft.objects.count() == before


def test_good_samples_are_valid(workspace: Workspace) -> None:
    """Every sample passes `validate`, also from standard input."""
    for sample in samples.load():
        assert data(workspace, "validate", str(sample.path), "--as", sample.origin)["ok"] is True
    piped = CliRunner().invoke(app, ["validate", "-", "--json"], input=samples.load()[0].path.read_bytes())

    assert piped.exit_code == 0


def test_status_counts_what_each_province_has(workspace: Workspace) -> None:
    """Nothing runs, Guangdong has one alert and one quarantined record."""
    found = data(workspace, "status")
    guangdong = next(each for each in found["provinces"] if each["province"] == "440000")

    assert (found["running"], found["broker"]["answers"]) == (None, False)
    assert (guangdong["waiting"] + guangdong["claimed"], guangdong["quarantined"]) == (1, 1)


def test_quarantine_says_what_was_wrong(workspace: Workspace) -> None:
    """The list names place and code; one entry also reason and next step in words."""
    listed = data(workspace, "quarantine", "list", "--as", "440000")
    shown = run(workspace, "quarantine", "show", str(listed[0]["id"]), "--as", "440000")

    assert [(each["code"], each["offset"]) for each in listed] == [("TB-206", 7)]
    assert all(word in shown.stdout for word in ("TB-206", "原因", "下一步"))


def test_directory_is_verified_before_it_is_shown(workspace: Workspace) -> None:
    """Participants, keys, agreements and postings come from the signed document."""
    shown = data(workspace, "directory", "show")
    said = run(workspace, "directory", "show").stdout

    assert {each["code"] for each in shown["participants"]} == set(workspace.participants)
    assert len(shown["agreements"]) == 10
    assert shown["digest"].startswith("sha256:")
    assert [(each["officer_ref"], each["host"]) for each in shown["postings"]] == [("黔-0301", "440000")]
    assert all(word in said for word in ("外派联络员", "黔-0301", "贵州", "广东"))


def test_an_officer_is_posted_and_recalled(workspace: Workspace) -> None:
    """The next directory says so; a posting that hadn't begun leaves no trace in the one after."""
    until = ("--until", "2099-01-01T00:00:00.000Z")
    times = ("--from", "2098-01-01T00:00:00.000Z", *until)
    posted = data(workspace, "directory", "post", "黔-0302", "--home", "520000", "--host", "330000", *times)
    recalled = data(workspace, "directory", "recall", "黔-0302")

    assert [(each["home"], each["host"]) for each in posted["postings"]] == [("520000", "330000")]
    assert recalled == {"directory": posted["directory"] + 1, "postings": []}
    assert run(workspace, "directory", "recall", "黔-0399").exit_code == 4
    nowhere = run(workspace, "directory", "post", "黔-0302", "--home", "520000", "--host", "520000", *until)
    assert nowhere.exit_code == 1


def test_schemas_can_be_listed_and_shown(workspace: Workspace) -> None:
    """Every name in the list can be shown."""
    names = data(workspace, "schema", "list")

    assert "submission/1.0" in names
    assert all("$schema" in data(workspace, "schema", "show", name) for name in names)


def test_down_without_servers_is_no_error(workspace: Workspace) -> None:
    """What is asked for is already so."""
    assert data(workspace, "down") == {"stopped": False}


def test_quarantine_replay_says_what_can_not_be_judged_again(workspace: Workspace) -> None:
    """Without a good signature no bytes were kept: exit 1 and the reason; with nothing to do: exit 0."""
    one = run(workspace, "quarantine", "replay", "1", "--as", "440000", "--json")
    every = run(workspace, "quarantine", "replay", "--all", "--as", "440000", "--json")
    neither = run(workspace, "quarantine", "replay", "--as", "440000")

    assert (one.exit_code, json.loads(one.stdout)[0]["outcome"]) == (1, "not_kept")
    assert (every.exit_code, json.loads(every.stdout)) == (0, [])
    assert neither.exit_code == 2


def test_recover_says_that_the_exchange_needs_a_backup(workspace: Workspace) -> None:
    """No topic holds all that its database does."""
    result = run(workspace, "recover", "100000", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stderr)["error"]["code"] == "CL-06"
