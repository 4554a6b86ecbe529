"""Alerts of a wanted size: a sample of ours, its texts filled up."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from tongbao_schemas.encoding import compact_json

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
TEXT, NAME = 4000, 64
"""How many characters a text and a name may have."""
SUBJECTS, NAMES = 20, 10
"""How many subjects a body may have, and how many aliases and how many vehicles each."""
FILLER = "演"


def alert(size: int, audience: tuple[str, ...], client_ref: str) -> bytes:
    """A submission whose body has about `size` bytes, or as many as the model lets in if that is less."""
    content = {**_filled(size), "audience": sorted(audience), "client_ref": client_ref}
    return json.dumps(content, ensure_ascii=False).encode()


def body_size(size: int) -> int:
    """How many bytes the body of `alert(size, …)` really has."""
    return len(compact_json(_filled(size)["body"]))


@cache
def _filled(size: int) -> dict[str, Any]:
    sample: dict[str, Any] = json.loads((EXAMPLES / "2-520000-manufacturing.json").read_text("utf-8"))
    body = sample["body"]
    for name in ("facts", "assessment"):
        body[name] += FILLER * min(_room(size, body), TEXT - len(body[name]))
    body["subjects"] = []
    while _room(size, body) > NAME and len(body["subjects"]) < SUBJECTS:
        body["subjects"].append(_subject(_room(size, body)))
    return sample


def _room(size: int, body: dict[str, Any]) -> int:
    """How many characters are still wanted."""
    return max(0, size - len(compact_json(body))) // len(FILLER.encode())


def _subject(room: int) -> dict[str, Any]:
    count = min(NAMES, room // (2 * NAME) + 1)
    return {
        "name": "演练甲",
        "sex": "male",
        "role": "cook",
        "danger": ["unknown"],
        "measure": "none",
        "aliases": [FILLER * NAME] * count,
        "vehicles": [{"plate": "贵A00000", "description": FILLER * NAME}] * count,
    }
