"""What a word to an officer says: level, number and link, and nothing of the case. Pure.

What is called actual in a network for demonstrations, exercises or tests is nothing of the kind: channels
treat it as that network's own.
"""

from dataclasses import dataclass

from tongbao_schemas.codes import Labelled, Status, Urgency


class Why(Labelled):
    """What a word is about."""

    SIGN = "sign", "待签收", "to be signed for"
    READ = "read", "待阅", "to be read"
    BACK = "back", "退回待签收", "came back, to be signed for"
    REMINDER = "reminder", "你设的提醒", "your own reminder"
    COPY = "copy", "抄送，无须处置", "copy, nothing to do"
    TEST = "test", "渠道测试，无须处置", "channel test, nothing to do"


def counts_as(status: str, network: str) -> Status:
    """The status by which channels judge a message of a network."""
    if status != Status.ACTUAL:
        return Status(status)
    if network == "demo" or network.startswith("exercise"):
        return Status.EXERCISE
    return Status.TEST if network.startswith("test") else Status.ACTUAL


@dataclass(frozen=True, slots=True)
class Notice:
    """One word. `covers` counts the items it stands for; `number` is then the most urgent one's."""

    why: Why
    status: str
    urgency: str
    number: str
    link: str
    covers: int = 1

    @property
    def level(self) -> str:
        """The level in a word, 演练 or 测试 before it."""
        level = Urgency(self.urgency).zh if self.urgency else ""
        kind = "" if self.status == Status.ACTUAL else f"【{Status(self.status).zh}】"
        return f"{kind}{level}"

    @property
    def subject(self) -> str:
        """All but the link, in one line."""
        many = f" 等 {self.covers} 条" if self.covers > 1 else ""
        return " ".join(
            part for part in ("通报", self.level, f"{self.number}{many}".strip(), self.why.zh) if part
        )

    @property
    def text(self) -> str:
        """The whole word in one line."""
        return f"{self.subject} {self.link}".strip()
