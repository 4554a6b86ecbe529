"""What every command shares: who acts, on which workspace, in which form and language; and how errors end it.

Rules:
1. `--dir --as --officer --json --lang` are taken before and after the command's name; the later one counts.
2. Data goes to standard output, talk to standard error. With `--json` standard output holds one JSON value
   and an error is one JSON object on standard error.
3. Every error is a code, one sentence and a next step, and ends with its exit code: 0 done, 1 checked and
   failed, 2 usage, 4 not found, 65 invalid data, 66 signature, 69 unreachable, 77 no right. A traceback is
   never shown, since it may quote data.
4. Nothing heavy is imported before a command runs, so that `--help` comes at once.
"""

import functools
import inspect
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from tongbao_connectors.cli.language import Lang, both, from_environment, language_of, pick
from tongbao_connectors.language import Language

if TYPE_CHECKING:
    from tongbao_connectors.settings import ConnectorSettings
    from tongbao_connectors.workspace import Workspace

DEFAULT_FOLDER = Path("tongbao-demo")
FOLDER_VARIABLE = "TONGBAO_DIR"
PANEL = both("各命令通用", "Common to all commands")
INTERRUPTED = 130
QUOTED = re.compile(r"'([^']+)'|\(([^()]+)\)$")

DirOption = Annotated[
    Path | None,
    typer.Option(
        "--dir",
        metavar="DIR",
        rich_help_panel=PANEL,
        help=both(
            "工作区，或一个省自己的文件夹（缺省 $TONGBAO_DIR，再缺省 ./tongbao-demo）",
            "The workspace, or a province's own folder (default $TONGBAO_DIR, else ./tongbao-demo)",
        ),
    ),
]
AsOption = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="CODE",
        rich_help_panel=PANEL,
        help=both("代表哪个单位操作，如 440000", "Which participant acts, 440000"),
    ),
]
OfficerOption = Annotated[
    str | None,
    typer.Option(
        "--officer",
        metavar="REF",
        rich_help_panel=PANEL,
        help=both("哪位联络员操作，如 粤-0117", "Which officer acts, 粤-0117"),
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", rich_help_panel=PANEL, help=both("以 JSON 输出", "Print JSON"))
]
LangOption = Annotated[
    Lang | None,
    typer.Option("--lang", rich_help_panel=PANEL, help=both("界面语言", "Language")),
]


@dataclass(frozen=True)
class Call:
    """One call of a command: the common options, and the ways out."""

    folder: Path
    default_folder: bool
    acting: str | None
    officer: str | None
    as_json: bool
    lang: Language

    def words(self, zh: str, en: str) -> str:
        """The text in the caller's language."""
        return zh if self.lang == "zh" else en

    def say(self, zh: str, en: str) -> None:
        """Talk, on standard error."""
        print(self.words(zh, en), file=sys.stderr, flush=True)

    def put(self, data: Any, show: Callable[[], None]) -> None:
        """The command's data: one JSON value with `--json`, else what `show` prints."""
        if self.as_json:
            print(json.dumps(data, ensure_ascii=False))
        else:
            show()

    def workspace(self) -> "Workspace":
        """The workspace; raises NoWorkspace."""
        from tongbao_connectors import workspace

        return workspace.load(self.folder)

    def is_one_province(self) -> bool:
        """Whether the folder is a province's own, as it is in service, and no workspace."""
        return (self.folder / "connector.toml").is_file()

    def provinces(self) -> tuple[str, ...]:
        """The provinces whose connectors' folders are here: a workspace's, or the one whose own folder it is.

        Raises NoWorkspace.
        """
        return (self._own().code,) if self.is_one_province() else self.workspace().provinces

    def code(self) -> str:
        """The participant that acts; in a province's own folder that province. Raises WhoActs."""
        from tongbao_connectors.cli.errors import WhoActs

        if self.acting is not None:
            return self.acting
        if self.is_one_province():
            return self._own().code
        raise WhoActs("--as")

    def officer_ref(self) -> str:
        """The officer who acts; raises WhoActs."""
        from tongbao_connectors.cli.errors import WhoActs

        if self.officer is None:
            raise WhoActs("--officer")
        return self.officer

    def settings(self, code: str | None = None) -> "ConnectorSettings":
        """The settings of a province: the one that acts unless another is named. Raises NoSuchParticipant."""
        from tongbao_connectors.settings import ConnectorSettings
        from tongbao_connectors.workspace import NoSuchParticipant

        wanted = code or self.code()
        if not self.is_one_province():
            return ConnectorSettings.load(self.workspace().province(wanted))
        own = self._own()
        if own.code != wanted:
            raise NoSuchParticipant(wanted)
        return own

    def runs(self) -> bool:
        """Whether the connector is up; in a workspace, whether its supervisor is."""
        from tongbao_broker import health
        from tongbao_connectors import services

        if self.is_one_province():
            return not health.trouble(self.folder)
        return services.running(self.workspace()) is not None

    def exchange(self) -> Path:
        """The exchange's folder: its own, or the one in the workspace. Raises NoWorkspace."""
        is_its_own = (self.folder / "exchange.toml").is_file()
        return self.folder if is_its_own else self.workspace().exchange

    @contextmanager
    def province(self, code: str | None = None) -> Iterator["ConnectorSettings"]:
        """The settings of a province (the one that acts), with its database as the current one."""
        from tongbao_broker import database

        settings = self.settings(code)
        nobody_has = not self.runs()  # a running worker has made its tables
        with database.use(settings.open_database(migrate=nobody_has)):
            yield settings

    def _own(self) -> "ConnectorSettings":
        from tongbao_connectors.settings import ConnectorSettings

        return ConnectorSettings.load(self.folder)


def call_of(options: Mapping[str, Any], environment: Mapping[str, str]) -> Call:
    """The call that these options (those of the command over those before it) and surroundings make."""
    lang = options.get("lang")
    chosen = options.get("dir") or environment.get(FOLDER_VARIABLE)
    return Call(
        folder=Path(chosen or DEFAULT_FOLDER),
        default_folder=not chosen,
        acting=options.get("acting"),
        officer=options.get("officer"),
        as_json=bool(options.get("json")),
        lang=from_environment(environment) if lang is None else ("en" if lang is Lang.EN else "zh"),
    )


def command(function: Callable[..., None]) -> Callable[..., None]:
    """A command: takes the common options beside its own, gets a `Call` first, and ends as rule 3 says."""
    signature = inspect.signature(function, eval_str=True)
    own = list(signature.parameters.values())[1:]

    @functools.wraps(function)
    def run(ctx: typer.Context, **given: Any) -> None:
        later = {name: given.pop(name) for name in COMMON if name in given}
        call = call_of({**(ctx.obj or {}), **_set(later)}, os.environ)
        with ended_well(call):
            function(call, **given)

    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    keyword = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    run.__signature__ = signature.replace(parameters=[context, *keyword, *COMMON.values()])  # type: ignore[attr-defined]
    run.__annotations__ = {"ctx": typer.Context}
    return run


@contextmanager
def ended_well(call: Call) -> Iterator[None]:
    """Turns every error inside into words and an exit code."""
    from tongbao_connectors.cli.errors import Unforeseen, report
    from tongbao_schemas.errors import TongbaoError

    try:
        yield
    except TongbaoError as error:
        raise typer.Exit(report(error, call.lang, as_json=call.as_json)) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except (typer.Exit, typer.TyperException, BrokenPipeError):
        raise
    except Exception as error:
        raise typer.Exit(report(Unforeseen.of(error), call.lang, as_json=call.as_json)) from None


def common(
    ctx: typer.Context,
    dir: DirOption = None,
    acting: AsOption = None,
    officer: OfficerOption = None,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Takes the common options before the command's name; without a command shows the help."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help(), nl=False)
    given = {"dir": dir, "acting": acting, "officer": officer, "json": json, "lang": lang}
    ctx.obj = {**(ctx.obj or {}), **_set(given)}


def _set(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value not in (None, False)}


COMMON = {
    name: parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
    for name, parameter in inspect.signature(common).parameters.items()
    if name != "ctx"
}


class Command(TyperCommand):
    """A command whose help comes in the language asked for."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        _translate(self, ctx)
        super().format_help(ctx, formatter)


class Group(TyperGroup):
    """A group of commands whose help comes in the language asked for, down to the list of its commands."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        _translate(self, ctx)
        for name in self.list_commands(ctx):
            _translate(self.get_command(ctx, name), ctx)
        super().format_help(ctx, formatter)


class Root(Group):
    """The whole command line."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta[__name__] = language_of(args, os.environ)
        return super().parse_args(ctx, args)

    def main(self, args: Sequence[str] | None = None, *others: Any, **named: Any) -> Any:
        given = list(sys.argv[1:] if args is None else args)
        try:
            code = super().main(given, *others, **{**named, "standalone_mode": False})
        except typer.TyperException as error:
            code = _wrong_usage(error, given)
        except typer.Abort:
            code = INTERRUPTED
        sys.exit(code if isinstance(code, int) else 0)


def _wrong_usage(error: typer.TyperException, given: Sequence[str]) -> int:
    from tongbao_broker.errors import Words
    from tongbao_connectors.cli.errors import Usage, report

    usage = Usage(Words(_misused(error), error.format_message()))
    return report(usage, language_of(given, os.environ), as_json="--json" in given)


def _misused(error: typer.TyperException) -> str:
    """The option, argument or word that the library's English message is about."""
    quoted = QUOTED.search(error.format_message())
    return str(getattr(error, "option_name", None) or (quoted[1] or quoted[2] if quoted else ""))


def _translate(command: Any, ctx: Any) -> None:
    lang = ctx.meta.get(__name__) or from_environment(os.environ)
    command.help = pick(command.help or "", lang)
    for parameter in command.params:
        parameter.help = pick(getattr(parameter, "help", None) or "", lang)
        panel = getattr(parameter, "rich_help_panel", None)
        if panel:
            parameter.rich_help_panel = pick(panel, lang)


def new_group(help: str, cls: type[Group] = Group) -> typer.Typer:
    """A group of commands, such as `schema list|show`."""
    group = typer.Typer(cls=cls, help=help, add_completion=cls is Root, pretty_exceptions_enable=False)
    group.callback(invoke_without_command=True)(common)
    return group


@dataclass(frozen=True)
class Entry:
    """A command: its name, its help in both languages, and the function, which takes a `Call` first."""

    name: str
    help: str
    function: Callable[..., None]

    def add_to(self, group: typer.Typer) -> None:
        group.command(self.name, cls=Command, help=self.help)(command(self.function))


def entry(name: str, help: str) -> Callable[[Callable[..., None]], Entry]:
    """Makes a function a command of this name."""
    return lambda function: Entry(name, help, function)
