"""The whole demo: workspace, jars, Kafka, exchange, five provinces, the samples; then it stays up or ends.

1. Processes are supervised in the main thread (see `supervisor`), the story is told in another one.
2. The first Ctrl-C (or SIGTERM) stops everything in order; a second one ends at once, and the children with
   it.
3. With `once` it ends when every sample has reached its last stage, or fails when the time is over.
"""

import asyncio
import os
import shlex
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tongbao_broker.clock import SystemClock
from tongbao_connectors import services
from tongbao_connectors import workspace as workspaces
from tongbao_connectors.cli.errors import Incomplete
from tongbao_connectors.cli.frame import INTERRUPTED
from tongbao_connectors.cli.progress import fetch_jars
from tongbao_connectors.demo import logins, samples
from tongbao_connectors.demo.journey import Journey
from tongbao_connectors.demo.screen import Screen, since
from tongbao_connectors.language import Language
from tongbao_connectors.settings import ConnectorSettings
from tongbao_connectors.workspace import Workspace

if TYPE_CHECKING:
    from tongbao_connectors.demo.story import Story

LEFT_ALONE = (1, 3, 4, 5)
EXAMPLE = 4
WITHIN_S = 90.0
PAUSE_S = 0.7
WATCH_EVERY_S = 0.5


@dataclass
class Outcome:
    """How the demo went. `exit_code` is 0 when every sample went as it should."""

    alerts: list[dict[str, Any]] = field(default_factory=list)
    trail: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    missing: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    desks: list[dict[str, Any]] = field(default_factory=list)
    interrupted: bool = False
    told: bool = False

    @property
    def ok(self) -> bool:
        return self.told and not self.missing

    def as_json(self) -> dict[str, Any]:
        """The one object on standard output."""
        facts = {
            "ok": self.ok,
            "alerts": self.alerts,
            "trail": self.trail,
            "desks": self.desks,
            "seconds": self.seconds,
        }
        return facts if self.ok else {**facts, "missing": self.missing}


