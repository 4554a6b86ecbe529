"""The parts of the form that are the same for every category, as data.

1. Choices come from the code tables, in their order and with their labels.
2. Not in the form is what the desk itself knows: who drafted, reviewed and issues, and the client reference.
"""

from typing import Final

from tongbao_broker.errors import Words
from tongbao_connectors.papers.fields import NO_WORDS, Block, Field, Group, Kind, Section
from tongbao_schemas.bodies import codes
from tongbao_schemas.codes import Handling, Status, Urgency

PLATE: Final = Words("车牌号 2 至 12 位，不留空格", "A plate has 2 to 12 characters and no blank")
PHONE: Final = Words("电话只写数字和连字符，5 至 20 位", "A telephone number has 5 to 20 digits and hyphens")
ONE_NUMBER: Final = Words(
    "只写一个编号，不用顿号、逗号或竖线隔开几个", "One number only, without commas, semicolons or bars"
)
REGION_HINT: Final = Words(
    "填区划名称或六位代码，按当日有效的行政区划", "A division by name or six-digit code, valid at the date"
)
FILE_HINT: Final = Words(
    "只取文件的摘要（SHA-256）写入通报，文件不保存；20 MB 以内",
    "Only the file's digest (SHA-256) goes into the alert; the file is not kept; 20 MB at most",
)
ASK_FILE: Final = Words("选择文件，摘要随通报发出", "Choose the file, its digest goes with the alert")


def place(name: str, label: Words, asks: Words = NO_WORDS, *, optional: bool = False) -> tuple[Field, ...]:
    """A division and an address below `name`; empty: where the group's item itself is a place."""
    asks = asks if asks.zh else Words(f"填写{label.zh}", f"Fill in: {label.en}")
    prefix = f"{name}." if name else ""
    return (
        Field(f"{prefix}region", label, Kind.REGION, hint=REGION_HINT, asks=asks, optional=optional),
        Field(f"{prefix}address", Words("详细地址", "Address"), optional=True),
    )


def _document(name: str, number: Words) -> tuple[Field, ...]:
    return (
        Field(f"{name}number", number, asks=Words("填写文号", "Fill in the number"), form=ONE_NUMBER),
        Field(f"{name}digest", Words("文件", "File"), Kind.FILE, hint=FILE_HINT, asks=ASK_FILE),
        Field(
            f"{name}marking",
            Words("密级标志", "Marking"),
            Kind.SELECT,
            codes.Marking,
            hint=Words("标有国家秘密的文件不收", "Documents marked as state secrets are refused"),
            beside=f"{name}number",
            default=codes.Marking.NONE,
            optional=True,
        ),
    )


def _window(name: str, first: Words, last: Words, *, optional: bool) -> tuple[Field, ...]:
    return (
        Field(
            f"{name}from",
            first,
            Kind.TIME,
            optional=optional,
            asks=Words("填写开始时间", "Fill in the start"),
        ),
        Field(
            f"{name}until", last, Kind.TIME, optional=optional, asks=Words("填写结束时间", "Fill in the end")
        ),
    )


