"""Coded values of the bodies, each with its Chinese and English word for people."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tongbao_schemas.codes import Labelled


class UnitKind(Labelled):
    """What kind of police unit it is."""

    BUREAU = "bureau", "总队", "Provincial bureau"
    BRANCH = "branch", "支队", "Prefecture branch"
    BRIGADE = "brigade", "大队", "County brigade"
    INTELLIGENCE = "intelligence", "情报中心", "Intelligence centre"
    CHECKPOINT = "checkpoint", "检查站", "Checkpoint"


class LegalBasisKind(Labelled):
    """The decision that the alert rests on."""

    CASE_FILING = "case_filing", "立案决定书", "Decision to open a case"
    INITIAL_INQUIRY = "initial_inquiry", "受案登记表", "Registration of a report"
    ASSISTANCE_AGREEMENT = "assistance_agreement", "协作协议", "Cooperation agreement"
    SUPERIOR_ORDER = "superior_order", "上级指令", "Order of a superior unit"


class Marking(Labelled):
    """What is printed on a document. State secrets are listed so that they are refused by name."""

    NONE = "none", "无", "None"
    WORK_SECRET = "work_secret", "警务工作秘密", "Police work secret"
    CONFIDENTIAL = "confidential", "秘密", "State secret: confidential"
    SECRET = "secret", "机密", "State secret: secret"
    TOP_SECRET = "top_secret", "绝密", "State secret: top secret"


STATE_SECRETS: Final = frozenset({Marking.CONFIDENTIAL, Marking.SECRET, Marking.TOP_SECRET})


class SecrecyResult(Labelled):
    """What the secrecy review found; nothing else may travel."""

    NOT_SECRET = "not_secret", "不涉密", "Not secret"
    WORK_SECRET = "work_secret", "警务工作秘密", "Police work secret"


class LeadSource(Labelled):
    """Where the lead comes from."""

    SCREENING = "screening", "排查", "Screening of cases"
    REPORT = "report", "举报", "Report by the public"
    CASE_EXPANSION = "case_expansion", "深挖", "Expansion of a case"
    OTHER_PROVINCE = "other_province", "外省通报", "Notice from another province"


class SourceGrade(Labelled):
    """How reliable the source is."""

    A = "A", "完全可靠", "Completely reliable"
    B = "B", "通常可靠", "Usually reliable"
    C = "C", "不太可靠", "Not very reliable"
    X = "X", "无法判断", "Cannot be judged"


class InformationGrade(Labelled):
    """How well the information is established."""

    CONFIRMED = "1", "已核实", "Confirmed"
    PROBABLE = "2", "很可能属实", "Probably true"
    POSSIBLE = "3", "可能属实", "Possibly true"
    UNKNOWN = "4", "无法判断", "Cannot be judged"


class Sex(Labelled):
    """As in the ID document."""

    MALE = "male", "男", "Male"
    FEMALE = "female", "女", "Female"
    UNKNOWN = "unknown", "不详", "Unknown"


class IdDocumentKind(Labelled):
    """What the number is from."""

    ID_CARD = "id_card", "居民身份证", "Resident ID card"
    PASSPORT = "passport", "护照", "Passport"
    TRAVEL_PERMIT = "travel_permit", "通行证", "Travel permit"
    OTHER = "other", "其他证件", "Other document"


class Role(Labelled):
    """What the subject is suspected of doing."""

    ORGANISER = "organiser", "组织者", "Organiser"
    SELLER = "seller", "贩卖", "Seller"
    CARRIER = "carrier", "运输", "Carrier"
    BUYER = "buyer", "购买", "Buyer"
    COOK = "cook", "制造", "Manufacturer"
    SUPPLIER = "supplier", "供料", "Supplier of materials"
    UNKNOWN = "unknown", "不详", "Unknown"


class Danger(Labelled):
    """What officers must expect."""

    FIREARM = "firearm", "可能持枪", "May carry a firearm"
    KNIFE = "knife", "可能持刀", "May carry a knife"
    VIOLENCE = "violence", "有暴力倾向", "May use violence"
    UNKNOWN = "unknown", "不详", "Unknown"


class Measure(Labelled):
    """What has been decided about the subject so far."""

    CASE_FILED = "case_filed", "已立案", "Case opened"
    DETAINED = "detained", "已拘留", "Detained"
    ARREST_APPROVED = "arrest_approved", "已批捕", "Arrest approved"
    WANTED_ONLINE = "wanted_online", "网上在逃", "Wanted"
    NONE = "none", "未采取措施", "None so far"


class Action(Labelled):
    """What the receiving province is asked to do."""

    IDENTIFY = "identify", "查询身份", "Establish identity"
    LOCATE = "locate", "查找", "Locate"
    WATCH = "watch", "布控", "Watch"
    INSPECT = "inspect", "查缉", "Stop and inspect"
    SUMMON = "summon", "传唤", "Summon"
    ARREST = "arrest", "抓捕", "Arrest"
    JOINT_OPERATION = "joint_operation", "联合行动", "Joint operation"
    FOR_INFORMATION = "for_information", "仅供参考", "For information"


class PaperKind(Labelled):
    """A legal paper."""

    ASSISTANCE_LETTER = "assistance_letter", "办案协作函", "Letter of assistance"
    WATCH_APPROVAL = "watch_approval", "布控审批表", "Approval of a watch"
    SUMMONS = "summons", "传唤证", "Summons"
    DETENTION_WARRANT = "detention_warrant", "拘留证", "Detention warrant"
    ARREST_WARRANT = "arrest_warrant", "逮捕证", "Arrest warrant"
    OPERATION_PLAN = "operation_plan", "联合行动方案", "Plan of the joint operation"


PAPERS_NEEDED: Final[Mapping[Action, tuple[frozenset[PaperKind], ...]]] = MappingProxyType(
    {
        Action.IDENTIFY: (),
        Action.LOCATE: (),
        Action.FOR_INFORMATION: (),
        Action.WATCH: (frozenset({PaperKind.WATCH_APPROVAL}),),
        Action.INSPECT: (frozenset({PaperKind.ASSISTANCE_LETTER}),),
        Action.SUMMON: (frozenset({PaperKind.ASSISTANCE_LETTER}), frozenset({PaperKind.SUMMONS})),
        Action.ARREST: (
            frozenset({PaperKind.ASSISTANCE_LETTER}),
            frozenset({PaperKind.DETENTION_WARRANT, PaperKind.ARREST_WARRANT}),
        ),
        Action.JOINT_OPERATION: (
            frozenset({PaperKind.ASSISTANCE_LETTER}),
            frozenset({PaperKind.OPERATION_PLAN}),
        ),
    }
)
"""For each action the papers it needs, one of each set.

