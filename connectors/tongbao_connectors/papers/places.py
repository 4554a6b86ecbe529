"""Places as officers write them: `浙江省 杭州市 富阳区（330111）`, a code, or a name.

1. A code in the text decides; it is taken as it stands, valid or not.
2. A name alone is looked up among the divisions that are valid at the date: by its end, so that 富阳区 and
   杭州市富阳区 both find it. It counts if exactly one division fits, and one of the province that is expected
   goes before all others.
3. Where a text doesn't name one valid division, `suggestions` offers those that it may mean: of an ended code
   the ones of the same name in the same prefecture or province, of a name all that bear it.
"""

import re
from collections.abc import Iterable
from datetime import date
from typing import Final

from tongbao_broker.errors import Words
from tongbao_schemas.regions import Region, ended, region, regions

MOST_OFFERED: Final = 6
_CODE: Final = re.compile(r"(?<![0-9])([1-9][0-9]{5})(?![0-9])")
_SUFFIX: Final = re.compile(r"(?:自治县|自治州|自治旗|地区|新区|林区|特区|市|县|区|旗|盟|州|省)$")


def code_of(text: str, on: date, expected: Iterable[str] = ()) -> str:
    """The code that a text means; the text itself where it means none.

    `expected` are province codes that go before others.
    """
    stated = _CODE.search(text)
    if stated:
        return stated[1]
    found = _named(text, on)
    near = [each for each in found if f"{each.code[:2]}0000" in set(expected)]
    chosen = near if len(near) == 1 else found
    return chosen[0].code if len(chosen) == 1 else text.strip()


def valid(code: str, on: date) -> bool:
    """Whether this is the code of a division on that day."""
    return region(code, on) is not None


def full_name(code: str, on: date) -> str:
    """`浙江省 杭州市 富阳区（330111）`; of an ended code its last name, of an unknown one the code alone."""
    found = region(code, on)
    if found is None:
        past = ended(code, on)
        return f"{past[0].name}（{code}）" if past else code
    return f"{' '.join(_line(found, on))}（{code}）"


def short_name(found: Region) -> str:
    """`富阳区（330111）`."""
    return f"{found.name}（{found.code}）"


def suggestions(text: str, on: date) -> tuple[Region, ...]:
    """The divisions that a text may mean which names no valid one; at most `MOST_OFFERED`."""
    stated = _CODE.search(text)
    if stated is None:
        return _named(text, on)[:MOST_OFFERED] or _resembling(text, on)
    past = ended(stated[1], on)
    return _heirs(past[0], on) if past else ()


def fault(text: str, on: date) -> Words:
    """Why a text names no division that is valid on a date."""
    stated = _CODE.search(text)
    if stated is None:
        several = len(_named(text, on)) > 1
        return _SEVERAL if several else _NONE
    past = ended(stated[1], on)
    if past is None:
        return Words(f"没有行政区划代码 {stated[1]}", f"There is no division with the code {stated[1]}")
    known, since, heirs = past[0], past[1][:4], _heirs(past[0], on)
    now = f"，{_day(on)}有效的是 {short_name(heirs[0])}" if len(heirs) == 1 else ""
    today = f"; valid {_day_en(on)}: {short_name(heirs[0])}" if len(heirs) == 1 else ""
    return Words(f"{short_name(known)}{since} 年起停用{now}", f"{short_name(known)} ended in {since}{today}")


def listed(provinces: Iterable[str], on: date) -> list[str]:
    """All divisions of some provinces by their full names, to choose from."""
    return [full_name(each.code, on) for code in provinces for each in regions(on, code[:2])]


_SEVERAL: Final = Words("有几个同名的地方，请选一个", "Several places have this name; choose one")
_NONE: Final = Words(
    "没有这个行政区划，请填名称或六位代码", "There is no such division; give a name or a six-digit code"
)


def _day(on: date) -> str:
    return f"{on:%Y-%m-%d} "


def _day_en(on: date) -> str:
    return f"on {on:%Y-%m-%d}"


def _line(found: Region, on: date) -> list[str]:
    """The names from the province down."""
    above = (f"{found.code[:2]}0000", f"{found.code[:4]}00")
    names = [each.name for code in above if code != found.code and (each := region(code, on))]
    return [*names, found.name]


def _named(text: str, on: date) -> tuple[Region, ...]:
    wanted = re.sub(r"\s", "", text)
    if not wanted:
        return ()
    by_end = [each for each in regions(on) if wanted.endswith(each.name)]
    exact = [each for each in by_end if "".join(_line(each, on)).endswith(wanted)]
    return tuple(exact)


def _resembling(text: str, on: date) -> tuple[Region, ...]:
    """Whose name without its suffix ends the text."""
    stem = _stem(re.sub(r"\s", "", text))
    if len(stem) < 2:
        return ()
    return tuple(each for each in regions(on) if _stem(each.name) == stem)[:MOST_OFFERED]


def _heirs(past: Region, on: date) -> tuple[Region, ...]:
    """The valid divisions with an ended one's name, in its prefecture or else in its province."""
    for within in (past.code[:4], past.code[:2]):
        found = [each for each in regions(on, within) if _stem(each.name) == _stem(past.name)]
        if found:
            return tuple(found[:MOST_OFFERED])
    return ()


def _stem(name: str) -> str:
    return _SUFFIX.sub("", name) if len(name) > 2 else name
