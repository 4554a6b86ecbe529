"""Coded values of the bodies, each with its Chinese and English word for people.

The lists are closed: a value that is not here refuses the body. Where practice knows more than a list, the
list has an `other` or `unknown`, so that nothing has to be forced into a wrong word.
"""

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
    STATION = "station", "派出所", "Police station"
    OTHER = "other", "其他", "Other"


class LegalBasisKind(Labelled):
    """The decision that the alert rests on."""

    CASE_FILING = "case_filing", "立案决定书", "Decision to open a case"
    REGISTRATION = "registration", "受案登记表", "Registration of a report"
    SUPERIOR_ORDER = "superior_order", "上级交办通知", "Order of a superior unit"


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

    A = "A", "完全可靠", "Reliable without doubt"
    B = "B", "多数可靠", "Reliable in most cases"
    C = "C", "多数不可靠", "Unreliable in most cases"
    X = "X", "无法评估", "Cannot be assessed"


class InformationGrade(Labelled):
    """How well the information is established."""

    CONFIRMED = "1", "确认属实", "Known to be true"
    FIRST_HAND = "2", "来源直接知悉，未经佐证", "Known to the source, not corroborated"
    CORROBORATED = "3", "来源间接知悉，有佐证", "Hearsay, corroborated"
    HEARSAY = "4", "来源间接知悉，无法佐证", "Hearsay, cannot be corroborated"


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

    FIREARM = "firearm", "持枪", "May carry a firearm"
    KNIFE = "knife", "持刀", "May carry a knife"
    VIOLENCE = "violence", "暴力", "May use violence"
    UNKNOWN = "unknown", "不详", "Unknown"


class Measure(Labelled):
    """What has been decided about the subject so far."""

    CASE_FILED = "case_filed", "已立案", "Case opened"
    DETENTION_DECIDED = "detention_decided", "已决定拘留", "Detention decided"
    DETAINED = "detained", "已拘留", "Detained"
    ARREST_APPROVED = "arrest_approved", "已批捕", "Arrest approved"
    BAIL = "bail", "取保候审", "On bail"
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

    ASSISTANCE_LETTER = "assistance_letter", "协查函", "Letter of assistance"
    WATCH_APPROVAL = "watch_approval", "布控审批表", "Approval of a watch"
    SUMMONS = "summons", "传唤证", "Summons"
    COMPELLED_APPEARANCE = "compelled_appearance", "拘传证", "Warrant of compelled appearance"
    DETENTION_WARRANT = "detention_warrant", "拘留证", "Detention warrant"
    ARREST_WARRANT = "arrest_warrant", "逮捕证", "Arrest warrant"
    WANTED_ORDER = "wanted_order", "通缉令", "Wanted order"
    OPERATION_PLAN = "operation_plan", "联合行动方案", "Plan of the joint operation"


WARRANTS: Final = frozenset(
    {
        PaperKind.SUMMONS,
        PaperKind.COMPELLED_APPEARANCE,
        PaperKind.DETENTION_WARRANT,
        PaperKind.ARREST_WARRANT,
        PaperKind.WANTED_ORDER,
    }
)
"""The papers on which a person may be summoned or held."""

_LETTER: Final = frozenset({PaperKind.ASSISTANCE_LETTER})
PAPERS_NEEDED: Final[Mapping[Action, tuple[frozenset[PaperKind], ...]]] = MappingProxyType(
    {
        Action.IDENTIFY: (_LETTER,),
        Action.LOCATE: (_LETTER,),
        Action.WATCH: (frozenset({PaperKind.WATCH_APPROVAL}),),
        Action.INSPECT: (_LETTER,),
        Action.SUMMON: (_LETTER, frozenset({PaperKind.SUMMONS, PaperKind.COMPELLED_APPEARANCE})),
        Action.ARREST: (
            _LETTER,
            frozenset({PaperKind.DETENTION_WARRANT, PaperKind.ARREST_WARRANT, PaperKind.WANTED_ORDER}),
        ),
        Action.JOINT_OPERATION: (_LETTER, frozenset({PaperKind.OPERATION_PLAN})),
        Action.FOR_INFORMATION: (),
    }
)
"""For each action the papers it needs, one of each set.

Sources. 刑事诉讼法 (2018): article 83 (the police of the place are told and help), 85 and 93 (detention and
arrest only on 拘留证 and 逮捕证), 119 (传唤), 66 (拘传), 155 (on a 通缉令 any police body arrests).
公安机关办理刑事案件程序规定 (2020), chapter 办案协作: who asks for help in another place sends a letter
(办案协作函件, here 协查函) together with the measure's own warrant. 布控 rests on the unit's own approval.
"""

