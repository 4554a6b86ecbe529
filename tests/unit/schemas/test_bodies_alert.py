"""The shape of an alert's body: what each category has, and what has no place in any."""

from typing import Any, get_args

import pytest

from tests.unit.schemas import alerts
from tongbao_schemas.bodies import alert as models
from tongbao_schemas.bodies import codes
from tongbao_schemas.bodies.alert import ALERT_BODIES, AlertBody
from tongbao_schemas.bodies.parse import BODY_LIMIT, parse_body
from tongbao_schemas.codes import Category, Labelled, Status
from tongbao_schemas.encoding import compact_json
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

REQUIRED = [name for name, field in AlertBody.model_fields.items() if field.is_required()]
MANY = [dict(alerts.SUBJECT, name=f"演练{number}") for number in range(1, 21)]


def subject(**changes: Any) -> dict[str, Any]:
    return alerts.alert(subjects=[alerts.SUBJECT | changes])


def refusal(body: dict[str, Any], category: Category = Category.OUTBOUND_TRAFFICKING) -> tuple[Code, str]:
    with pytest.raises(Refused) as caught:
        alerts.read(body, category)
    return caught.value.code, caught.value.where


WRONG_VALUES = {
    "title of two lines": (alerts.alert(title="演练\n通报"), "title"),
    "title of 81 characters": (alerts.alert(title="演" * 81), "title"),
    "empty facts": (alerts.alert(facts=""), "facts"),
    "facts beyond 4000": (alerts.alert(facts="演" * 4001), "facts"),
    "secret as the review's result": (
        alerts.alert(secrecy_review={"officer": "黔-0003", "result": "secret"}),
        "secrecy_review.result",
    ),
    "grade as a number": (
        alerts.alert(grading={"source": "B", "information": 2}),
        "grading.information",
    ),
    "no action": (alerts.alert(request=alerts.request()), "request.actions"),
    "action twice": (alerts.alert(request=alerts.request("locate", "locate")), "request.actions"),
    "information and more": (alerts.alert(request=alerts.request("for_information", "locate")), "request"),
    "phone in words": (alerts.alert(contact={"unit": "演练", "duty_phone": "问总机"}), "contact.duty_phone"),
    "quantity of three thousandths too many": (
        alerts.alert(substances=[{"substance": "heroin", "quantity": {"amount": "1.0005", "unit": "g"}}]),
        "substances[0].quantity.amount",
    ),
    "quantity without unit": (
        alerts.alert(substances=[{"substance": "heroin", "quantity": {"amount": "1"}}]),
        "substances[0].quantity.unit",
    ),
    "other substance without name": (alerts.alert(substances=[{"substance": "other_drug"}]), "substances[0]"),
    "unknown kind of target": (alerts.alert(targets=[{"kind": "face"}]), "targets[0]"),
    "birth date that never was": (subject(birth_date="1990-02-30"), "subjects[0].birth_date"),
    "danger left out": (subject(danger=[]), "subjects[0].danger"),
    "danger twice": (subject(danger=["knife", "knife"]), "subjects[0].danger"),
    "nationality in words": (subject(nationality="中国"), "subjects[0].nationality"),
    "plate with a blank": (subject(vehicles=[{"plate": "贵A 00000"}]), "subjects[0].vehicles[0].plate"),
    "time without milliseconds": (alerts.alert(retain_until="2027-11-23T00:00:00Z"), "retain_until"),
    "period by the model's own names": (
        alerts.alert(
            movement={
                "to": {"region": "440300"},
                "window": {"start": "2026-11-23T00:00:00.000Z", "until": "2026-11-24T00:00:00.000Z"},
            }
        ),
        "movement.window.from",
    ),
    "region code of five digits": (
        alerts.alert(to_places=[{"region": "44030"}]),
        "to_places[0].region",
    ),
}


@pytest.mark.parametrize("category", Category)
def test_the_category_picks_the_model(category: Category) -> None:
    """A good body of each of the six categories is read as that category's model."""
    body = alerts.read(alerts.alert(category), category)

    assert type(body) is ALERT_BODIES[category]


@pytest.mark.parametrize("field", REQUIRED)
def test_what_every_alert_says_cannot_be_left_out(field: str) -> None:
    """A body without one of the common fields is refused at that field."""
    assert refusal(alerts.alert(**{field: None})) == (Code.BODY_SHAPE, field)


@pytest.mark.parametrize(
    "field",
    [
        "ethnicity", "religion", "score", "risk_score", "face", "fingerprint", "dna", "health",
        "drug_user_registry", "political_views", "people_from_region", "watchlist",
    ],
)  # fmt: skip
def test_there_is_no_place_for_what_may_not_be_said(field: str) -> None:
    """Ethnicity, religion, scores, biometrics, health, registries, lists by origin: the schema is closed."""
    told_of_people = subject(**{field: "演练"})
    told_of_the_case = alerts.alert(**{field: "演练"})

    assert refusal(told_of_people) == (Code.BODY_SHAPE, "subjects[0] (unknown field)")
    assert refusal(told_of_the_case) == (Code.BODY_SHAPE, "(unknown field)")


def test_every_object_in_a_body_is_closed() -> None:
    """No model of a body lets an unknown field through."""
    found = [
        model for model in vars(models).values() if isinstance(model, type) and hasattr(model, "model_config")
    ]

    assert len(found) > 20
    assert all(model.model_config["extra"] == "forbid" for model in found)


