"""What stands in a form: for each field's path the texts typed or chosen there.

1. A path is the one of the submission, `body.subjects[0].name`, so that a refusal's `where` names a field.
2. Texts stay as they were typed; only line ends are made one kind and characters composed (NFC). Nothing is
   dropped for being wrong.
3. The items of a group are numbered from 0 without gaps, in the order in which they stand.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final
from unicodedata import normalize

Values = dict[str, list[str]]

_ITEM: Final = r"{}\[(\d{{1,3}})\]"


def of_form(lists: Iterable[tuple[str, list[str]]]) -> Values:
    """The values of posted lists, with the groups' items numbered without gaps."""
    values = {path: [_uniform(text) for text in texts] for path, texts in lists}
    groups = {path[: found.start()] for path in values for found in re.finditer(r"\[\d+\]", path)}
    for group in sorted(groups, key=len, reverse=True):
        values = _closed_up(values, group)
    return values


def one(values: Mapping[str, list[str]], path: str) -> str:
    """The text of a field without blanks around it; empty where nothing is typed."""
    texts = values.get(path) or [""]
    return texts[-1].strip()


def many(values: Mapping[str, list[str]], path: str) -> tuple[str, ...]:
    """What is chosen of a list."""
    return tuple(text for text in values.get(path, ()) if text.strip())


def indices(values: Mapping[str, list[str]], group: str) -> list[int]:
    """The numbers of a group's items."""
    pattern = re.compile(_ITEM.format(re.escape(group)))
    return sorted({int(found[1]) for path in values if (found := pattern.match(path))})


def count(values: Mapping[str, list[str]], group: str) -> int:
    """How many items a group has."""
    return len(indices(values, group))


def added(values: Values, group: str, **texts: str) -> Values:
    """With one more item at the group's end; `texts` by the field's name within it.

    An item without any text has its own path as a mark that it is there.
    """
    at = f"{group}[{count(values, group)}]"
    return values | ({f"{at}.{name}": [text] for name, text in texts.items()} or {at: [""]})


def removed(values: Values, group: str, index: int) -> Values:
    """Without one item; those behind it move up."""
    gone = f"{group}[{index}]"
    return _closed_up({path: texts for path, texts in values.items() if not path.startswith(gone)}, group)


def without(values: Mapping[str, list[str]], paths: Iterable[str]) -> Values:
    """Without these fields and groups."""
    gone = tuple(paths)
    inside = tuple(f"{path}{mark}" for path in gone for mark in ".[")
    return {path: texts for path, texts in values.items() if path not in gone and not path.startswith(inside)}


def typed(values: Mapping[str, list[str]], prefix: str, besides: Iterable[str] = ()) -> bool:
    """Whether anything is typed below a path, besides the named fields."""
    left_out = {f"{prefix}.{name}" for name in besides}
    return any(
        text.strip()
        for path, texts in values.items()
        if path.startswith(prefix) and path not in left_out
        for text in texts
    )


def _closed_up(values: Values, group: str) -> Values:
    new = {old: place for place, old in enumerate(indices(values, group))}
    pattern = re.compile(_ITEM.format(re.escape(group)))

    def renamed(path: str) -> str:
        found = pattern.match(path)
        return f"{group}[{new[int(found[1])]}]{path[found.end() :]}" if found else path

    return {renamed(path): texts for path, texts in values.items()}


def _uniform(text: str) -> str:
    return normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