OPEN_CASE_NEEDED: Final = frozenset({Action.WATCH, Action.SUMMON, Action.ARREST, Action.JOINT_OPERATION})
"""Measures that may only follow a decision to open the case (刑事诉讼法, articles 109 to 115: 立案)."""


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
    """A drug or a chemical, coded.

    After the national lists of narcotic and psychotropic substances and the schedule of the
    易制毒化学品管理条例. What is on those but not here goes under one of the `OTHER_` codes with its name.
    """

    HEROIN = "heroin", "海洛因", "Heroin"
    OPIUM = "opium", "鸦片", "Opium"
    MORPHINE = "morphine", "吗啡", "Morphine"
    COCAINE = "cocaine", "可卡因", "Cocaine"
    CANNABIS = "cannabis", "大麻", "Cannabis"
    METHAMPHETAMINE = "methamphetamine", "甲基苯丙胺", "Methamphetamine"
    AMPHETAMINE = "amphetamine", "苯丙胺", "Amphetamine"
    MDMA = "mdma", "摇头丸（MDMA）", "MDMA"
    KETAMINE = "ketamine", "氯胺酮", "Ketamine"
    FLUOROKETAMINE = "fluoroketamine", "氟胺酮", "Fluoroketamine"
    METHCATHINONE = "methcathinone", "甲卡西酮", "Methcathinone"
    GHB = "ghb", "γ-羟丁酸", "GHB"
    FENTANYLS = "fentanyls", "芬太尼类物质", "Fentanyl-related substances"
    NITAZENES = "nitazenes", "尼秦类物质", "Nitazenes"
    SYNTHETIC_CANNABINOIDS = "synthetic_cannabinoids", "合成大麻素类物质", "Synthetic cannabinoids"
    ETOMIDATE = "etomidate", "依托咪酯", "Etomidate"
    TRAMADOL = "tramadol", "曲马多", "Tramadol"
    OTHER_DRUG = "other_drug", "其他毒品", "Another drug"
    EPHEDRINE = "ephedrine", "麻黄碱类物质", "Ephedrines"
    P2P = "p2p", "1-苯基-2-丙酮", "1-Phenyl-2-propanone"
    PMK = "pmk", "3,4-亚甲基二氧苯基-2-丙酮", "3,4-MDP-2-P"
    SAFROLE = "safrole", "黄樟素", "Safrole"
    PIPERONAL = "piperonal", "胡椒醛", "Piperonal"
    HYDROXYLIMINE = "hydroxylimine", "羟亚胺", "Hydroxylimine"
    CHLOROPHENYL_KETONE = "chlorophenyl_ketone", "邻氯苯基环戊酮", "o-Chlorophenyl cyclopentyl ketone"
    BROMOPROPIOPHENONE = "bromopropiophenone", "1-苯基-2-溴-1-丙酮", "2-Bromopropiophenone"
    PHENYLACETIC_ACID = "phenylacetic_acid", "苯乙酸", "Phenylacetic acid"
    ACETIC_ANHYDRIDE = "acetic_anhydride", "醋酸酐", "Acetic anhydride"
    CHLOROFORM = "chloroform", "三氯甲烷", "Chloroform"
    ETHYL_ETHER = "ethyl_ether", "乙醚", "Ethyl ether"
    PIPERIDINE = "piperidine", "哌啶", "Piperidine"
    BROMINE = "bromine", "溴素", "Bromine"
    PROPIOPHENONE = "propiophenone", "1-苯基-1-丙酮", "Propiophenone"
    TOLUENE = "toluene", "甲苯", "Toluene"
    ACETONE = "acetone", "丙酮", "Acetone"
    METHYL_ETHYL_KETONE = "methyl_ethyl_ketone", "甲基乙基酮", "Methyl ethyl ketone"
    POTASSIUM_PERMANGANATE = "potassium_permanganate", "高锰酸钾", "Potassium permanganate"
    SULPHURIC_ACID = "sulphuric_acid", "硫酸", "Sulphuric acid"
    HYDROCHLORIC_ACID = "hydrochloric_acid", "盐酸", "Hydrochloric acid"
    GBL = "gbl", "γ-丁内酯", "GBL"
    OTHER_PRECURSOR = "other_precursor", "其他易制毒化学品", "Another precursor"
    OTHER_CHEMICAL = "other_chemical", "其他化学品", "Another chemical"
    UNKNOWN = "unknown", "不详", "Unknown"


