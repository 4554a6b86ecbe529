"""The two languages of the command line.

1. `--lang` decides; without it LC_ALL, LC_MESSAGES and LANG in this order. Any language but Chinese is
   served in English; without a language (also `C` and `POSIX`) it is Chinese.
2. Help is written once as `both("中文", "English")`; when it is shown, the language asked for is picked.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from tongbao_connectors.language import Language

BETWEEN = "\u2016"
VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
NO_LANGUAGE = ("", "C", "POSIX")


class Lang(StrEnum):
    """What `--lang` takes."""

    ZH = "zh"
    EN = "en"


def both(zh: str, en: str) -> str:
    """One text in both languages, for help that is picked from later."""
    return f"{zh}{BETWEEN}{en}"


def pick(text: str, lang: Language) -> str:
    """The half of a `both` text in this language; any other text as it is."""
    zh, between, en = text.partition(BETWEEN)
    return en if between and lang == "en" else zh


def language_of(arguments: Sequence[str], environment: Mapping[str, str]) -> Language:
    """The language that a command line and its environment ask for."""
    for position, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name == "--lang":
            asked = value if equals else next(iter(arguments[position + 1 :]), "")
            return "en" if asked == "en" else "zh"
    return from_environment(environment)


def from_environment(environment: Mapping[str, str]) -> Language:
    """The language of the person's surroundings."""
    for variable in VARIABLES:
        language = environment.get(variable, "").partition(".")[0]
        if language not in NO_LANGUAGE:
            return "zh" if language.startswith("zh") else "en"
    return "zh"
