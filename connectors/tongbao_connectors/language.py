"""The two languages that everything a person reads is written in."""

from typing import Literal

Language = Literal["zh", "en"]
