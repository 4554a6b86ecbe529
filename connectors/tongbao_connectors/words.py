"""Coded values in the words of the caller's language."""

from tongbao_connectors.case_rules import State
from tongbao_connectors.language import Language
from tongbao_schemas.bodies.codes import AnswerKind
from tongbao_schemas.codes import Category, Handling, MessageType, NoticeKind, Stage, Status, Urgency
from tongbao_schemas.number import PROVINCES

STATES = {
    **{str(state): (state.zh, state.en.lower()) for state in State},
    "received": ("已收到", "received"),
    "drafted": ("已拟稿", "drafted"),
    "sealed": ("已签名加密", "sealed"),
    "published": ("已发出", "published"),
    "settled": ("已登记", "admitted"),
    "refused": ("未通过校验", "refused here"),
    "rejected": ("未予登记", "rejected"),
    "pending": ("待启动", "pending"),
    "starting": ("启动中", "starting"),
    "ready": ("就绪", "ready"),
    "stopped": ("已停止", "stopped"),
}
TO_READ = ("待阅", "to read")
STAGES = {
    "admitted": (NoticeKind.ADMITTED.zh, NoticeKind.ADMITTED.en),
    **{str(kind): (kind.zh, kind.en) for kind in AnswerKind},
    "result": ("已反馈", "Answered"),
    **{str(stage): (stage.zh, stage.en) for stage in Stage},
}


def place(code: str, lang: Language) -> str:
    """A participant's name."""
    province = PROVINCES.get(code)
    return code if province is None else province.zh if lang == "zh" else province.en


def short(code: str) -> str:
    """A province's one-character name."""
    return PROVINCES[code].short if code in PROVINCES else code


def state(value: str, lang: Language, kind: str = "") -> str:
    """The state of a draft, an inbox item or a process; only an alert (or no `kind`) is signed for."""
    to_read = value == State.WAITING and kind not in ("", MessageType.ALERT)
    zh, en = TO_READ if to_read else STATES.get(value, (value, value))
    return zh if lang == "zh" else en


def stage(value: str, lang: Language) -> str:
    """A stage of a message's way."""
    zh, en = STAGES.get(value) or STATES.get(value, (value, value))
    return zh if lang == "zh" else en[:1].upper() + en[1:]


def event_detail(text: str, lang: Language) -> str:
    """What a trail says beside a stage: `seq 4` and `leaf 7` in words, all else as it is."""
    name, _, number = text.partition(" ")
    zh = {"seq": "本省序号 {}", "leaf": "账本第 {} 条"}.get(name) if number.isdecimal() else None
    return zh.format(number) if zh and lang == "zh" else text


def urgency(value: str, lang: Language) -> str:
    return Urgency(value).label(lang)


def status(value: str, lang: Language) -> str:
    return Status(value).label(lang)


def category(value: str, lang: Language) -> str:
    return Category(value).label(lang)


def handling(value: str, lang: Language) -> str:
    return Handling(value).label(lang)


def kind(value: str, lang: Language, answer_kind: str = "") -> str:
    """The type of a message; of an answer what it says."""
    return AnswerKind(answer_kind).label(lang) if answer_kind else MessageType(value).label(lang)


def answer_kind(value: str, lang: Language) -> str:
    return AnswerKind(value).label(lang)
