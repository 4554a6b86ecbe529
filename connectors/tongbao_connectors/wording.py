"""How coded facts read on a paper: times in Beijing time, places by name, labels, lists.

1. A time is 今日, 明日 or 昨日 with the hour, else month and day; the year only where it is another one.
2. A deadline says what is left of it, or by how much it has passed.
3. What is read on another day (a print, a file) names every day in full and says nothing of what is left.
4. A region is named as it was called on the paper's day, with its code behind. Names of places and units
   stay Chinese in English, as do all texts that a province wrote.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tongbao_connectors.duty_time import BEIJING
from tongbao_connectors.language import Language
from tongbao_schemas.codes import Labelled
from tongbao_schemas.regions import region

UNITS: dict[Language, tuple[str, str, str]] = {"zh": ("天", "小时", "分"), "en": ("d", "h", "min")}
DAYS = {-1: ("昨日", "yesterday"), 0: ("今日", "today"), 1: ("明日", "tomorrow")}


def left(due: datetime | None, at: datetime, lang: Language) -> str:
    """How much time is left, or by how much it is over: 3 小时 20 分, 超时 25 分."""
    if due is None:
        return ""
    if due < at:
        return ("超时 {}" if lang == "zh" else "overdue by {}").format(amount(at - due, lang))
    return amount(due - at, lang)


def amount(span: timedelta, lang: Language) -> str:
    """A length of time in its two largest units, minutes at the least."""
    minutes = int(span.total_seconds()) // 60
    parts = zip((minutes // 1440, minutes // 60 % 24, minutes % 60), UNITS[lang], strict=True)
    said = [f"{count} {unit}" for count, unit in parts if count][:2]
    return " ".join(said) or f"< 1 {UNITS[lang][2]}"


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of one reader at one moment; `written` is when the paper was issued.

    `lasting` says that they are read on another day.
    """

    lang: Language
    now: datetime
    written: datetime
    lasting: bool = False

    def of(self, zh: str, en: str) -> str:
        """The text in the reader's language."""
        return zh if self.lang == "zh" else en

    def label(self, code: Labelled) -> str:
        """The word for a coded value."""
        return code.label(self.lang)

    def listed(self, words: Iterable[str]) -> str:
        """Words one after the other."""
        return self.of("、", ", ").join(words)

    def labels(self, codes: Iterable[Labelled]) -> str:
        """The words for coded values, one after the other."""
        return self.listed(code.label(self.lang) for code in codes)

    def named(self, zh: str, en: str, text: str) -> str:
        """A name and what it names: 又名 阿演."""
        return f"{self.of(zh, en)} {text}"

    def note(self, text: str) -> str:
        """Something in brackets."""
        return self.of(f"（{text}）", f" ({text})")

    def clock(self, at: datetime) -> str:
        """A time to the minute, as people say it."""
        local, today = at.astimezone(BEIJING), self.now.astimezone(BEIJING)
        if self.lasting:
            return f"{local:%Y-%m-%d %H:%M}"
        day = DAYS.get((local.date() - today.date()).days)
        if day is not None:
            return f"{self.of(*day)} {local:%H:%M}"
        return f"{local:%m-%d %H:%M}" if local.year == today.year else f"{local:%Y-%m-%d %H:%M}"

    def remaining(self, due: datetime) -> str:
        """剩 12 分, or 超时 25 分."""
        if due < self.now:
            return left(due, self.now, self.lang)
        return self.of("剩 {}", "{} left").format(left(due, self.now, self.lang))

    def until(self, due: datetime) -> str:
        """A deadline with what is left of it."""
        return self.clock(due) if self.lasting else f"{self.clock(due)}{self.note(self.remaining(due))}"

    def period(self, start: datetime, until: datetime) -> str:
        """From when until when; says so where it is over."""
        over = self.note(self.of("已过", "over")) if until <= self.now and not self.lasting else ""
        return f"{self.clock(start)} {self.of('至', 'to')} {self.clock(until)}{over}"

    def age(self, birth_date: str) -> str:
        """Full years."""
        born, today = date.fromisoformat(birth_date), self.now.astimezone(BEIJING).date()
        years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
        return self.of(f"{years} 岁", f"aged {years}")

    def region(self, code: str, on: datetime | None = None) -> str:
        """A region by name with its code behind: 深圳市南山区（440305）."""
        day = (on or self.written).astimezone(BEIJING).date()
        return f"{_name(code, day) or self.of('名称未知', 'no known name')}{self.note(code)}"

    def code_and_name(self, code: str) -> str:
        """The same the other way round, for inside brackets: 440305 深圳市南山区."""
        return f"{code} {_name(code, self.written.astimezone(BEIJING).date())}".rstrip()


def _name(code: str, on: date) -> str:
    """A county with its prefecture (its province where it has none), everything else by itself."""
    found = region(code, on)
    if found is None or code.endswith("00"):
        return found.name if found else ""
    above = region(f"{code[:4]}00", on) or region(f"{code[:2]}0000", on)
    return f"{above.name if above else ''}{found.name}"
