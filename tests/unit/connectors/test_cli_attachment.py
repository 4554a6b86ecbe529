"""`send --attach`, `show` and `attachment save`: a file from one province's disk to another's, by command."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.province import Network, Province, alert
from tongbao_broker.errors import NoRight, NotFound
from tongbao_connectors.cli import attachment, send, show
from tongbao_connectors.cli.errors import NoFile
from tongbao_connectors.cli.frame import Call
from tongbao_connectors.cli.typesetting import typeset
from tongbao_connectors.settings import ConnectorSettings
from tongbao_connectors.store.models import Event, Message, Opening
from tongbao_schemas.errors import Refused

PDF = b"%PDF-1.4\n" + bytes(300_000)
SIGNER = "A-0117"


class At(Call):
    """A call of the command line at one of the network's provinces."""

    __slots__ = ("there",)
    there: Province

    def province(self) -> "AbstractContextManager[ConnectorSettings]":  # type: ignore[override]
        return self._here()

    @contextmanager
    def _here(self) -> Iterator[ConnectorSettings]:
        with self.there.here():
            yield self.there.settings

    def runs(self) -> bool:
        return False


def call(there: Province, officer: str | None = None, *, as_json: bool = True) -> At:
    made = At(Path("demo"), False, None, officer, as_json, "zh")
    object.__setattr__(made, "there", there)
    return made


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    path = tmp_path / "演练法律文书.pdf"
    path.write_bytes(PDF)
    return path


@pytest.fixture
def submission(tmp_path: Path) -> Path:
    path = tmp_path / "alert.json"
    path.write_bytes(alert("a-1"))
    return path


def sent(net: Network, gz: Province, submission: Path, *files: Path) -> Message:
    send.send.function(call(gz), submission, attach=list(files))
    net.settle()
    with gz.here():
        return Message.objects.get(type="alert")


def test_a_file_goes_by_command(
    net: Network, gz: Province, gd: Province, submission: Path, paper: Path, tmp_path: Path, capsys: Any
) -> None:
    """The list is filled in; `show` says that all is here; `save` writes the same bytes, on record."""
    message = sent(net, gz, submission, paper)
    capsys.readouterr()
    show.show.function(call(gd, SIGNER), message.number)
    shown = json.loads(capsys.readouterr().out)
    assert [(each["name"], each["state"], each["parts"]) for each in shown["attachments"]] == [
        (paper.name, "complete", [2, 2])
    ]
    attachment.save.function(
        call(gd, SIGNER), message.number, paper.name, to=tmp_path / "copy.pdf", why="核对"
    )

    assert (tmp_path / "copy.pdf").read_bytes() == PDF
    with gd.here():
        assert Opening.objects.filter(officer_ref=SIGNER, why="核对").count() == 1
        assert Event.objects.filter(kind="file_opened").count() == 1


def test_the_paper_lists_files(
    net: Network, gz: Province, gd: Province, submission: Path, paper: Path
) -> None:
    """In words, with what is here."""
    message = sent(net, gz, submission, paper)
    with gd.here():
        found = show.look_up(message.number, gd.settings, net.clock.now())
        found = show.open_for(SIGNER, found, "核对", with_answers=False)
        lines = typeset(show.paper_of(call(gd, SIGNER), found, "核对"), 100)

    assert f"{paper.name}" in "".join(text for _, text, _ in lines)
    assert any("齐全" in text for _, text, _ in lines)


def test_sending_twice_is_sending_once(
    net: Network, gz: Province, submission: Path, paper: Path, capsys: Any
) -> None:
    """The same submission with the same files has the same list."""
    sent(net, gz, submission, paper)
    capsys.readouterr()
    send.send.function(call(gz), submission, attach=[paper])

    assert json.loads(capsys.readouterr().out)["created"] is False


def test_an_unfit_file_stops_everything(net: Network, gz: Province, submission: Path, tmp_path: Path) -> None:
    """HTML that calls itself a picture; a file that isn't there."""
    page = tmp_path / "照片.png"
    page.write_bytes(b"<html></html>")
    with pytest.raises(Refused):
        send.send.function(call(gz), submission, attach=[page])
    with pytest.raises(NoFile):
        send.send.function(call(gz), submission, attach=[tmp_path / "none.pdf"])
    with gz.here():
        assert Message.objects.count() == 0


def test_what_cannot_be_handed_out_says_why(
    net: Network, gz: Province, gd: Province, submission: Path, paper: Path, tmp_path: Path
) -> None:
    """No such file; one that exists already as the target; a handling code that forbids copies."""
    message = sent(net, gz, submission, paper)
    with pytest.raises(NotFound):
        attachment.save.function(call(gd, SIGNER), message.number, "x.pdf", to=tmp_path / "x", why="核对")
    with pytest.raises(NoFile):
        attachment.save.function(call(gd, SIGNER), message.number, paper.name, to=paper, why="核对")
    submission.write_bytes(alert("a-2", handling="H2"))
    send.send.function(call(gz), submission, attach=[paper])
    net.settle()
    with gz.here():
        other = Message.objects.filter(type="alert", handling="H2").get()
    with pytest.raises(NoRight):
        attachment.save.function(call(gd, SIGNER), other.number, paper.name, to=tmp_path / "y", why="核对")
    assert not (tmp_path / "y").exists()
