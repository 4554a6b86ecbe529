"""Logs: one JSON object a line, and nothing in it that could be about a person.

1. Only the keys in `ALLOWED` are written; what else is passed is dropped and named in `dropped`.
2. Only scalars are written; a text is one line of at most 200 characters.
3. An exception is its class, its code if it has one, and the places it passed through. Its message is written
   only if it is one of ours, since foreign messages quote what they choked on.
4. Of what libraries log, warnings are kept, as the unfilled template: the arguments are data.
"""

import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from traceback import extract_tb
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from tongbao_broker.errors import OperationError, Refused

TEXT_LIMIT = 200
FRAMES = 12
VARIABLE, STDOUT = "TONGBAO_LOG", "stdout"
KEYS = (
    "addressee attempt attempts category client_ref cluster code component count delivery_seq "
    "detail digest directory dropped duration_ms elapsed_ms error event expected found from "
    "handling head holes host id incident index kid keyid kind level library limit message_id "
    "module network next number offset officer_ref origin owner partition path pending pid point "
    "port province reason released root seconds seq settled_seq sha256 signal size stage start "
    "state status step stream template thread timestamp to topic topic_id trace type until unit "
    "urgency version where"
)
ALLOWED = frozenset(KEYS.split())
SCALARS = (str, int, float, bool, type(None))

_file: TextIO | None = None
_to_stdout = False


def configure(component: str, path: Path | None = None, level: int = logging.INFO) -> None:
    """Writes this process's log to `path` (made if missing, for its owner only, appended to) or to stderr.

    Where the environment says `TONGBAO_LOG=stdout`, as in a container, it goes to standard output instead.
    """
    global _file, _to_stdout
    _file, _to_stdout = None, os.environ.get(VARIABLE) == STDOUT
    if path is not None and not _to_stdout:
        path.parent.mkdir(parents=True, exist_ok=True)
        _file = open(  # noqa: SIM115 - stays open as long as the process
            path, "a", buffering=1, encoding="utf-8", opener=_private
        )
    _structure(component, level)
    root = logging.getLogger()
    root.handlers[:] = [_LibraryHandler(logging.WARNING)]


def get(name: str) -> FilteringBoundLogger:
    """The logger of a module: `logs.get(__name__).info("published", topic=…, count=…)`; the event is a fixed
    text."""
    logger: FilteringBoundLogger = structlog.get_logger(module=name)
    return logger


def keep_allowed(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Drops every key that isn't allowed and every value that isn't a scalar, and says which."""
    kept = {
        key: _line(value) for key, value in event.items() if key in ALLOWED and isinstance(value, SCALARS)
    }
    dropped = sorted(str(key) for key in event.keys() - kept.keys())
    return kept | ({"dropped": _line(" ".join(dropped))} if dropped else {})


def describe_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Turns `exc_info` into class, code and places, without any local variable or foreign message."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        event.update(facts_of(error))
    return event


def facts_of(error: BaseException) -> Mapping[str, Any]:
    """What may be logged of an exception."""
    facts = {"error": type(error).__name__, "trace": _trace(error)}
    if isinstance(error, OperationError):
        return facts | {"code": error.code, "detail": error.detail}
    if isinstance(error, Refused):
        return facts | {"code": str(error.code), "where": error.where}
    return facts


def _trace(error: BaseException) -> str:
    frames = extract_tb(error.__traceback__)[-FRAMES:]
    return " > ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)


def _line(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = "".join(character if character.isprintable() else " " for character in value)
    return text if len(text) <= TEXT_LIMIT else text[: TEXT_LIMIT - 1] + "…"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _structure(component: str, level: int) -> None:
    def name_component(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.update(component=component, pid=os.getpid())
        return event

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            name_component,
            describe_exception,
            keep_allowed,
            structlog.processors.JSONRenderer(sort_keys=True, ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.WriteLogger(_file or (sys.stdout if _to_stdout else sys.stderr)),
        cache_logger_on_first_use=False,
    )


class _LibraryHandler(logging.Handler):
    """Passes on what libraries say through the standard library's logging, without its arguments."""

    def emit(self, record: logging.LogRecord) -> None:
        log = get("library")
        facts: dict[str, Any] = {"library": record.name, "template": str(record.msg)}
        if record.exc_info and record.exc_info[1]:
            facts["error"] = type(record.exc_info[1]).__name__
        log.log(record.levelno, "a library says", **facts)


_structure("tongbao", logging.WARNING)
