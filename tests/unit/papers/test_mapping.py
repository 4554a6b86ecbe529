"""From the form to the submission and back."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.schemas import alerts
from tongbao_connectors.papers.mapping import (
    Officer,
    Signatures,
    blank,
    to_submission,
    to_values,
    with_needed_papers,
)
from tongbao_connectors.papers.values import Values, count, of_form, one
from tongbao_schemas.bodies import codes
from tongbao_schemas.codes import Category, Handling, Status, Urgency
from tongbao_schemas.encoding import compact_json, format_time

TODAY = date(2026, 11, 23)
EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("[0-9]-*.json"))


def signatures(body: dict[str, Any]) -> Signatures:
    """Who signed a body."""
    return Signatures(
        Officer(**body["prepared_by"]),
        Officer("", body["secrecy_review"]["officer"]),
        Officer(**body["approved_by"]),
    )


def back(submission: dict[str, Any], values: Values) -> dict[str, Any]:
    """The submission that a form with these values gives."""
    made = to_submission(
        values,
        Category(submission["category"]),
        signatures(submission["body"]),
        client_ref=submission["client_ref"],
        today=TODAY,
    )
    return dict(json.loads(compact_json(made)))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_comes_back_as_it_went_in(path: Path) -> None:
    """Every example goes into the form and comes out the same."""
    submission = json.loads(path.read_text(encoding="utf-8"))

    values = to_values(submission, Category(submission["category"]), today=TODAY)

    assert back(submission, values) == submission


texts = (
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=12)
    .filter(lambda text: text.strip() == text and text.isprintable())
    .filter(lambda text: of_form([("t", [text])]) == {"t": [text]})
)
times = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)).map(format_time)  # noqa: DTZ001
regions = st.sampled_from(["520000", "520100", "440305", "330111", "330183", "110101", "999999"])
places = st.fixed_dictionaries({"region": regions}, optional={"address": texts})
digests = st.just(alerts.DIGEST)
papers = st.fixed_dictionaries(
    {"kind": st.sampled_from(codes.PaperKind), "number": texts, "digest": digests},
    optional={"marking": st.sampled_from(list(codes.Marking)[1:])},
)
substances = st.fixed_dictionaries(
    {"substance": st.sampled_from(codes.Substance)},
    optional={
        "name": texts,
        "quantity": st.fixed_dictionaries(
            {"amount": st.just("480.5"), "unit": st.sampled_from(codes.QuantityUnit)}
        ),
    },
)
subjects = st.fixed_dictionaries(
    {
        "name": texts,
        "sex": st.sampled_from(codes.Sex),
        "role": st.sampled_from(codes.Role),
        "danger": st.lists(st.sampled_from(codes.Danger), min_size=1, unique=True),
        "measure": st.sampled_from(codes.Measure),
    },
    optional={
        "aliases": st.lists(texts, min_size=1, max_size=3),
        "phones": st.lists(st.just("0851-00000110"), min_size=1, max_size=2),
        "birth_date": st.just("1988-02-29"),
        "nationality": st.just("CHN"),
        "id_document": st.fixed_dictionaries(
            {"kind": st.sampled_from(codes.IdDocumentKind), "number": texts}
        ),
        "vehicles": st.lists(
            st.fixed_dictionaries({"plate": st.just("贵A00000")}, optional={"description": texts}),
            min_size=1,
            max_size=3,
        ),
    },
)
targets = st.one_of(
    st.fixed_dictionaries({"kind": st.just("parcel"), "carrier": texts, "number": texts}),
    st.fixed_dictionaries({"kind": st.just("vehicle"), "plate": texts}, optional={"description": texts}),
    st.fixed_dictionaries({"kind": st.just("account"), "platform": texts, "account": texts}),
    st.fixed_dictionaries({"kind": st.just("site"), "place": places, "description": texts}),
    st.builds(
        lambda substance, description: {"kind": "chemical", "description": description} | substance,
        substances,
        texts,
    ),
)
windows = st.fixed_dictionaries({"from": times, "until": times})
watches = st.fixed_dictionaries({"from": times, "until": times, "on_hit": st.sampled_from(codes.OnHit)})
movements = st.fixed_dictionaries({"to": places}, optional={"from": places, "via": texts, "window": windows})


@st.composite
def submissions(draw: st.DrawFn) -> dict[str, Any]:
    """Submissions with anything filled in that the form knows."""
    category = draw(st.sampled_from(Category))
    body = alerts.alert(category, title=draw(texts), facts=draw(texts))
    actions = draw(st.lists(st.sampled_from(codes.Action), min_size=1, max_size=4, unique=True))
    body["request"] = {"actions": actions}
    for name, made in {
        "subjects": st.lists(subjects, min_size=1, max_size=2),
        "targets": st.lists(targets, min_size=1, max_size=3),
        "substances": st.lists(substances, min_size=1, max_size=2),
        "movement": movements,
        "retain_until": times,
        "assessment": texts,
    }.items():
        if draw(st.booleans()):
            body[name] = draw(made)
    if draw(st.booleans()):
        body["request"]["papers"] = draw(st.lists(papers, min_size=1, max_size=3))
    if codes.Action.WATCH in actions:
        body["watch"] = draw(watches)
    sent = {
        "client_ref": "desk-1",
        "type": "alert",
        "status": draw(st.sampled_from(Status)),
        "audience": draw(st.lists(st.sampled_from(["440000", "330000"]), min_size=1, unique=True)),
        "urgency": draw(st.sampled_from(Urgency)),
        "handling": draw(st.sampled_from(Handling)),
        "category": category,
        "body": body,
    }
    return dict(json.loads(compact_json(sent)))


@settings(max_examples=60, deadline=None)
@given(submissions())
def test_nothing_is_lost_on_the_way_through_the_form(submission: dict[str, Any]) -> None:
    """Submission to form to submission is the same; so is the form when a browser has posted it."""
    category = Category(submission["category"])

    values = to_values(submission, category, today=TODAY)

    assert back(submission, values) == submission
    assert of_form(values.items()) == values
    assert to_values(back(submission, values), category, today=TODAY) == values


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            ["body.title", "body.facts", "body.subjects[0].phones", "body.watch.from", "audience"]
        ),
        st.lists(st.text(max_size=20), min_size=1, max_size=2),
    ),
    st.sampled_from(Category),
)
def test_whatever_is_typed_makes_a_submission(typed: dict[str, list[str]], category: Category) -> None:
    """No text in a field breaks the mapping; it is for the check to refuse it."""
    nobody = Officer("演练总队", "黔-0001")
    values = of_form(typed.items())

    made = to_submission(
        values, category, Signatures(nobody, nobody, nobody), client_ref="desk-1", today=TODAY
    )

    assert made["category"] == category


def test_times_are_typed_in_beijing_time() -> None:
    """18:00 in the form is 10:00 UTC on the wire."""
    nobody = Officer("演练总队", "黔-0001")
    values = {"expires_at": ["2026-11-23T18:00"]}

    made = to_submission(
        values, Category.ONLINE, Signatures(nobody, nobody, nobody), client_ref="desk-1", today=TODAY
    )

    assert made["expires_at"] == "2026-11-23T10:00:00.000Z"


def test_each_request_gets_the_lines_of_its_papers() -> None:
    """A line for every paper that is lacking; an empty one goes with the request that needed it."""
    values = blank(Category.ONLINE, (Status.EXERCISE,))
    values["body.request.actions"] = ["watch", "arrest"]

    asked = with_needed_papers(values)
    kinds = [one(asked, f"body.request.papers[{index}].kind") for index in range(3)]

    assert kinds == ["watch_approval", "assistance_letter", "detention_warrant"]
    assert with_needed_papers(asked) == asked
    assert count(with_needed_papers(asked | {"body.request.actions": ["watch"]}), "body.request.papers") == 1


def test_a_paper_with_a_number_stays_when_its_request_goes() -> None:
    """Nothing typed is lost."""
    values = {
        "body.request.actions": [],
        "body.request.papers[0].kind": ["watch_approval"],
        "body.request.papers[0].number": ["演练布控〔2026〕0001号"],
    }

    assert with_needed_papers(values) == values