@pytest.mark.parametrize("field", ["case", "legal_basis"])
def test_an_alert_has_one_case_and_one_legal_basis(field: str) -> None:
    """A list of cases or legal bases is refused."""
    one = alerts.alert()[field]

    assert refusal(alerts.alert(**{field: [one, one]})) == (Code.BODY_SHAPE, field)


@pytest.mark.parametrize("separator", ["、", ",", "，", ";", "；", "|", "\n"])
@pytest.mark.parametrize("field", ["case", "legal_basis"])
def test_a_number_is_one_number(field: str, separator: str) -> None:
    """Several numbers in the one field for a number are refused."""
    one = alerts.alert()[field]
    several = one | {"number": f"演练〔2026〕1号{separator}演练〔2026〕2号"}

    assert refusal(alerts.alert(**{field: several})) == (Code.BODY_SHAPE, f"{field}.number")


def test_twenty_subjects_are_a_case_and_twenty_one_a_list() -> None:
    """Up to 20 subjects pass; one more is refused with a code of its own."""
    alerts.read(alerts.alert(subjects=MANY))

    assert refusal(alerts.alert(subjects=[*MANY, alerts.SUBJECT])) == (Code.TOO_MANY_SUBJECTS, "subjects")


@pytest.mark.parametrize(("body", "where"), WRONG_VALUES.values(), ids=WRONG_VALUES)
def test_a_wrong_value_is_refused_at_its_field(body: dict[str, Any], where: str) -> None:
    """A value outside its form is refused with the path of the field and nothing of the value."""
    assert refusal(body) == (Code.BODY_SHAPE, where)


@pytest.mark.parametrize("body", [alerts.alert(facts=7), alerts.answer("progress", text=7)])
def test_no_value_stays_behind_a_refusal(body: dict[str, Any]) -> None:
    """The validator's own error, which holds the whole body, is not chained to the refusal."""
    with pytest.raises(Refused) as caught:
        alerts.read(body)

    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_destinations_go_from_the_most_telling_to_the_least() -> None:
    """Routing sees the category's places, then sites, then where a movement leads, none twice."""
    body = alerts.read(
        alerts.alert(
            to_places=[{"region": "440305"}, {"region": "440300"}],
            targets=[alerts.SITE],
            movement={"from": {"region": "520100"}, "to": {"region": "440300"}},
        )
    )

    assert isinstance(body, AlertBody)
    assert body.destinations == ("440305", "440300", "530111")


def test_destinations_never_come_from_a_person() -> None:
    """An ID number's region, a nationality or a plate lead nowhere."""
    body = alerts.read(
        alerts.alert(
            Category.ONLINE,
            subjects=[
                alerts.SUBJECT
                | {
                    "id_document": {"kind": "id_card", "number": alerts.FAILING},
                    "vehicles": [{"plate": "贵A00000"}],
                }
            ],
        ),
        Category.ONLINE,
    )

    assert isinstance(body, AlertBody)
    assert body.destinations == ()


def test_a_body_fits_into_what_can_be_sealed() -> None:
    """A body of more bytes than 88 blocks hold is refused before it is read."""
    with pytest.raises(Refused) as caught:
        parse_body(
            "alert/1.0", b" " * (BODY_LIMIT + 1), category=Category.ONLINE, status=Status.TEST, at=alerts.AT
        )

    assert caught.value.code is Code.RECORD_TOO_LARGE


@pytest.mark.parametrize(
    ("schema", "code"),
    [
        ("receipt/1.0", Code.SCHEMA_UNKNOWN),
        ("alert/2.0", Code.SCHEMA_UNKNOWN),
        ("alert/1.1", Code.SCHEMA_UNKNOWN),
    ],
)
def test_a_schema_without_a_body_is_refused_by_its_code(schema: str, code: Code) -> None:
    """Types that have no body, and versions that nobody knows."""
    with pytest.raises(Refused) as caught:
        parse_body(schema, b"{}", category=Category.ONLINE, status=Status.TEST, at=alerts.AT)

    assert caught.value.code is code


@pytest.mark.parametrize("each", [each for each in vars(codes).values() if isinstance(each, type)])
def test_every_coded_value_has_words_in_both_languages(each: type) -> None:
    """Each value of each list has a Chinese and an English word, and no two values share one."""
    if each is Labelled or not issubclass(each, Labelled):
        return
    for lang in ("zh", "en"):
        words = [member.label(lang) for member in each]

        assert all(words)
        assert len(set(words)) == len(words)


def test_the_kinds_of_targets_are_those_of_the_list() -> None:
    """Each kind in the code list has a model, and no model has another kind."""
    union, _ = get_args(models.Target)
    kinds = [get_args(model.model_fields["kind"].annotation)[0] for model in get_args(union)]

    assert kinds == list(codes.TargetKind)


def test_answers_and_alerts_are_plain_json_when_written_again() -> None:
    """A body read and written by its wire names is the same JSON."""
    plain = alerts.alert(
        movement={
            "from": {"region": "520100"},
            "to": {"region": "440300"},
            "window": {"from": "2026-11-23T00:00:00.000Z", "until": "2026-11-24T00:00:00.000Z"},
        }
    )
    body = alerts.read(plain)

    assert compact_json(body.model_dump(mode="json", by_alias=True, exclude_unset=True)) == compact_json(
        plain
    )
