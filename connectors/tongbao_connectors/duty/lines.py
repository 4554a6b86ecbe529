"""What the timeline says of escalations and notifications, in both languages: references and codes only."""

from collections.abc import Collection, Sequence

from tongbao_connectors.duty.escalation import Row, Step
from tongbao_schemas.codes import Labelled

Facts = dict[str, str | int | list[str]]


def escalated(
    rows: Sequence[Row], to: Collection[str], over: Sequence[str], withheld: Sequence[str]
) -> Facts:
    """A step was taken: whom it reached, over which channels besides the desk, which were left out."""
    last = rows[-1]
    zh, en = f"{_step_zh(last)}：{'、'.join(to)}", f"{_step_en(last)}: {', '.join(to)}"
    zh += f"；{'网页、' + '、'.join(over) if over else '仅网页提示'}"
    en += f"; {'desk, ' + ', '.join(over) if over else 'at the desk only'}"
    if withheld:
        zh += f"；{'、'.join(withheld)} 不发演练和测试"
        en += f"; {', '.join(withheld)}: not for exercises and tests"
    if len(rows) > 1:
        zh += f"（合并 {len(rows)} 步）"
        en += f" ({len(rows)} steps as one)"
    return {"zh": zh, "en": en, "step": str(last.step), "round": last.round, "to": list(to)}


def moved(officer_ref: str, before: str) -> Facts:
    """The shift has changed while an item waits."""
    return {
        "zh": f"换班：责任人由 {before} 改为 {officer_ref}，时限不变",
        "en": f"Shift change: {officer_ref} is accountable instead of {before}; the clocks go on",
        "to": [officer_ref],
    }


def handed_over(giver: str, taker: str) -> Facts:
    """A shift was handed over while an item waits."""
    return {
        "zh": f"交接：{giver} 交，{taker} 接，时限不变",
        "en": f"Handover: given by {giver}, taken by {taker}; the clocks go on",
        "to": [taker],
    }


def sent(channel: str, recipient: str) -> Facts:
    """A channel took a word."""
    return {"zh": f"{channel}{_zh(recipient)} 已送出", "en": f"{channel}{_en(recipient)}: sent"}


def failed(channel: str, recipient: str, reason: Labelled, again: bool) -> Facts:
    """A channel didn't take a word; it is tried again, or not."""
    zh, en = ("，稍后再试", ", will be tried again") if again else ("，不再尝试", ", given up")
    return {
        "zh": f"{channel}{_zh(recipient)} 未送达：{reason.zh}{zh}",
        "en": f"{channel}{_en(recipient)} failed: {reason.en}{en}",
    }


def unclear(channel: str, recipient: str) -> Facts:
    """Nobody knows whether a word arrived."""
    return {
        "zh": f"{channel}{_zh(recipient)} 发送中断，结果不明，未重发",
        "en": f"{channel}{_en(recipient)}: interrupted, perhaps sent; not sent again",
    }


def none_worked() -> Facts:
    """No channel besides the desk reached anybody."""
    return {
        "zh": "没有一个渠道送达，仅网页提示；按时限继续升级",
        "en": "No channel worked, at the desk only; the escalation goes on in time",
        "none": 1,
    }


def suppressed(channel: str, recipient: str, reason: Labelled) -> Facts:
    """A word wasn't sent since it would only have repeated another."""
    return {
        "zh": f"{channel}{_zh(recipient)} 未重复发送：{reason.zh}",
        "en": f"{channel}{_en(recipient)} not repeated: {reason.en}",
    }


def reminded(officer_ref: str) -> Facts:
    """An officer's own reminder."""
    return {"zh": f"按设定提醒 {officer_ref}", "en": f"{officer_ref} was reminded as he had asked"}


def copied(officer_ref: str, host: str, over: Sequence[str]) -> Facts:
    """A posted officer was told of what goes between his home and his host."""
    zh, en = f"抄送外派联络员 {officer_ref}", f"Copied to the posted officer {officer_ref}"
    if over:
        zh, en = f"{zh}；网页、{'、'.join(over)}", f"{en}; desk, {', '.join(over)}"
    return {"zh": zh, "en": en, "host": [host]}


def _step_zh(row: Row) -> str:
    match row.step:
        case Step.ON_DUTY:
            return f"通知{row.step.zh}"
        case Step.REPEAT:
            return f"{row.step.zh}（第 {row.nth} 次）"
        case _:
            return f"升级到{row.step.zh}"


def _step_en(row: Row) -> str:
    match row.step:
        case Step.ON_DUTY:
            return "Officer on duty told"
        case Step.REPEAT:
            return f"{row.step.en} ({row.nth})"
        case _:
            return f"Escalated to: {row.step.en.lower()}"


def _zh(recipient: str) -> str:
    return f" → {recipient}" if recipient else ""


_en = _zh