After the chapter on assistance between police of different places (办案协作) of the
公安机关办理刑事案件程序规定:
who acts in another place brings a letter of assistance and the warrant for the measure itself.
"""


class ContactRule(Labelled):
    """Whether the subject may notice."""

    COVERT = "covert", "秘密核查不得惊动", "Covert, do not alert"
    OPEN = "open", "可公开查证", "May be checked openly"
    WARRANT = "warrant", "凭证控制", "Control on warrant"


class OnHit(Labelled):
    """What to do when a watched person or thing appears."""

    REPORT_ONLY = "report_only", "仅报告", "Report only"
    FOLLOW = "follow", "跟踪", "Follow"
    CONTROL = "control", "控制", "Control"


class TargetKind(Labelled):
    """A thing or place that the alert is about."""

    PARCEL = "parcel", "包裹", "Parcel"
    VEHICLE = "vehicle", "车辆", "Vehicle"
    ACCOUNT = "account", "账号", "Account"
    SITE = "site", "场所", "Site"
    CHEMICAL = "chemical", "化学品", "Chemical"


class TransportMode(Labelled):
    """How it travels."""

    ROAD = "road", "公路", "Road"
    RAIL = "rail", "铁路", "Rail"
    AIR = "air", "航空", "Air"
    DELIVERY = "delivery", "寄递", "Delivery service"


class Substance(Labelled):
    """What it is; a name of its own only where none of these fits."""

    HEROIN = "heroin", "海洛因", "Heroin"
    METHAMPHETAMINE = "methamphetamine", "甲基苯丙胺", "Methamphetamine"
    MDMA = "mdma", "摇头丸", "MDMA"
    KETAMINE = "ketamine", "氯胺酮", "Ketamine"
    CANNABIS = "cannabis", "大麻", "Cannabis"
    COCAINE = "cocaine", "可卡因", "Cocaine"
    OPIUM = "opium", "鸦片", "Opium"
    ETOMIDATE = "etomidate", "依托咪酯", "Etomidate"
    EPHEDRINE = "ephedrine", "麻黄碱", "Ephedrine"
    PRECURSOR = "precursor", "易制毒化学品", "Precursor chemical"
    OTHER = "other", "其他", "Other"
    UNKNOWN = "unknown", "不详", "Unknown"


class QuantityUnit(Labelled):
    """The unit of a quantity."""

    GRAM = "g", "克", "Grams"
    KILOGRAM = "kg", "千克", "Kilograms"
    LITRE = "l", "升", "Litres"
    TABLET = "tablet", "片", "Tablets"
    PLANT = "plant", "株", "Plants"


class AnswerKind(Labelled):
    """What an answer says."""

    PROGRESS = "progress", "阶段反馈", "Progress"
    RESULT = "result", "反馈", "Result"
    RETURNED = "returned", "退回补正", "Returned"
    REDIRECT = "redirect", "建议改发", "Redirect"
    MORE_TIME = "more_time", "申请延期", "More time"


class Outcome(Labelled):
    """What the checking came to."""

    CONFIRMED = "confirmed", "查证属实", "Confirmed"
    NOT_CONFIRMED = "not_confirmed", "未能查实", "Not confirmed"
    REFUTED = "refuted", "查否", "Refuted"
    LOCATED = "located", "已查找到", "Located"
    CONTROLLED = "controlled", "已控制", "Under control"
    DETAINED = "detained", "已抓获", "Detained"
    SEIZED = "seized", "已查获", "Seized"


class ReturnGround(Labelled):
    """Why an alert is returned: a closed list."""

    PAPERS_INCOMPLETE = "papers_incomplete", "手续不完备", "Papers incomplete"
    NOT_OUR_AREA = "not_our_area", "非本辖区", "Not our area"
    TOO_LITTLE_INFORMATION = "too_little_information", "信息不足", "Too little information"
    DUPLICATE = "duplicate", "重复", "Duplicate"
