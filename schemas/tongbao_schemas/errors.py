"""The one way this package says no.

    TongbaoError
    └── Refused        a record, message, document or submission breaks a rule; carries a `Code`

A `Refused` names the rule and the place (field names only). It never carries a value, because its text
reaches logs and other provinces.
"""

from tongbao_schemas.refusals import REFUSALS, Code, Refusal


class TongbaoError(Exception):
    """Root of every error that this project raises on purpose."""


class Refused(TongbaoError):
    """Refused with a stable code; `where` is a path of field names such as `body.subjects[0].documents`."""

    def __init__(self, code: Code, where: str = "") -> None:
        super().__init__(code, where)
        self.code = code
        self.where = where

    @property
    def refusal(self) -> Refusal:
        """The table's row for this code."""
        return REFUSALS[self.code]

    def sentence(self, lang: str) -> str:
        """What was wrong, in one sentence (`zh` or `en`)."""
        return self.refusal.sentence(lang)

    def next_step(self, lang: str) -> str:
        """What to do about it, in one sentence (`zh` or `en`)."""
        return self.refusal.next_step(lang)

    def __str__(self) -> str:
        place = f" (at {self.where})" if self.where else ""
        return f"{self.code} {self.sentence('en')}{place} {self.next_step('en')}"
