"""The form of an alert: its sections, fields and groups, for each of the six categories.

1. A field's path is the one in the submission. What a field takes is decided by the body's models and rules;
   the form adds the words: label, hint, what to do where it is empty or has another form.
2. Choices come from the code tables, in their order and with their labels.
3. Not in the form is what the desk itself knows: who drafted, reviewed and issues, and the client reference.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from tongbao_broker.errors import Words
from tongbao_schemas.bodies import codes
from tongbao_schemas.codes import Category, Handling, Labelled, Status, Urgency

NO_WORDS: Final = Words("", "")


class Kind(Labelled):
    """How a field is filled in."""

    TEXT = "text"
    LONG = "long"
    LINES = "lines"
    SELECT = "select"
    CARDS = "cards"
    CHECKS = "checks"
    PROVINCES = "provinces"
    PROVINCE = "province"
    REGION = "region"
    DAY = "day"
    TIME = "time"
    FILE = "file"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Field:
    """One field; `name` is its path within its section or group.

    `asks` is said where it is needed and empty, `form` where its text has another form. `beside` names the
    field without which this one says nothing.
    """

    name: str
    label: Words
    kind: Kind = Kind.TEXT
    choices: type[Labelled] | None = None
    hint: Words = NO_WORDS
    asks: Words = NO_WORDS
    form: Words = NO_WORDS
    beside: str = ""
    default: str = ""
    optional: bool = False
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that occur as often as there is something to say.

    `variants` are fields by the item's own kind; `singular` names one item.
    """

    name: str
    label: Words
    singular: Words
    most: int
    fields: "tuple[Part, ...]" = ()
    variants: "Mapping[str, tuple[Part, ...]]" = field(default_factory=dict)
    hint: Words = NO_WORDS


@dataclass(frozen=True, slots=True)
class Block:
    """Fields that belong to one thing; `action` is the request without which it is not asked for."""

    name: str
    label: Words
    fields: tuple[Field, ...]
    action: codes.Action | None = None