NAMED_SUBSTANCES: Final = frozenset(
    {Substance.OTHER_DRUG, Substance.OTHER_PRECURSOR, Substance.OTHER_CHEMICAL}
)
"""The codes that say nothing without a name."""


class QuantityUnit(Labelled):
    """The unit of a quantity."""

    GRAM = "g", "克", "Grams"
    KILOGRAM = "kg", "千克", "Kilograms"
    MILLILITRE = "ml", "毫升", "Millilitres"
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


class ReplyKind(Labelled):
    """Which way a reply goes: it asks for something, or says what was asked for."""

    QUESTION = "question", "请求补充", "Question"
    REPLY = "reply", "回复", "Reply"


class ChangedPart(Labelled):
    """What of an alert an update supplements or corrects."""

    TITLE = "title", "标题", "Title"
    CASE = "case", "案件", "Case"
    FACTS = "facts", "事实", "Facts"
    ASSESSMENT = "assessment", "研判", "Assessment"
    SUBJECT = "subject", "人员", "Subject"
    TARGET = "target", "物品、账号或场所", "Target"
    PLACE = "place", "地点", "Place"
    MOVEMENT = "movement", "行程", "Movement"
    SUBSTANCE = "substance", "毒品或化学品", "Substance"
    DANGER = "danger", "危险", "Danger"
    REQUEST = "request", "协查要求", "Request"
    CONTACT_RULE = "contact_rule", "可否惊动", "Contact rule"
    WATCH = "watch", "布控", "Watch"
    OPERATION = "operation", "联合行动", "Joint operation"
    CONTACT = "contact", "联系方式", "Contact"
    DEADLINES = "deadlines", "期限", "Deadlines"


class CancelGround(Labelled):
    """Why an alert is cancelled: a closed list."""

    SENT_IN_ERROR = "sent_in_error", "误发", "Sent in error"
    WRONG_SUBJECT = "wrong_subject", "对象有误", "Wrong subject"
    SUBJECT_FOUND = "subject_found", "对象已到案", "Subject has been found"
    MEASURE_ENDED = "measure_ended", "措施已解除", "The measure has ended"
    CASE_ENDED = "case_ended", "案件已撤销或终止", "The case was dropped or ended"
    DUPLICATE = "duplicate", "重复", "Duplicate"
    REPLACED = "replaced", "已另行通报", "Replaced by another alert"


class ClosureOutcome(Labelled):
    """What an alert came to in its originator's eyes: a closed list."""

    ACHIEVED = "achieved", "协查目的已达到", "The request was met"
    PARTLY_ACHIEVED = "partly_achieved", "部分达到", "Partly met"
    NOT_ACHIEVED = "not_achieved", "未能查实", "Not met"
    NO_LONGER_NEEDED = "no_longer_needed", "不再需要", "No longer needed"
    TRANSFERRED = "transferred", "已移送或并案", "Transferred to another case"


class MediaType(Labelled):
    """What a file may be: a closed list."""

    PDF = "application/pdf", "PDF 文件", "PDF"
    OFD = "application/ofd", "OFD 版式文件", "OFD"
    JPEG = "image/jpeg", "JPEG 图片", "JPEG picture"
    PNG = "image/png", "PNG 图片", "PNG picture"
    TEXT = "text/plain", "纯文本", "Plain text"
