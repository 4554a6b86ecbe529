"""Rules of a body beyond single fields, each with its own code. They run in this order.

Of every body (`check_texts`), on all texts in it but digests and the data of files:
1. No text carries the mark of a state secret (TB-505). A mark is 绝密, 机密 or 秘密 followed by ★ (or ☆, *),
   as the law on guarding state secrets writes it, or followed by 级, or standing alone in brackets or on a
   line. Blanks inside it and full-width forms make no difference. 工作秘密 and 商业秘密 are no such marks,
   nor are words like 秘密核查.
2. In an exercise or a test no ID number anywhere passes its check (TB-503), so that invented people cannot
   meet real ones. Blanks or hyphens between its groups do not hide it.

Of an alert (`check_alert`):
3. No document is coded as a state secret (TB-505).
4. At most 20 subjects: this is no road for lists of people (TB-510).
5. Two different officers prepared and approved it (TB-506).
6. It names at least one subject or target (TB-507).
7. In an actual alert the numbers of ID cards pass their check (TB-502).
8. Region codes were valid at the date, by the calendar of Beijing: those of a movement at its start, all
   others when the alert is judged (TB-504).
9. Periods begin before they end (TB-511). They may lie in the past: an alert may tell of yesterday.
10. It says what its category needs (TB-508).
11. It has the papers that each action needs (`codes.PAPERS_NEEDED`), and 凭证控制 has a warrant to show.
12. Measures against a person rest on an opened case.
13. 布控 says from when until when, a joint operation who leads, and neither is described without being asked
    for (11 to 13: TB-509).
14. `retain_until` lies ahead, by three years at most (TB-512).
15. The files that it lists have 20 MiB at most together (TB-515).

Of an answer (`check_answer`):
16. More time is asked for until a time that lies ahead (TB-511).
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, timezone
from typing import Any, Final
from unicodedata import normalize

from tongbao_schemas.bodies import alert, codes
from tongbao_schemas.bodies.alert import AlertBody
from tongbao_schemas.bodies.answer import AnswerBody, MoreTime
from tongbao_schemas.bodies.attachment import MOST_BYTES
from tongbao_schemas.codes import Status
from tongbao_schemas.errors import Refused
from tongbao_schemas.identity import id_number_ok, real_id_numbers
from tongbao_schemas.refusals import Code
from tongbao_schemas.regions import region

LONGEST_RETENTION: Final = timedelta(days=3 * 366)
BEIJING: Final = timezone(timedelta(hours=8))

_LEVEL: Final = r"(?:绝 *密|机 *密|(?<!工作)(?<!商业)秘 *密)"
_NO_TEXTS: Final = frozenset({"digest", "data"})
_SECRET_MARK: Final = re.compile(
    rf"{_LEVEL} *[★☆*]|{_LEVEL} *级|[〔【\[(〈《「『<] *{_LEVEL} *[〕】\])〉》」』>]|^ *{_LEVEL} *$",
    re.MULTILINE,
)
_MARK_IN_JSON: Final = re.compile(rf'{_SECRET_MARK.pattern}|["n] *{_LEVEL} *["\\]')
"""The same for a whole JSON text, where a line begins with a quotation mark or an escaped line feed."""

Rule = Callable[[AlertBody, Status, datetime], None]


def check_texts(plain: dict[str, Any], data: bytes, status: Status) -> None:
    """Rules 1 and 2 for a body as plain JSON values whose keys a closed model has passed.

    `data` is the JSON text of the same body. Hardly any body holds what could break them, and that is seen at
    once in the text as a whole: a match never goes beyond one string.
    """
    if not _may_break_a_rule(data.decode(), status):
        return
    everything = "\n".join(text for _, text in _texts(plain))
    if _marked_secret(everything):
        raise Refused(Code.SECRET_DOCUMENT, _where(plain, _marked_secret))
    if status is not Status.ACTUAL and real_id_numbers(everything):
        raise Refused(Code.ID_NUMBER_REAL, _where(plain, real_id_numbers))


def check_alert(body: AlertBody, *, status: Status, at: datetime) -> None:
    """Rules 3 to 15; `at` (aware) is when the alert is submitted or was admitted."""
    for rule in ALERT_RULES:
        rule(body, status, at)


def check_answer(body: AnswerBody, *, at: datetime) -> None:
    """Rule 16; `at` (aware) is when the answer is submitted or was admitted."""
    if isinstance(body, MoreTime) and body.until <= at:
        raise Refused(Code.WINDOW_ORDER, "until")


def _no_secret_document(body: AlertBody, _status: Status, _at: datetime) -> None:
    for path, marking in _markings(body):
        if marking in codes.STATE_SECRETS:
            raise Refused(Code.SECRET_DOCUMENT, path)


def _few_subjects(body: AlertBody, _status: Status, _at: datetime) -> None:
    if len(body.subjects) > alert.MAX_SUBJECTS:
        raise Refused(Code.TOO_MANY_SUBJECTS, "subjects")


def _two_officers(body: AlertBody, _status: Status, _at: datetime) -> None:
    if body.prepared_by.officer_ref == body.approved_by.officer_ref:
        raise Refused(Code.SAME_OFFICER, "approved_by.officer_ref")


def _subject_or_target(body: AlertBody, _status: Status, _at: datetime) -> None:
    if not body.subjects and not body.targets:
        raise Refused(Code.NO_SUBJECT_OR_TARGET, "subjects")


def _true_id_numbers(body: AlertBody, status: Status, _at: datetime) -> None:
    if status is not Status.ACTUAL:
        return
    for index, subject in enumerate(body.subjects):
        document = subject.id_document
        if document is None or document.kind is not codes.IdDocumentKind.ID_CARD:
            continue
        if not id_number_ok(document.number):
            raise Refused(Code.ID_NUMBER_INVALID, f"subjects[{index}].id_document.number")


def _region_codes(body: AlertBody, _status: Status, at: datetime) -> None:
    for path, place, on in _dated_places(body, at):
        if region(place.region, on) is None:
            raise Refused(Code.REGION_CODE, f"{path}.region")


def _periods(body: AlertBody, _status: Status, _at: datetime) -> None:
    moving = None if body.movement is None else body.movement.window
    for path, period in (("movement.window", moving), ("watch", body.watch)):
        if period is not None and period.start >= period.until:
            raise Refused(Code.WINDOW_ORDER, f"{path}.until")


def _category(body: AlertBody, _status: Status, _at: datetime) -> None:
    gap = body.category_gap()
    if gap:
        raise Refused(Code.CATEGORY_NEEDS, gap)


def _papers(body: AlertBody, _status: Status, _at: datetime) -> None:
    present = {paper.kind for paper in body.request.papers}
    for action in body.request.actions:
        if not all(present & choice for choice in codes.PAPERS_NEEDED[action]):
            raise Refused(Code.PAPERS_MISSING, "request.papers")
    if body.contact_rule is codes.ContactRule.WARRANT and not present & codes.WARRANTS:
        raise Refused(Code.PAPERS_MISSING, "request.papers")


def _open_case(body: AlertBody, _status: Status, _at: datetime) -> None:
    if body.legal_basis.kind is codes.LegalBasisKind.CASE_FILING:
        return
    if codes.OPEN_CASE_NEEDED & set(body.request.actions):
        raise Refused(Code.PAPERS_MISSING, "legal_basis.kind")


def _measures_described(body: AlertBody, _status: Status, _at: datetime) -> None:
    described = {codes.Action.WATCH: body.watch, codes.Action.JOINT_OPERATION: body.operation}
    for action, detail in described.items():
        if (action in body.request.actions) != (detail is not None):
            raise Refused(Code.PAPERS_MISSING, "watch" if action is codes.Action.WATCH else "operation")


def _retention(body: AlertBody, _status: Status, at: datetime) -> None:
    if body.retain_until is not None and not at < body.retain_until <= at + LONGEST_RETENTION:
        raise Refused(Code.RETAIN_UNTIL, "retain_until")


def _files(body: AlertBody, _status: Status, _at: datetime) -> None:
    if sum(note.size for note in body.attachments) > MOST_BYTES:
        raise Refused(Code.ATTACHMENTS_TOO_LARGE, "attachments")


ALERT_RULES: Final[tuple[Rule, ...]] = (
    _no_secret_document,
    _few_subjects,
    _two_officers,
    _subject_or_target,
    _true_id_numbers,
    _region_codes,
    _periods,
    _category,
    _papers,
    _open_case,
    _measures_described,
    _retention,
    _files,
)


def _markings(body: AlertBody) -> Iterator[tuple[str, codes.Marking]]:
    yield "legal_basis.marking", body.legal_basis.marking
    for index, paper in enumerate(body.request.papers):
        yield f"request.papers[{index}].marking", paper.marking
    for index, attachment in enumerate(body.attachments):
        yield f"attachments[{index}].marking", attachment.marking


def _dated_places(body: AlertBody, at: datetime) -> Iterator[tuple[str, alert.Place, date]]:
    """Every place with its path and the day on which its code has to be valid."""
    today = at.astimezone(BEIJING).date()
    for path, place in (*body.category_places(), *body.site_places()):
        yield path, place, today
    if body.movement is not None:
        window = body.movement.window
        on = today if window is None else window.start.astimezone(BEIJING).date()
        yield "movement.to", body.movement.to, on
        if body.movement.origin is not None:
            yield "movement.from", body.movement.origin, on


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in plain values with its path; digests and the data of files are no texts."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, child in value.items():
            if name not in _NO_TEXTS:
                yield from _texts(child, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _texts(child, f"{path}[{index}]")


def _where(plain: dict[str, Any], found: Callable[[str], object]) -> str:
    return next((path for path, text in _texts(plain) if found(text)), "")


def _may_break_a_rule(text: str, status: Status) -> bool:
    """Whether a JSON text has a mark of secrecy, a good ID number, or an escape that could hide one."""
    if "\\u" in text or ("密" in text and _MARK_IN_JSON.search(normalize("NFKC", text))):
        return True
    return status is not Status.ACTUAL and bool(real_id_numbers(text))


def _marked_secret(text: str) -> bool:
    return "密" in text and _SECRET_MARK.search(normalize("NFKC", text)) is not None