Part = Field | Group | Block


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page with a heading of its own; `name` is its anchor."""

    name: str
    label: Words
    parts: tuple[Part, ...]


def _w(zh: str, en: str) -> Words:
    return Words(zh, en)


PLATE: Final = _w("车牌号 2 至 12 位，不留空格", "A plate has 2 to 12 characters and no blank")
PHONE: Final = _w("电话只写数字和连字符，5 至 20 位", "A telephone number has 5 to 20 digits and hyphens")
ONE_NUMBER: Final = _w(
    "只写一个编号，不用顿号、逗号或竖线隔开几个", "One number only, without commas, semicolons or bars"
)
REGION_HINT: Final = _w(
    "填区划名称或六位代码，按当日有效的行政区划", "A division by name or six-digit code, valid at the date"
)
FILE_HINT: Final = _w(
    "只取文件的摘要（SHA-256）写入通报，文件不保存；20 MB 以内",
    "Only the file's digest (SHA-256) goes into the alert; the file is not kept; 20 MB at most",
)
ASK_FILE: Final = _w("选择文件，摘要随通报发出", "Choose the file, its digest goes with the alert")


def _place(name: str, label: Words, asks: Words = NO_WORDS, *, optional: bool = False) -> tuple[Field, ...]:
    asks = asks if asks.zh else _w(f"填写{label.zh}", f"Fill in: {label.en}")
    prefix = f"{name}." if name else ""
    return (
        Field(f"{prefix}region", label, Kind.REGION, hint=REGION_HINT, asks=asks, optional=optional),
        Field(f"{prefix}address", _w("详细地址", "Address"), optional=True),
    )


def _document(name: str, number: Words) -> tuple[Field, ...]:
    return (
        Field(f"{name}number", number, asks=_w("填写文号", "Fill in the number"), form=ONE_NUMBER),
        Field(f"{name}digest", _w("文件", "File"), Kind.FILE, hint=FILE_HINT, asks=ASK_FILE),
        Field(
            f"{name}marking",
            _w("密级标志", "Marking"),
            Kind.SELECT,
            codes.Marking,
            hint=_w("标有国家秘密的文件不收", "Documents marked as state secrets are refused"),
            beside=f"{name}number",
            default=codes.Marking.NONE,
            optional=True,
        ),
    )


def _window(name: str, first: Words, last: Words, *, optional: bool) -> tuple[Field, ...]:
    return (
        Field(
            f"{name}from", first, Kind.TIME, optional=optional, asks=_w("填写开始时间", "Fill in the start")
        ),
        Field(f"{name}until", last, Kind.TIME, optional=optional, asks=_w("填写结束时间", "Fill in the end")),
    )


def _substance(describe: bool) -> tuple[Field, ...]:
    telling = Field(
        "description",
        _w("异常情况", "What was noticed"),
        Kind.LONG,
        asks=_w("写明异常情况", "Say what was noticed"),
        wide=True,
    )
    return (
        Field(
            "substance",
            _w("品名", "Substance"),
            Kind.SELECT,
            codes.Substance,
            asks=_w("选择品名", "Choose the substance"),
        ),
        Field(
            "name",
            _w("具体名称", "Name"),
            optional=True,
            hint=_w("选“其他”时填写", "Where another substance is chosen"),
            asks=_w("选“其他”时填写具体名称", "Name the substance that is not in the list"),
        ),
        Field(
            "quantity.amount",
            _w("数量", "Amount"),
            optional=True,
            form=_w(
                "数量写成数字，最多三位小数，如 480.5",
                "A number with up to three decimals, for example 480.5",
            ),
        ),
        Field(
            "quantity.unit",
            _w("单位", "Unit"),
            Kind.SELECT,
            codes.QuantityUnit,
            beside="quantity.amount",
            default=codes.QuantityUnit.GRAM,
            optional=True,
        ),
        *((telling,) if describe else ()),
    )


ADDRESSEES: Final = Section(
    "addressees",
    _w("收件与时限", "Addressees and deadlines"),
    (
        Field("urgency", _w("级别", "Level"), Kind.CARDS, Urgency, asks=_w("选择级别", "Choose the level")),
        Field(
            "audience",
            _w("流入地（收件省）", "Addressees"),
            Kind.PROVINCES,
            hint=_w("逐省选择，没有“全部”", "Chosen one by one; there is no “all”"),
            asks=_w("至少选择一个收件省", "Choose at least one province"),
        ),
        Field(
            "status",
            _w("性质", "Status"),
            Kind.CARDS,
            Status,
            hint=_w("由所在网络决定可选的性质", "The network decides what may be chosen"),
            asks=_w("选择性质", "Choose the status"),
        ),
        Field(
            "handling",
            _w("处理限制", "Handling"),
            Kind.CARDS,
            Handling,
            asks=_w("选择处理限制", "Choose the handling"),
            default=Handling.H1,
        ),
        Block(
            "deadlines",
            _w("自定时限", "Deadlines of one's own"),
            (
                Field("deadlines.sign_by", _w("签收时限", "Sign by"), Kind.TIME, optional=True),
                Field(
                    "deadlines.first_feedback_by",
                    _w("首次反馈时限", "First feedback by"),
                    Kind.TIME,
                    optional=True,
                ),
                Field("deadlines.result_by", _w("反馈结果时限", "Result by"), Kind.TIME, optional=True),
                Field(
                    "deadlines.basis",
                    _w("依据", "Basis"),
                    optional=True,
                    asks=_w("写明自定时限的依据", "Say on what basis"),
                ),
                Field("expires_at", _w("通报有效至", "Valid until"), Kind.TIME, optional=True),
            ),
        ),
    ),
)

CASE: Final = Section(
    "case",
    _w("案件与依据", "Case and legal basis"),
    (
        Field(
            "body.title",
            _w("标题", "Title"),
            wide=True,
            hint=_w(
                "一句话写明谁、何时、何地、请求什么，80 字以内",
                "One line: who, when, where, what is asked; 80 characters at most",
            ),
            asks=_w("填写标题", "Fill in the title"),
        ),
        Field(
            "body.case.number",
            _w("案件编号", "Case number"),
            hint=_w("立案决定书上的编号", "As in the decision to open the case"),
            asks=_w("填写案件编号，一份通报只写一个案件", "Fill in the case number: one alert, one case"),
            form=ONE_NUMBER,
        ),
        Field("body.case.unit.name", _w("办案单位", "Unit"), asks=_w("填写办案单位", "Fill in the unit")),
        Field(
            "body.case.unit.kind",
            _w("单位类别", "Kind of unit"),
            Kind.SELECT,
            codes.UnitKind,
            asks=_w("选择单位类别", "Choose the kind of unit"),
        ),
        Field(
            "body.lead_source",
            _w("线索来源", "Source of the lead"),
            Kind.SELECT,
            codes.LeadSource,
            asks=_w("选择线索来源", "Choose where the lead comes from"),
        ),
        Field(
            "body.legal_basis.kind",
            _w("法律依据", "Legal basis"),
            Kind.SELECT,
            codes.LegalBasisKind,
            asks=_w("选择法律依据的种类", "Choose the kind of legal basis"),
        ),
        *_document("body.legal_basis.", _w("依据文号", "Its number")),
        Field(
            "body.secrecy_review.result",
            _w("保密审查", "Secrecy review"),
            Kind.SELECT,
            codes.SecrecyResult,
            hint=_w(
                "审核人复核并署名；涉及国家秘密的走机要渠道",
                "Confirmed and signed by the reviewer; state secrets use the classified channel",
            ),
            asks=_w("选择保密审查结论", "Choose the result of the secrecy review"),
        ),
    ),
)

REQUEST: Final = Section(
    "request",
    _w("请求与手续", "Request and papers"),
    (
        Field(
            "body.request.actions",
            _w("请对方做什么", "What is asked"),
            Kind.CHECKS,
            codes.Action,
            hint=_w("每项请求列出所需文书", "Each request names the papers it needs"),
            asks=_w("至少选择一项请求", "Choose at least one request"),
        ),
        Group(
            "body.request.papers",
            _w("手续", "Papers"),
            _w("文书", "Paper"),
            10,
            (
                Field(
                    "kind",
                    _w("文书", "Paper"),
                    Kind.SELECT,
                    codes.PaperKind,
                    asks=_w("选择文书种类", "Choose the kind of paper"),
                ),
                *_document("", _w("文号", "Number")),
            ),
        ),
        Field("body.request.detail", _w("具体要求", "Details"), Kind.LONG, optional=True, wide=True),
        Field(
            "body.contact_rule",
            _w("可否惊动对象", "May the person notice"),
            Kind.CARDS,
            codes.ContactRule,
            asks=_w("选择可否惊动对象", "Choose whether the person may notice"),
        ),
        Block(
            "body.watch",
            _w("布控", "Watch"),
            (
                *_window(
                    "body.watch.", _w("布控自", "Watch from"), _w("布控至", "Watch until"), optional=False
                ),
                Field(
                    "body.watch.on_hit",
                    _w("发现后", "On a hit"),
                    Kind.SELECT,
                    codes.OnHit,
                    asks=_w("选择发现后怎么做", "Choose what to do on a hit"),
                ),
            ),
            codes.Action.WATCH,
        ),
        Block(
            "body.operation",
            _w("联合行动", "Joint operation"),
            (
                Field(
                    "body.operation.code_name",
                    _w("行动代号", "Code name"),
                    asks=_w("填写行动代号", "Fill in the code name"),
                ),
                Field(
                    "body.operation.lead",
                    _w("牵头省", "Lead"),
                    Kind.PROVINCE,
                    asks=_w("选择牵头省", "Choose the leading province"),
                ),
                Field(
                    "body.operation.participants",
                    _w("参战省", "Taking part"),
                    Kind.PROVINCES,
                    asks=_w("至少选择一个参战省", "Choose at least one province"),
                ),
                Field(
                    "body.operation.not_before",
                    _w("不得早于", "Not before"),
                    Kind.TIME,
                    asks=_w("填写不得先动的时间", "Say before when nobody acts"),
                ),
            ),
            codes.Action.JOINT_OPERATION,
        ),
    ),
)

_ROLE: Final = Field(
    "body.suspected_role",
    _w("疑似作用", "Suspected role"),
    Kind.SELECT,
    codes.Role,
    asks=_w("选择疑似作用", "Choose the suspected role"),
)

CATEGORY_PARTS: Final[Mapping[Category, tuple[Part, ...]]] = MappingProxyType(
    {
        Category.OUTBOUND_TRAFFICKING: (
            Group(
                "body.to_places",
                _w("流入地点", "Destinations"),
                _w("流入地点", "Destination"),
                10,
                _place("", _w("流入地点", "Destination")),
            ),
            _ROLE,
        ),
        Category.MANUFACTURING: (),
        Category.INTERDICTION: (
            Field(
                "body.mode",
                _w("方式", "Mode"),
                Kind.SELECT,
                codes.TransportMode,
                asks=_w("选择运输方式", "Choose the mode of transport"),
            ),
            Field(
                "body.checkpoint",
                _w("卡点", "Checkpoint"),
                optional=True,
                asks=_w(
                    "写明卡点、路线，或在目标中写明包裹",
                    "Name a checkpoint, a route, or a parcel among the targets",
                ),
            ),
            Field("body.route", _w("路线", "Route"), Kind.LONG, optional=True, wide=True),
        ),
        Category.ONLINE: (),
        Category.STREET_DEALING: (
            *_place("body.place", _w("贩卖地点", "Place")),
            Field(
                "body.upstream_lead",
                _w("深挖线索", "Lead to the larger case"),
                Kind.LONG,
                wide=True,
                hint=_w("打零包、破大案：写明通向上家的线索", "How the small deal leads to the larger case"),
                asks=_w("写明通向上家的线索", "Say how it leads to the larger case"),
            ),
        ),
        Category.PRECURSOR: (
            Field(
                "body.firm",
                _w("企业", "Firm"),
                optional=True,
                asks=_w("写明企业或许可证号", "Name the firm or the permit"),
            ),
            Field("body.permit", _w("许可证号", "Permit"), optional=True, form=ONE_NUMBER),
        ),
    }
)
"""What a category asks for besides."""

CATEGORY_NEEDS: Final[Mapping[Category, Words]] = MappingProxyType(
    {
        Category.OUTBOUND_TRAFFICKING: _w(
            "须写明流入地点和疑似作用", "Needs the destinations and the suspected role"
        ),
        Category.MANUFACTURING: _w(
            "须有场所或化学品作为目标", "Needs a site or a chemical among the targets"
        ),
        Category.INTERDICTION: _w(
            "须写明方式，以及卡点、路线或包裹", "Needs the mode, and a checkpoint, a route or a parcel"
        ),
        Category.ONLINE: _w("须有平台账号作为目标", "Needs an account among the targets"),
        Category.STREET_DEALING: _w(
            "须写明地点和通向上家的线索", "Needs the place and the lead to the larger case"
        ),
        Category.PRECURSOR: _w(
            "须有化学品作为目标，并写明企业或许可证",
            "Needs a chemical among the targets, and the firm or the permit",
        ),
    }
)

SUBJECTS: Final = Group(
    "body.subjects",
    _w("人员", "People"),
    _w("人员", "Person"),
    20,
    (
        Field("name", _w("姓名", "Name"), asks=_w("填写姓名", "Fill in the name")),
        Field(
            "role",
            _w("疑似作用", "Suspected role"),
            Kind.SELECT,
            codes.Role,
            asks=_w("选择疑似作用", "Choose the suspected role"),
        ),
        Field(
            "id_document.number",
            _w("证件号码", "ID number"),
            optional=True,
            asks=_w("填写证件号码", "Fill in the number"),
        ),
        Field(
            "id_document.kind",
            _w("证件种类", "Kind of document"),
            Kind.SELECT,
            codes.IdDocumentKind,
            beside="id_document.number",
            default=codes.IdDocumentKind.ID_CARD,
            optional=True,
        ),
        Field(
            "sex",
            _w("性别", "Sex"),
            Kind.SELECT,
            codes.Sex,
            asks=_w("选择性别，不知道选“不详”", "Choose the sex; unknown is a choice"),
        ),
        Field(
            "birth_date",
            _w("出生日期", "Date of birth"),
            Kind.DAY,
            optional=True,
            form=_w("日期写成 1990-01-31", "A date is written 1990-01-31"),
        ),
        Field(
            "danger",
            _w("危险", "Danger"),
            Kind.CHECKS,
            codes.Danger,
            asks=_w("选择危险情况，不知道选“不详”", "Choose the danger; unknown is a choice"),
            wide=True,
        ),
        Field(
            "measure",
            _w("已采取的措施", "Measure so far"),
            Kind.SELECT,
            codes.Measure,
            asks=_w("选择已采取的措施", "Choose the measure so far"),
        ),
        Field(
            "nationality",
            _w("国籍", "Nationality"),
            optional=True,
            hint=_w("三位字母代码，如 CHN", "Three letters, for example CHN"),
            form=_w("国籍写三位大写字母，如 CHN", "Three capital letters, for example CHN"),
        ),
        Field(
            "aliases",
            _w("别名、绰号", "Aliases"),
            Kind.LINES,
            optional=True,
            hint=_w("每行一个", "One a line"),
        ),
        Field(
            "phones",
            _w("电话", "Telephones"),
            Kind.LINES,
            optional=True,
            hint=_w("每行一个", "One a line"),
            form=PHONE,
        ),
        Group(
            "vehicles",
            _w("车辆", "Vehicles"),
            _w("车辆", "Vehicle"),
            10,
            (
                Field("plate", _w("车牌号", "Plate"), asks=_w("填写车牌号", "Fill in the plate"), form=PLATE),
                Field("description", _w("车辆特征", "What it looks like"), optional=True),
            ),
        ),
    ),
    hint=_w("只限本案嫌疑人，最多 20 人", "Suspects of this case only, 20 at most"),
)

TARGETS: Final = Group(
    "body.targets",
    _w("目标", "Targets"),
    _w("目标", "Target"),
    20,
    variants={
        codes.TargetKind.PARCEL: (
            Field("carrier", _w("寄递企业", "Carrier"), asks=_w("填写寄递企业", "Fill in the carrier")),
            Field("number", _w("运单号", "Waybill"), asks=_w("填写运单号", "Fill in the waybill number")),
        ),
        codes.TargetKind.VEHICLE: (
            Field("plate", _w("车牌号", "Plate"), asks=_w("填写车牌号", "Fill in the plate"), form=PLATE),
            Field("description", _w("车辆特征", "What it looks like"), optional=True),
        ),
        codes.TargetKind.ACCOUNT: (
            Field("platform", _w("平台", "Platform"), asks=_w("填写平台", "Fill in the platform")),
            Field("account", _w("账号", "Account"), asks=_w("填写账号", "Fill in the account")),
        ),
        codes.TargetKind.SITE: (
            *_place("place", _w("场所位置", "Where it is")),
            Field(
                "description",
                _w("场所情况", "What it is"),
                Kind.LONG,
                asks=_w("写明场所情况", "Describe the site"),
                wide=True,
            ),
        ),
        codes.TargetKind.CHEMICAL: _substance(describe=True),
    },
)

SUBSTANCES: Final = Group(
    "body.substances", _w("涉案物品", "Substances"), _w("物品", "Substance"), 20, _substance(describe=False)
)

MOVEMENT: Final = Section(
    "movement",
    _w("行程", "Movement"),
    (
        *_place("body.movement.from", _w("出发地", "From"), optional=True),
        *_place("body.movement.to", _w("到达地", "To"), optional=True),
        *_window("body.movement.window.", _w("最早", "Not before"), _w("最晚", "Not after"), optional=True),
        Field("body.movement.via", _w("途经、方式", "Way"), optional=True),
    ),
)

TEXTS: Final = Section(
    "texts",
    _w("事实与研判", "Facts and assessment"),
    (
        Field(
            "body.facts",
            _w("事实", "Facts"),
            Kind.LONG,
            wide=True,
            hint=_w("只写已知的事实，推断写在研判里", "What is known; inferences belong below"),
            asks=_w("写明事实", "Write down the facts"),
        ),
        Field(
            "body.assessment",
            _w("研判", "Assessment"),
            Kind.LONG,
            optional=True,
            wide=True,
            hint=_w("推断，不是事实", "Inference, not fact"),
        ),
        Field(
            "body.grading.source",
            _w("来源可靠性", "The source"),
            Kind.SELECT,
            codes.SourceGrade,
            asks=_w("选择来源可靠性", "Grade the source"),
        ),
        Field(
            "body.grading.information",
            _w("情报可信度", "The information"),
            Kind.SELECT,
            codes.InformationGrade,
            asks=_w("选择情报可信度", "Grade the information"),
        ),
    ),
)

CONTACT: Final = Section(
    "contact",
    _w("联系与保存", "Contact and retention"),
    (
        Field(
            "body.contact.unit",
            _w("联系单位", "Unit to call"),
            asks=_w("填写联系单位", "Fill in the unit to call"),
        ),
        Field(
            "body.contact.duty_phone",
            _w("24 小时值班电话", "24 h telephone"),
            hint=_w("有人接听的固定电话", "Where somebody always answers"),
            asks=_w("填写 24 小时值班电话", "Fill in the 24 h telephone"),
            form=PHONE,
        ),
        Field(
            "body.retain_until",
            _w("保存至", "Kept until"),
            Kind.TIME,
            optional=True,
            hint=_w(
                "到期自动销毁，最长 3 年；不填则随通报失效",
                "Destroyed then; three years at most; if empty, when the alert expires",
            ),
        ),
    ),
)


BLOCKS: Final = tuple(
    part.name for part in REQUEST.parts if isinstance(part, Block) and part.action is not None
)
"""What is on the page only while it is asked for."""


def sections(category: Category) -> tuple[Section, ...]:
    """The form of a category, in the order of the page."""
    own = CATEGORY_PARTS[category]
    asked = (Section("category", Words(category.zh, category.en), own),) if own else ()
    return (
        ADDRESSEES,
        CASE,
        REQUEST,
        *asked,
        Section("subjects", SUBJECTS.label, (SUBJECTS,)),
        Section("targets", Words("目标与物品", "Targets and substances"), (TARGETS, SUBSTANCES)),
        MOVEMENT,
        TEXTS,
        CONTACT,
    )


def only_in(old: Category, new: Category) -> tuple[Part, ...]:
    """What the form of one category asks for and that of another one doesn't."""
    kept = {part.name for part in CATEGORY_PARTS[new]}
    return tuple(part for part in CATEGORY_PARTS[old] if part.name not in kept)


def variant(group: Group, kind: str) -> tuple[Part, ...]:
    """The fields of one item of a group, which may depend on its kind."""
    return group.variants.get(kind, ()) if group.variants else group.fields


def flat(parts: tuple[Part, ...]) -> Iterator[Field | Group]:
    """The fields and groups without the blocks around them."""
    for part in parts:
        if isinstance(part, Block):
            yield from part.fields
        else:
            yield part