def _substance(describe: bool) -> tuple[Field, ...]:
    telling = Field(
        "description",
        Words("异常情况", "What was noticed"),
        Kind.LONG,
        asks=Words("写明异常情况", "Say what was noticed"),
        wide=True,
    )
    return (
        Field(
            "substance",
            Words("品名", "Substance"),
            Kind.SELECT,
            codes.Substance,
            asks=Words("选择品名", "Choose the substance"),
        ),
        Field(
            "name",
            Words("具体名称", "Name"),
            optional=True,
            hint=Words("选“其他”时填写", "Where another substance is chosen"),
            asks=Words("选“其他”时填写具体名称", "Name the substance that is not in the list"),
        ),
        Field(
            "quantity.amount",
            Words("数量", "Amount"),
            optional=True,
            form=Words(
                "数量写成数字，最多三位小数，如 480.5",
                "A number with up to three decimals, for example 480.5",
            ),
        ),
        Field(
            "quantity.unit",
            Words("单位", "Unit"),
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
    Words("收件与时限", "Addressees and deadlines"),
    (
        Field(
            "urgency", Words("级别", "Level"), Kind.CARDS, Urgency, asks=Words("选择级别", "Choose the level")
        ),
        Field(
            "audience",
            Words("流入地（收件省）", "Addressees"),
            Kind.PROVINCES,
            hint=Words("逐省选择，没有“全部”", "Chosen one by one; there is no “all”"),
            asks=Words("至少选择一个收件省", "Choose at least one province"),
        ),
        Field(
            "status",
            Words("性质", "Status"),
            Kind.CARDS,
            Status,
            hint=Words("由所在网络决定可选的性质", "The network decides what may be chosen"),
            asks=Words("选择性质", "Choose the status"),
        ),
        Field(
            "handling",
            Words("处理限制", "Handling"),
            Kind.CARDS,
            Handling,
            asks=Words("选择处理限制", "Choose the handling"),
            default=Handling.H1,
        ),
        Block(
            "deadlines",
            Words("自定时限", "Deadlines of one's own"),
            (
                Field("deadlines.sign_by", Words("签收时限", "Sign by"), Kind.TIME, optional=True),
                Field(
                    "deadlines.first_feedback_by",
                    Words("首次反馈时限", "First feedback by"),
                    Kind.TIME,
                    optional=True,
                ),
                Field("deadlines.result_by", Words("反馈结果时限", "Result by"), Kind.TIME, optional=True),
                Field(
                    "deadlines.basis",
                    Words("依据", "Basis"),
                    optional=True,
                    asks=Words("写明自定时限的依据", "Say on what basis"),
                ),
                Field("expires_at", Words("通报有效至", "Valid until"), Kind.TIME, optional=True),
            ),
        ),
    ),
)

CASE: Final = Section(
    "case",
    Words("案件与依据", "Case and legal basis"),
    (
        Field(
            "body.title",
            Words("标题", "Title"),
            wide=True,
            hint=Words(
                "一句话写明谁、何时、何地、请求什么，80 字以内",
                "One line: who, when, where, what is asked; 80 characters at most",
            ),
            asks=Words("填写标题", "Fill in the title"),
        ),
        Field(
            "body.case.number",
            Words("案件编号", "Case number"),
            hint=Words("立案决定书上的编号", "As in the decision to open the case"),
            asks=Words("填写案件编号，一份通报只写一个案件", "Fill in the case number: one alert, one case"),
            form=ONE_NUMBER,
        ),
        Field(
            "body.case.unit.name", Words("办案单位", "Unit"), asks=Words("填写办案单位", "Fill in the unit")
        ),
        Field(
            "body.case.unit.kind",
            Words("单位类别", "Kind of unit"),
            Kind.SELECT,
            codes.UnitKind,
            asks=Words("选择单位类别", "Choose the kind of unit"),
        ),
        Field(
            "body.lead_source",
            Words("线索来源", "Source of the lead"),
            Kind.SELECT,
            codes.LeadSource,
            asks=Words("选择线索来源", "Choose where the lead comes from"),
        ),
        Field(
            "body.legal_basis.kind",
            Words("法律依据", "Legal basis"),
            Kind.SELECT,
            codes.LegalBasisKind,
            asks=Words("选择法律依据的种类", "Choose the kind of legal basis"),
        ),
        *_document("body.legal_basis.", Words("依据文号", "Its number")),
        Field(
            "body.secrecy_review.result",
            Words("保密审查", "Secrecy review"),
            Kind.SELECT,
            codes.SecrecyResult,
            hint=Words(
                "审核人复核并署名；涉及国家秘密的走机要渠道",
                "Confirmed and signed by the reviewer; state secrets use the classified channel",
            ),
            asks=Words("选择保密审查结论", "Choose the result of the secrecy review"),
        ),
    ),
)

REQUEST: Final = Section(
    "request",
    Words("请求与手续", "Request and papers"),
    (
        Field(
            "body.request.actions",
            Words("请对方做什么", "What is asked"),
            Kind.CHECKS,
            codes.Action,
            hint=Words("每项请求列出所需文书", "Each request names the papers it needs"),
            asks=Words("至少选择一项请求", "Choose at least one request"),
        ),
        Group(
            "body.request.papers",
            Words("手续", "Papers"),
            Words("文书", "Paper"),
            10,
            (
                Field(
                    "kind",
                    Words("文书", "Paper"),
                    Kind.SELECT,
                    codes.PaperKind,
                    asks=Words("选择文书种类", "Choose the kind of paper"),
                ),
                *_document("", Words("文号", "Number")),
            ),
        ),
        Field("body.request.detail", Words("具体要求", "Details"), Kind.LONG, optional=True, wide=True),
        Field(
            "body.contact_rule",
            Words("可否惊动对象", "May the person notice"),
            Kind.CARDS,
            codes.ContactRule,
            asks=Words("选择可否惊动对象", "Choose whether the person may notice"),
        ),
        Block(
            "body.watch",
            Words("布控", "Watch"),
            (
                *_window(
                    "body.watch.",
                    Words("布控自", "Watch from"),
                    Words("布控至", "Watch until"),
                    optional=False,
                ),
                Field(
                    "body.watch.on_hit",
                    Words("发现后", "On a hit"),
                    Kind.SELECT,
                    codes.OnHit,
                    asks=Words("选择发现后怎么做", "Choose what to do on a hit"),
                ),
            ),
            codes.Action.WATCH,
        ),
        Block(
            "body.operation",
            Words("联合行动", "Joint operation"),
            (
                Field(
                    "body.operation.code_name",
                    Words("行动代号", "Code name"),
                    asks=Words("填写行动代号", "Fill in the code name"),
                ),
                Field(
                    "body.operation.lead",
                    Words("牵头省", "Lead"),
                    Kind.PROVINCE,
                    asks=Words("选择牵头省", "Choose the leading province"),
                ),
                Field(
                    "body.operation.participants",
                    Words("参战省", "Taking part"),
                    Kind.PROVINCES,
                    asks=Words("至少选择一个参战省", "Choose at least one province"),
                ),
                Field(
                    "body.operation.not_before",
                    Words("不得早于", "Not before"),
                    Kind.TIME,
                    asks=Words("填写不得先动的时间", "Say before when nobody acts"),
                ),
            ),
            codes.Action.JOINT_OPERATION,
        ),
    ),
)

SUBJECTS: Final = Group(
    "body.subjects",
    Words("人员", "People"),
    Words("人员", "Person"),
    20,
    (
        Field("name", Words("姓名", "Name"), asks=Words("填写姓名", "Fill in the name")),
        Field(
            "role",
            Words("疑似作用", "Suspected role"),
            Kind.SELECT,
            codes.Role,
            asks=Words("选择疑似作用", "Choose the suspected role"),
        ),
        Field(
            "id_document.number",
            Words("证件号码", "ID number"),
            optional=True,
            asks=Words("填写证件号码", "Fill in the number"),
        ),
        Field(
            "id_document.kind",
            Words("证件种类", "Kind of document"),
            Kind.SELECT,
            codes.IdDocumentKind,
            beside="id_document.number",
            default=codes.IdDocumentKind.ID_CARD,
            optional=True,
        ),
        Field(
            "sex",
            Words("性别", "Sex"),
            Kind.SELECT,
            codes.Sex,
            asks=Words("选择性别，不知道选“不详”", "Choose the sex; unknown is a choice"),
        ),
        Field(
            "birth_date",
            Words("出生日期", "Date of birth"),
            Kind.DAY,
            optional=True,
            form=Words("日期写成 1990-01-31", "A date is written 1990-01-31"),
        ),
        Field(
            "danger",
            Words("危险", "Danger"),
            Kind.CHECKS,
            codes.Danger,
            asks=Words("选择危险情况，不知道选“不详”", "Choose the danger; unknown is a choice"),
            wide=True,
        ),
        Field(
            "measure",
            Words("已采取的措施", "Measure so far"),
            Kind.SELECT,
            codes.Measure,
            asks=Words("选择已采取的措施", "Choose the measure so far"),
        ),
        Field(
            "nationality",
            Words("国籍", "Nationality"),
            optional=True,
            hint=Words("三位字母代码，如 CHN", "Three letters, for example CHN"),
            form=Words("国籍写三位大写字母，如 CHN", "Three capital letters, for example CHN"),
        ),
        Field(
            "aliases",
            Words("别名、绰号", "Aliases"),
            Kind.LINES,
            optional=True,
            hint=Words("每行一个", "One a line"),
        ),
        Field(
            "phones",
            Words("电话", "Telephones"),
            Kind.LINES,
            optional=True,
            hint=Words("每行一个", "One a line"),
            form=PHONE,
        ),
        Group(
            "vehicles",
            Words("车辆", "Vehicles"),
            Words("车辆", "Vehicle"),
            10,
            (
                Field(
                    "plate",
                    Words("车牌号", "Plate"),
                    asks=Words("填写车牌号", "Fill in the plate"),
                    form=PLATE,
                ),
                Field("description", Words("车辆特征", "What it looks like"), optional=True),
            ),
        ),
    ),
    hint=Words("只限本案嫌疑人，最多 20 人", "Suspects of this case only, 20 at most"),
)

TARGETS: Final = Group(
    "body.targets",
    Words("目标", "Targets"),
    Words("目标", "Target"),
    20,
    variants={
        codes.TargetKind.PARCEL: (
            Field("carrier", Words("寄递企业", "Carrier"), asks=Words("填写寄递企业", "Fill in the carrier")),
            Field(
                "number", Words("运单号", "Waybill"), asks=Words("填写运单号", "Fill in the waybill number")
            ),
        ),
        codes.TargetKind.VEHICLE: (
            Field(
                "plate", Words("车牌号", "Plate"), asks=Words("填写车牌号", "Fill in the plate"), form=PLATE
            ),
            Field("description", Words("车辆特征", "What it looks like"), optional=True),
        ),
        codes.TargetKind.ACCOUNT: (
            Field("platform", Words("平台", "Platform"), asks=Words("填写平台", "Fill in the platform")),
            Field("account", Words("账号", "Account"), asks=Words("填写账号", "Fill in the account")),
        ),
        codes.TargetKind.SITE: (
            *place("place", Words("场所位置", "Where it is")),
            Field(
                "description",
                Words("场所情况", "What it is"),
                Kind.LONG,
                asks=Words("写明场所情况", "Describe the site"),
                wide=True,
            ),
        ),
        codes.TargetKind.CHEMICAL: _substance(describe=True),
    },
)

SUBSTANCES: Final = Group(
    "body.substances",
    Words("涉案物品", "Substances"),
    Words("物品", "Substance"),
    20,
    _substance(describe=False),
)

MOVEMENT: Final = Section(
    "movement",
    Words("行程", "Movement"),
    (
        *place("body.movement.from", Words("出发地", "From"), optional=True),
        *place("body.movement.to", Words("到达地", "To"), optional=True),
        *_window(
            "body.movement.window.", Words("最早", "Not before"), Words("最晚", "Not after"), optional=True
        ),
        Field("body.movement.via", Words("途经、方式", "Way"), optional=True),
    ),
)

TEXTS: Final = Section(
    "texts",
    Words("事实与研判", "Facts and assessment"),
    (
        Field(
            "body.facts",
            Words("事实", "Facts"),
            Kind.LONG,
            wide=True,
            hint=Words("只写已知的事实，推断写在研判里", "What is known; inferences belong below"),
            asks=Words("写明事实", "Write down the facts"),
        ),
        Field(
            "body.assessment",
            Words("研判", "Assessment"),
            Kind.LONG,
            optional=True,
            wide=True,
            hint=Words("推断，不是事实", "Inference, not fact"),
        ),
        Field(
            "body.grading.source",
            Words("来源可靠性", "The source"),
            Kind.SELECT,
            codes.SourceGrade,
            asks=Words("选择来源可靠性", "Grade the source"),
        ),
        Field(
            "body.grading.information",
            Words("情报可信度", "The information"),
            Kind.SELECT,
            codes.InformationGrade,
            asks=Words("选择情报可信度", "Grade the information"),
        ),
    ),
)

CONTACT: Final = Section(
    "contact",
    Words("联系与保存", "Contact and retention"),
    (
        Field(
            "body.contact.unit",
            Words("联系单位", "Unit to call"),
            asks=Words("填写联系单位", "Fill in the unit to call"),
        ),
        Field(
            "body.contact.duty_phone",
            Words("24 小时值班电话", "24 h telephone"),
            hint=Words("有人接听的固定电话", "Where somebody always answers"),
            asks=Words("填写 24 小时值班电话", "Fill in the 24 h telephone"),
            form=PHONE,
        ),
        Field(
            "body.retain_until",
            Words("保存至", "Kept until"),
            Kind.TIME,
            optional=True,
            hint=Words(
                "到期自动销毁，最长 3 年；不填则随通报失效",
                "Destroyed then; three years at most; if empty, when the alert expires",
            ),
        ),
    ),
)
