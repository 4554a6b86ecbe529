"""What the demo shows on standard error: steps, processes, the alerts on their way, and what to type next.

On a terminal the alerts are one table that fills; in a file or a pipe each stage is one line.
"""

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.status import Status as Spinner
from rich.table import Table
from rich.text import Text

from tongbao_connectors.authorisation import Role
from tongbao_connectors.demo.journey import ALL_STAGES, Journey
from tongbao_connectors.language import Language
from tongbao_connectors.services import Status
from tongbao_connectors.words import category, place, short, stage, status, urgency
from tongbao_connectors.workspace import Workspace

LINE_WIDTH = 160
KINDS = {"": ("", ""), "desk": ("联络台", "'s desk"), "watch": ("值守", "'s watch")}


class Screen:
    """The demo's talk. `show` may be called from any thread."""

    def __init__(self, lang: Language) -> None:
        self._lang = lang
        terminal = sys.stderr.isatty()
        self._console = Console(
            file=sys.stderr, width=None if terminal else LINE_WIDTH, highlight=False, emoji=False
        )
        self._live: Live | None = None
        self._wheel: Spinner | None = None
        self._journeys: Sequence[Journey] = ()
        self._told: set[tuple[str, ...]] = set()
        self._ready: set[tuple[str, int | None]] = set()

    def words(self, zh: str, en: str) -> str:
        return zh if self._lang == "zh" else en

    def say(self, zh: str, en: str, *, style: str = "") -> None:
        """One line of talk."""
        self._console.print(Text(self.words(zh, en), style=style))

    def busy(self, zh: str, en: str) -> None:
        """Something takes some seconds; on a terminal a wheel turns until `rest`."""
        if self._console.is_terminal:
            self._wheel = self._console.status(self.words(zh, en))
            self._wheel.start()
        else:
            self.say(zh, en)

    def rest(self) -> None:
        """Ends what `busy` began."""
        if self._wheel is not None:
            self._wheel.stop()
            self._wheel = None

    def done(self, zh: str, en: str, seconds: float) -> None:
        """A step that is finished, with the time it took."""
        line = Text.assemble(("✓ ", "green"), self.words(zh, en), (f"  {seconds:.1f} s", "dim"))
        self._console.print(line)

    def processes(self, state: Status) -> None:
        """Names each process once when it becomes ready."""
        for process in state.processes:
            key = (process.name, process.pid)
            if process.state == "ready" and key not in self._ready:
                self._ready.add(key)
                self._console.print(Text.assemble(("✓ ", "green"), self._process(process.name, state)))

    def _process(self, name: str, state: Status) -> str:
        if name == "kafka":
            return self.words(
                f"Kafka 已就绪（{state.bootstrap}，双向 TLS）",
                f"Kafka is ready ({state.bootstrap}, mutual TLS)",
            )
        kind, _, code = name.rpartition("-")
        zh, en = KINDS[kind]
        return self.words(
            f"{code} {place(code, 'zh')}{zh} 已就绪", f"{code} {place(code, 'en')}{en} is ready"
        )

    def follow(self, journeys: Sequence[Journey]) -> None:
        """Begins to show these alerts; on a terminal as one live table."""
        self._journeys = journeys
        if self._console.is_terminal:
            self._live = Live(
                console=self._console, get_renderable=self._table, refresh_per_second=10, transient=False
            )
            self._live.start()

    def show(self) -> None:
        """Something about the alerts has changed."""
        if self._live is None:
            self._lines()

    def settle(self) -> None:
        """Ends the live table; what changes from now on is told line by line."""
        if self._live is not None:
            self._live.stop()
            self._live = None
            self._told = {key for journey in self._journeys for key, _ in _stages(journey)}

    def _lines(self) -> None:
        for journey in list(self._journeys):
            for key, seconds in _stages(journey):
                if key not in self._told:
                    self._told.add(key)
                    _, code, reached = key
                    way = f"{journey.number or '…':<18} {short(journey.sample.origin)}→{short(code)}"
                    self._console.print(Text(f"  {way}  {stage(reached, self._lang)}  {seconds:.2f} s"))

    def _table(self) -> Table:
        table = Table(box=box.SIMPLE, pad_edge=False)
        for zh, en in (("", ""), ("编号", "number"), ("去向", "way"), ("内容", "about")):
            table.add_column(self.words(zh, en), no_wrap=True)
        for each in ALL_STAGES:
            table.add_column(stage(each, self._lang), justify="right", no_wrap=True)
        for journey in list(self._journeys):
            for code in journey.audience:
                table.add_row(*self._row(journey, code))
        return table

    def _row(self, journey: Journey, code: str) -> list[Text]:
        content = journey.sample.content
        about = f"{urgency(content['urgency'], self._lang)} {category(content['category'], self._lang)}"
        if journey.sample.is_test:
            about += f" ({status('test', self._lang)})"
        return [
            Text(str(journey.sample.number), style="dim"),
            Text(journey.number or "…", style="bold"),
            Text(f"{short(journey.sample.origin)}→{short(code)}"),
            Text(about),
            *(self._cell(journey, code, each) for each in ALL_STAGES),
        ]

    def _cell(self, journey: Journey, code: str, each: str) -> Text:
        if (code, each) in journey.after_s:
            return Text(f"✓ {journey.after_s[code, each]:.2f} s", style="green")
        if journey.refusal is not None:
            return Text(journey.refusal, style="red")
        if each in journey.goal:
            return Text("…", style="yellow")
        if journey.sample.is_test:
            return Text("—", style="dim")
        return (
            Text(self.words("留给您", "yours"), style="cyan") if each == "claimed" else Text("—", style="dim")
        )

    def places(self, workspace: Workspace, folder: str) -> None:
        """Who takes part, at which address, with which folder."""
        table = Table(box=box.SIMPLE, pad_edge=False)
        for zh, en in (
            ("单位", "participant"),
            ("代码", "code"),
            ("写入 / 读取", "writes / reads"),
            ("文件夹", "folder"),
        ):
            table.add_column(self.words(zh, en))
        table.add_row("Kafka 4.3.1", "000000", workspace.bootstrap, f"{folder}/broker")
        table.add_row(
            place("100000", self._lang), "100000", "prov.*.in.v1 / prov.*.out.v1", f"{folder}/100000"
        )
        for code in workspace.provinces:
            topics = f"prov.{code}.out.v1 / prov.{code}.in.v1"
            table.add_row(place(code, self._lang), code, topics, f"{folder}/{code}")
        self._console.print(table)

    def desks(self, desks: Sequence[Mapping[str, Any]]) -> None:
        """Where the officers' pages are, and as whom one can log in."""
        if not desks:
            return
        self.say("联络台（在浏览器中打开）：", "The officers' desks (open them in a browser):", style="bold")
        for each in desks:
            name = place(each["province"], self._lang)
            self._console.print(Text.assemble(f"  {name}  ", (each["address"], "cyan bold")))
            people = self.words("、", ", ").join(self._login(login) for login in each["logins"])
            self._console.print(Text(f"    {people}"), soft_wrap=True)
        self.say(
            f"  口令都是 {desks[0]['password']}；只有演示网络不要求第二因素。",
            f"  The password is always {desks[0]['password']}; "
            "the demo network alone asks for no second factor.",
        )

    def _login(self, login: Mapping[str, str]) -> str:
        role = Role(login["role"]).label(self._lang)
        return f"{login['username']} {role if self._lang == 'zh' else role.lower()}"

    def commands(self, lines: Sequence[tuple[str, str]]) -> None:
        """What to type next: pairs of a purpose and a command."""
        self.say("接下来可在另一个终端输入：", "Next, in another terminal:", style="bold")
        rows: list[Any] = [
            Text.assemble(f"  {purpose}\n", (f"    {command}", "cyan")) for purpose, command in lines
        ]
        self._console.print(Group(*rows), soft_wrap=True)


def _stages(journey: Journey) -> list[tuple[tuple[str, ...], float]]:
    """The stages seen, as ((message id, addressee, stage), seconds since sending)."""
    return [((journey.message_id, *key), seconds) for key, seconds in list(journey.after_s.items())]


def since(began: float) -> float:
    """Seconds since a reading of the monotonic clock."""
    return time.monotonic() - began
