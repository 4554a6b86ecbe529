"""Coded values of the header and its content, each with its Chinese and English word for people.

The wire carries the English term; a page or terminal shows `label(lang)`.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Self


class Labelled(StrEnum):
    """A coded value: `NAME = "wire value", "中文", "English"`."""

    zh: str
    en: str

    def __new__(cls, value: str, zh: str = "", en: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.zh = zh
        member.en = en
        return member

    def label(self, lang: str) -> str:
        """The word for people in `zh` or `en`."""
        return self.zh if lang == "zh" else self.en


class MessageType(Labelled):
    """What a message is."""

    ALERT = "alert", "协查通报", "Alert"
    UPDATE = "update", "补充/更正通报", "Update"
    CANCEL = "cancel", "撤销", "Cancel"
    ANSWER = "answer", "反馈", "Answer"
    REPLY = "reply", "回复", "Reply"
    REMINDER = "reminder", "催办", "Reminder"
    CLOSURE = "closure", "办结", "Closure"
    ATTACHMENT = "attachment", "附件", "Attachment"
    RECEIPT = "receipt", "回执", "Receipt"
    NOTICE = "notice", "平台通知", "Notice"
    HEAD = "head", "平台状态", "Head"


class Status(Labelled):
    """Whether a message counts: an exercise can never notify as actual."""

    ACTUAL = "actual", "正式", "Actual"
    EXERCISE = "exercise", "演练", "Exercise"
    TEST = "test", "测试", "Test"


class Urgency(Labelled):
    """How soon it must be dealt with; the agreement gives the seconds."""

    FLASH = "flash", "特急", "Flash"
    URGENT = "urgent", "加急", "Urgent"
    ROUTINE = "routine", "平急", "Routine"


class Category(Labelled):
    """The six kinds of case that are notified."""

    OUTBOUND_TRAFFICKING = "outbound_trafficking", "外流贩毒", "Outbound trafficking"
    MANUFACTURING = "manufacturing", "制毒", "Manufacturing"
    INTERDICTION = "interdiction", "堵源截流", "Interdiction"
    ONLINE = "online", "网络涉毒", "Online"
    STREET_DEALING = "street_dealing", "零星贩毒", "Street dealing"
    PRECURSOR = "precursor", "易制毒化学品", "Precursor chemicals"


class Handling(Labelled):
    """What the receiver may do with it."""

    H0 = "H0", "可用于办案", "May be used in the case"
    H1 = "H1", "未经发出方同意不得作为证据使用", "Not as evidence without the origin's consent"
    H2 = "H2", "未经发出方同意不得转发", "Not to be passed on without the origin's consent"
    H3 = "H3", "其他限制，见正文", "Other limits, see the text"


class Relation(Labelled):
    """How a message relates to the one it refers to."""

    SUPPLEMENTS = "supplements", "补充", "Supplements"
    CORRECTS = "corrects", "更正", "Corrects"
    RETRACTS = "retracts", "撤销", "Retracts"
    ANSWERS = "answers", "答复", "Answers"
    CLOSES = "closes", "办结", "Closes"


class Stage(Labelled):
    """What a receipt reports about a message."""

    DELIVERED = "delivered", "已送达", "Delivered"
    REFUSED = "refused", "未通过校验", "Failed verification"
    MISSING = "missing", "缺件", "Missing"
    ROUTED = "routed", "已分派", "Routed"
    READ = "read", "已阅", "Read"
    CLAIMED = "claimed", "已签收", "Signed for"
    ASSIGNED = "assigned", "已交办", "Assigned"
    WORKING = "working", "核查中", "In progress"
    LIFTED = "lifted", "已撤控", "Control lifted"
    PURGED = "purged", "已销毁", "Purged"


class NoticeKind(Labelled):
    """What a notice of the exchange says."""

    ADMITTED = "admitted", "已登记", "Admitted"
    REJECTED = "rejected", "未予登记", "Rejected"
    OVERDUE = "overdue", "已超时", "Overdue"
    SUSPECT = "suspect", "密钥存疑", "Key in doubt"


class ParticipantStatus(Labelled):
    """A participant's standing in the directory."""

    ACTIVE = "active", "启用", "Active"
    SUSPENDED = "suspended", "暂停", "Suspended"
    LEFT = "left", "退出", "Left"


class KeyUse(Labelled):
    """The one thing a key is for."""

    MESSAGE = "message", "签署报文", "Signs messages"
    SEAL = "seal", "加密正文", "Opens bodies"
    CHECKPOINT = "checkpoint", "签署检查点", "Signs checkpoints"


EXCHANGE: Final = "100000"
EXCHANGE_TYPES: Final = frozenset({MessageType.NOTICE, MessageType.HEAD})
PEOPLES_TYPES: Final = frozenset(MessageType) - EXCHANGE_TYPES - {MessageType.RECEIPT}

RELATIONS: Final[Mapping[MessageType, frozenset[Relation]]] = MappingProxyType(
    {
        MessageType.ALERT: frozenset(),
        MessageType.UPDATE: frozenset({Relation.SUPPLEMENTS, Relation.CORRECTS}),
        MessageType.CANCEL: frozenset({Relation.RETRACTS}),
        MessageType.ANSWER: frozenset({Relation.ANSWERS}),
        MessageType.REPLY: frozenset({Relation.ANSWERS}),
        MessageType.REMINDER: frozenset({Relation.SUPPLEMENTS}),
        MessageType.CLOSURE: frozenset({Relation.CLOSES}),
        MessageType.ATTACHMENT: frozenset({Relation.SUPPLEMENTS}),
        MessageType.RECEIPT: frozenset(),
        MessageType.NOTICE: frozenset(),
        MessageType.HEAD: frozenset(),
    }
)
"""The relations a type's refs may have; none means that the type has no refs and its thread is its own id."""

KNOWN_SCHEMAS: Final = frozenset(f"{kind}/1.0" for kind in MessageType)
"""The schema versions this release can judge."""