class Demo:
    """One run of the demo in one folder."""

    def __init__(
        self,
        folder: Path,
        *,
        once: bool,
        lang: Language,
        default_folder: bool,
        told: Callable[[Outcome], None],
    ) -> None:
        self._folder = folder
        self._once = once
        self._lang = lang
        self._default_folder = default_folder
        self._told = told
        self._screen = Screen(lang)
        self._clock = SystemClock()
        self._halt = threading.Event()
        self._error: Exception | None = None
        self.outcome = Outcome()

    def run(self) -> Outcome:
        """Runs to the end. Raises what went wrong, Incomplete if a stage is missing.

        `told` is called with the outcome once all samples are through, or the time for it is over.
        """
        began = time.monotonic()
        workspace = self._workspace()
        self._jars()
        asyncio.run(self._serve(workspace))
        self.outcome.seconds["total"] = round(since(began), 3)
        if self._once and self.outcome.alerts:
            self._told(self.outcome)
        if self._error is not None:
            raise self._error
        return self.outcome

    def _workspace(self) -> Workspace:
        began = time.monotonic()
        if workspaces.exists(self._folder):
            workspace = workspaces.load(self._folder)
            self._screen.done(
                f"沿用工作区 {self._shown()}",
                f"Using the workspace {self._shown()} from before",
                since(began),
            )
            return workspace
        workspace = workspaces.create(self._folder, self._clock.now())
        self._screen.done(
            f"新建工作区 {self._shown()}：密钥、证书、根文件（5 签 3）、目录（3 签 2）",
            f"Made the workspace {self._shown()}: keys, certificates, root (3 of 5), directory (2 of 3)",
            since(began),
        )
        self.outcome.seconds["workspace"] = round(since(began), 3)
        return workspace

    def _jars(self) -> None:
        began = time.monotonic()
        count = fetch_jars(self._lang)
        self._screen.done(
            f"Kafka 4.3.1 的 {count} 个组件，sha256 全部相符",
            f"The {count} jars of Kafka 4.3.1, every sha256 as pinned",
            since(began),
        )
        self.outcome.seconds["jars"] = round(since(began), 3)

    async def _serve(self, workspace: Workspace) -> None:
        began = time.monotonic()
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._interrupt, stop)

        def tell() -> None:
            self._screen.rest()
            self.outcome.seconds["start"] = round(since(began), 3)
            self.outcome.desks = logins.desks(workspaces.load(workspace.folder))
            story = threading.Thread(target=self._tell, args=(workspace, loop, stop), daemon=True)
            story.start()

        self._screen.busy(
            "正在启动 Kafka、交换中心和五省 …", "Starting Kafka, the exchange and five provinces …"
        )
        try:
            await services.serve(workspace, stop, started=tell, changed=self._screen.processes)
        finally:
            self._screen.rest()
            self._halt.set()
        self._screen.settle()
        if not self._once or self.outcome.interrupted:
            self._screen.say("已全部停止。", "Everything has stopped.")

    def _interrupt(self, stop: asyncio.Event) -> None:
        if stop.is_set():
            os._exit(INTERRUPTED)
        stop.set()
        self._halt.set()
        self.outcome.interrupted = True
        self._screen.settle()
        self._screen.say("正在停止 …（再按一次立即结束）", "Stopping … (once more to end at once)")

    def _tell(self, workspace: Workspace, loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
        try:
            story = self._story(workspace)
            if not self._once and not self._halt.is_set():
                self._told(self.outcome)
                self._stay(workspace, story)
        except Exception as error:
            self._error = error
        finally:
            if self._once or self._error is not None:
                loop.call_soon_threadsafe(stop.set)

    def _story(self, workspace: Workspace) -> "Story":
        began = time.monotonic()
        provinces = {
            code: ConnectorSettings.load(workspace.participant(code)) for code in workspace.provinces
        }
        for settings in provinces.values():
            settings.open_database()
        from tongbao_connectors.demo.story import Story  # its models need an open database

        story = Story(
            provinces, self._clock, pause_s=0.0 if self._once else PAUSE_S, changed=self._screen.show
        )
        self._screen.say("发送示例通报：", "Sending the sample alerts:", style="bold")
        self._screen.follow(story.journeys)
        run = f"{self._clock.now():%Y%m%d%H%M%S%f}"[:17]
        story.send(samples.load(), run, () if self._once else LEFT_ALONE)
        story.play(self._halt, WITHIN_S)
        self._screen.settle()
        self._conclude(story, since(began))
        return story

    def _conclude(self, story: "Story", seconds: float) -> None:
        self.outcome.seconds["alerts"] = round(seconds, 3)
        self.outcome.alerts = [_facts(journey) for journey in story.journeys]
        self.outcome.trail = story.trail()
        self.outcome.missing = {
            f"{journey.sample.number} {journey.number or journey.message_id}": journey.missing
            | ({"refused": [journey.refusal]} if journey.refusal else {})
            for journey in story.journeys
            if journey.missing or journey.refusal
        }
        self.outcome.told = not self._halt.is_set()
        if self.outcome.missing and self.outcome.told:
            lacking = [f"{name}: {stages}" for name, stages in self.outcome.missing.items()]
            raise Incomplete("; ".join(lacking))
        if self.outcome.ok:
            self._say_that_all_came_through(seconds)

    def _say_that_all_came_through(self, seconds: float) -> None:
        size, root = self.outcome.trail["size"], str(self.outcome.trail["root"])[:16]
        self._screen.done(
            f"示例全部到位；公开账本 {size} 条，根 {root}…",
            f"All samples came through; the public log has {size} leaves, root {root}…",
            seconds,
        )

    def _stay(self, workspace: Workspace, story: "Story") -> None:
        self._screen.places(workspace, self._shown())
        self._screen.desks(self.outcome.desks)
        self._screen.commands(self._next_commands(story))
        self._screen.say(
            "\n本机演示网络保持运行；按 Ctrl-C 停止全部进程。",
            "\nThe network stays up on this machine; Ctrl-C stops all of it.",
            style="bold",
        )
        story.watch(self._halt, WATCH_EVERY_S)

    def _next_commands(self, story: "Story") -> list[tuple[str, str]]:
        program = f"{self._program()}{self._options()}"
        example = next(journey for journey in story.journeys if journey.sample.number == EXAMPLE)
        code, number = example.audience[0], example.number
        officer = story.accountable(example, code)
        acting = f"--as {code} --officer {officer}"
        words = self._screen.words
        sample = os.path.relpath(story.journeys[0].sample.path)
        return [
            (words("看各省收件箱", "See what lies in the inboxes"), f"{program} inbox"),
            (words("打开正文（会留痕）", "Open a body (on record)"), f"{program} show {number} {acting}"),
            (words("签收", "Sign for it"), f"{program} claim {number} {acting}"),
            (
                words("反馈", "Answer it"),
                f"{program} answer {number} {acting} --outcome confirmed --text 演练反馈",
            ),
            (words("看全程留痕", "See its whole trail"), f"{program} trail {number}"),
            (
                words("再发一份并跟踪", "Send one and follow it"),
                f"{program} send {sample} --as 520000 --follow",
            ),
            (words("看各进程和各单位", "See processes and provinces"), f"{program} status"),
        ]

    def _shown(self) -> str:
        """The folder as a person would type it."""
        relative = os.path.relpath(self._folder)
        return str(self._folder) if relative.startswith("..") else relative

    def _options(self) -> str:
        return "" if self._default_folder else f" --dir {shlex.quote(self._shown())}"

    def _program(self) -> str:
        called = Path(sys.argv[0])
        if called.name != "tongbao" or shutil.which("tongbao") == str(called.absolute()):
            return "tongbao"
        return os.path.relpath(called)


def _facts(journey: Journey) -> dict[str, Any]:
    content = journey.sample.content
    return {
        "number": journey.number,
        "status": content["status"],
        "category": content["category"],
        "origin": journey.sample.origin,
        "audience": journey.audience,
        "stages": journey.stages,
    }
