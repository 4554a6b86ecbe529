"""Sample bodies as plain JSON, an alert per category and an answer per kind, to bend in tables of faults."""

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from tongbao_schemas.bodies.attachment import cut
from tongbao_schemas.bodies.parse import Body, parse_body
from tongbao_schemas.codes import Category, Status
from tongbao_schemas.encoding import compact_json

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
DIGEST = "sha256:" + "ab" * 32
PASSING = "11010519491231002X"
"""The specimen printed in GB 11643."""
FAILING = "520000198802290018"

SUBJECT: dict[str, Any] = {
    "name": "演练甲",
    "sex": "male",
    "role": "carrier",
    "danger": ["unknown"],
    "measure": "none",
}
ACCOUNT: dict[str, Any] = {"kind": "account", "platform": "演练平台", "account": "demo_0004"}
PARCEL: dict[str, Any] = {"kind": "parcel", "carrier": "演练快递", "number": "演练-0003"}
VEHICLE: dict[str, Any] = {"kind": "vehicle", "plate": "贵A00000"}
SITE: dict[str, Any] = {"kind": "site", "place": {"region": "530111"}, "description": "仓库"}
CHEMICAL: dict[str, Any] = {"kind": "chemical", "substance": "chloroform", "description": "桶装"}

_COMMON: dict[str, Any] = {
    "title": "演练通报",
    "case": {"number": "演练案〔2026〕0001号", "unit": {"kind": "bureau", "name": "演练总队"}},
    "legal_basis": {"kind": "case_filing", "number": "演练立字〔2026〕0001号", "digest": DIGEST},
    "secrecy_review": {"officer": "黔-0003", "result": "work_secret"},
    "lead_source": "screening",
    "grading": {"source": "B", "information": "2"},
    "prepared_by": {"unit": "演练总队", "officer_ref": "黔-0002"},
    "approved_by": {"unit": "演练总队", "officer_ref": "黔-0001"},
    "facts": "演练事实。",
    "request": {"actions": ["for_information"]},
    "contact_rule": "covert",
    "contact": {"unit": "演练值班室", "duty_phone": "0851-00000110"},
}
_EXTRA: dict[Category, dict[str, Any]] = {
    Category.OUTBOUND_TRAFFICKING: {
        "subjects": [SUBJECT],
        "to_places": [{"region": "440305"}],
        "suspected_role": "carrier",
    },
    Category.MANUFACTURING: {"targets": [SITE]},
    Category.INTERDICTION: {"targets": [PARCEL], "mode": "delivery"},
    Category.ONLINE: {"targets": [ACCOUNT]},
    Category.STREET_DEALING: {
        "subjects": [SUBJECT],
        "place": {"region": "320506"},
        "upstream_lead": "上家每月发货一次。",
    },
    Category.PRECURSOR: {"targets": [CHEMICAL], "firm": "演练化工"},
}
_BY = {"unit": "演练支队", "officer_ref": "粤-0117"}
ANSWERS: dict[str, dict[str, Any]] = {
    "progress": {},
    "result": {"outcome": "located"},
    "returned": {"ground": "papers_incomplete"},
    "redirect": {"to": "450000"},
    "more_time": {"until": "2026-11-30T00:00:00.000Z"},
}
PDF = b"%PDF-1.4\n% \xe6\xbc\x94\xe7\xbb\x83\n%%EOF\n"
"""What a small file looks like from outside."""
FOLLOW_UPS: dict[str, dict[str, Any]] = {
    "update": {"changes": [{"part": "contact", "now": "0851-00000000", "was": "0851-00000001"}]},
    "cancel": {"ground": "sent_in_error"},
    "reply": {"kind": "question"},
    "reminder": {},
    "closure": {"outcome": "achieved"},
}


def alert(category: Category = Category.OUTBOUND_TRAFFICKING, /, **changes: Any) -> dict[str, Any]:
    """A good body of a category with some top fields changed; None takes a field away."""
    body = deepcopy(_COMMON | _EXTRA[category]) | changes
    return {name: value for name, value in body.items() if value is not None}


def answer(kind: str, **changes: Any) -> dict[str, Any]:
    """A good answer of a kind with some fields changed; None takes a field away."""
    body = {"kind": kind, "text": "演练反馈。", "by": _BY} | ANSWERS[kind] | changes
    return {name: value for name, value in body.items() if value is not None}


def follow_up(kind: str, /, **changes: Any) -> dict[str, Any]:
    """A good body of what follows an alert with some fields changed; None takes a field away."""
    if kind == "attachment":
        return attachment(**changes)
    body = {"text": "演练说明。", "by": _BY} | FOLLOW_UPS[kind] | changes
    return {name: value for name, value in body.items() if value is not None}


def attachment(content: bytes = PDF, name: str = "演练法律文书.pdf", **changes: Any) -> dict[str, Any]:
    """The body of a file's first part with some fields changed; None takes a field away."""
    body = next(cut(name, content)) | changes
    return {name: value for name, value in body.items() if value is not None}


def request(*actions: str, papers: tuple[str, ...] = ()) -> dict[str, Any]:
    """A request for actions with papers of these kinds."""
    rows = [{"kind": kind, "number": "演练〔2026〕0001号", "digest": DIGEST} for kind in papers]
    return {"actions": list(actions), "papers": rows}


def read(
    body: dict[str, Any],
    category: Category = Category.OUTBOUND_TRAFFICKING,
    status: Status = Status.EXERCISE,
    at: datetime = AT,
) -> Body:
    """The body as `parse_body` reads it; an answer if it has a kind."""
    schema = "answer/1.0" if "kind" in body else "alert/1.0"
    return parse_body(schema, compact_json(body), category=category, status=status, at=at)
