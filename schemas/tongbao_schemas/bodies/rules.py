"""Rules of an alert's body beyond single fields, each with its own code. They run in the order of `RULES`.

1. No document carries a state-secret marking, as a code or in words (机密★10年, 〔秘密〕): TB-505.
2. At most 20 subjects: this is no road for lists of people: TB-510.
3. Prepared and approved by two different officers: TB-506.
4. At least one subject or target: TB-507.
5. ID numbers: in an actual alert they pass their check (TB-502); in an exercise or a test every 18-character
   number anywhere in the body fails it (TB-503), so that invented people cannot meet real ones.
6. Region codes existed at the date: of a movement at its start, of everything else at `at`: TB-504.
7. Periods begin before they end: TB-511.
8. What the category needs: TB-508. 9. The papers the request needs, a watch for 布控, an operation for
   联合行动: TB-509. 10. Kept until after issue, at most ten years: TB-512.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from tongbao_schemas.bodies import alert, codes
from tongbao_schemas.bodies.alert import AlertBody
from tongbao_schemas.codes import Status
from tongbao_schemas.errors import Refused
from tongbao_schemas.identity import id_number_ok, real_id_numbers
from tongbao_schemas.refusals import Code
from tongbao_schemas.regions import region

LONGEST_RETENTION: Final = timedelta(days=3653)
_SECRET_MARK: Final = re.compile(r"(绝密|机密|秘密)\s*[★☆*＊]|[〔【\[(（]\s*(绝密|机密|秘密)\s*[〕】\])）]")

Rule = Callable[[AlertBody, Status, datetime], None]


def check_alert(body: AlertBody, *, status: Status, at: datetime) -> None:
    """All rules in order; `at` is when the alert is issued. Raises `Refused` with the field's path."""
    for rule in RULES:
        rule(body, status, at)


def _no_state_secret(body: AlertBody, _status: Status, _at: datetime) -> None:
    for path, marking in _markings(body):
        if marking in codes.STATE_SECRETS:
            raise Refused(Code.SECRET_DOCUMENT, path)
    for path, text in _texts(body.model_dump(by_alias=True)):
        if _SECRET_MARK.search(text):
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


def _id_numbers(body: AlertBody, status: Status, _at: datetime) -> None:
    if status is Status.ACTUAL:
        for index, subject in enumerate(body.subjects):
            document = subject.id_document
            if (
                document
                and document.kind is codes.IdDocumentKind.ID_CARD
                and not id_number_ok(document.number)
            ):
                raise Refused(Code.ID_NUMBER_INVALID, f"subjects[{index}].id_document.number")
        return
    check_invented(body.model_dump(by_alias=True))


def check_invented(value: dict[str, Any]) -> None:
    """Rule 5 for exercises and tests, on any body given as plain values."""
    for path, text in _texts(value):
        if real_id_numbers(text):
            raise Refused(Code.ID_NUMBER_REAL, path)


def _region_codes(body: AlertBody, _status: Status, at: datetime) -> None:
    moving = body.movement
    for place in body.places:
        when = moving.window.start if moving and moving.window and place in (moving.origin, moving.to) else at
        if region(place.region, when.date()) is None:
            raise Refused(Code.REGION_CODE, _path_of(body, place))


def _periods(body: AlertBody, _status: Status, _at: datetime) -> None:
    if body.movement and body.movement.window and body.movement.window.start >= body.movement.window.until:
        raise Refused(Code.WINDOW_ORDER, "movement.window.until")
    if body.watch and body.watch.start >= body.watch.until:
        raise Refused(Code.WINDOW_ORDER, "watch.until")


def _category(body: AlertBody, _status: Status, _at: datetime) -> None:
    kinds = {target.kind for target in body.targets}
    missing = _missing_for_category(body, kinds)
    if missing:
        raise Refused(Code.CATEGORY_NEEDS, missing)


def _missing_for_category(body: AlertBody, kinds: set[codes.TargetKind]) -> str:
    """The field that the category still needs, or nothing."""
    match body:
        case alert.Manufacturing():
            return "" if kinds & {codes.TargetKind.SITE, codes.TargetKind.CHEMICAL} else "targets"
        case alert.Online():
            return "" if codes.TargetKind.ACCOUNT in kinds else "targets"
        case alert.Interdiction():
            found = body.checkpoint or body.route or codes.TargetKind.PARCEL in kinds
            return "" if found else "checkpoint"
        case alert.Precursor():
            if codes.TargetKind.CHEMICAL not in kinds:
                return "targets"
            return "" if body.firm or body.permit else "firm"
        case _:
            return ""


def _papers(body: AlertBody, _status: Status, _at: datetime) -> None:
    present = {paper.kind for paper in body.request.papers}
    if not all(present & choice for choice in codes.PAPERS_NEEDED[body.request.action]):
        raise Refused(Code.PAPERS_MISSING, "request.papers")
    if body.request.action is codes.Action.WATCH and body.watch is None:
        raise Refused(Code.PAPERS_MISSING, "watch")
    if body.request.action is codes.Action.JOINT_OPERATION and body.operation is None:
        raise Refused(Code.PAPERS_MISSING, "operation")


def _retention(body: AlertBody, _status: Status, at: datetime) -> None:
    if not at < body.retain_until <= at + LONGEST_RETENTION:
        raise Refused(Code.RETAIN_UNTIL, "retain_until")


RULES: Final[tuple[Rule, ...]] = (
    _no_state_secret,
    _few_subjects,
    _two_officers,
    _subject_or_target,
    _id_numbers,
    _region_codes,
    _periods,
    _category,
    _papers,
    _retention,
)


def _markings(body: AlertBody) -> Iterator[tuple[str, codes.Marking]]:
    yield "legal_basis.marking", body.legal_basis.marking
    for index, paper in enumerate(body.request.papers):
        yield f"request.papers[{index}].marking", paper.marking
    for index, attachment in enumerate(body.attachments):
        yield f"attachments[{index}].marking", attachment.marking


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every string in a value with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, child in value.items():
            yield from _texts(child, f"{path}.{name}" if path else name)
    elif isinstance(value, list | tuple):
        for index, child in enumerate(value):
            yield from _texts(child, f"{path}[{index}]")


def _path_of(body: AlertBody, place: alert.Place) -> str:
    """The path of the first place that is equal to this one."""
    for path, text in _texts(body.model_dump(by_alias=True, mode="json")):
        if path.endswith("region") and text == place.region:
            return path
    return ""
