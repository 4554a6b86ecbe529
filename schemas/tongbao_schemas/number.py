"""The readable number of a thread, as people say it on the phone: `黔2026-000017-D`.

Province character, year, serial of six digits, check character: ISO 7064 MOD 37,36 over the first two
digits of the province code, the year and the serial.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

MAX_SERIAL: Final = 999_999
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NUMBER: Final = re.compile(r"(\w)(\d{4})-(\d{6})-([0-9A-Z])")


class Province(NamedTuple):
    """How people call a participant."""

    short: str
    zh: str
    en: str


PROVINCES: Final[Mapping[str, Province]] = MappingProxyType(
    {
        "100000": Province("中", "交换中心", "Exchange"),
        "110000": Province("京", "北京", "Beijing"),
        "120000": Province("津", "天津", "Tianjin"),
        "130000": Province("冀", "河北", "Hebei"),
        "140000": Province("晋", "山西", "Shanxi"),
        "150000": Province("蒙", "内蒙古", "Inner Mongolia"),
        "210000": Province("辽", "辽宁", "Liaoning"),
        "220000": Province("吉", "吉林", "Jilin"),
        "230000": Province("黑", "黑龙江", "Heilongjiang"),
        "310000": Province("沪", "上海", "Shanghai"),
        "320000": Province("苏", "江苏", "Jiangsu"),
        "330000": Province("浙", "浙江", "Zhejiang"),
        "340000": Province("皖", "安徽", "Anhui"),
        "350000": Province("闽", "福建", "Fujian"),
        "360000": Province("赣", "江西", "Jiangxi"),
        "370000": Province("鲁", "山东", "Shandong"),
        "410000": Province("豫", "河南", "Henan"),
        "420000": Province("鄂", "湖北", "Hubei"),
        "430000": Province("湘", "湖南", "Hunan"),
        "440000": Province("粤", "广东", "Guangdong"),
        "450000": Province("桂", "广西", "Guangxi"),
        "460000": Province("琼", "海南", "Hainan"),
        "500000": Province("渝", "重庆", "Chongqing"),
        "510000": Province("川", "四川", "Sichuan"),
        "520000": Province("黔", "贵州", "Guizhou"),
        "530000": Province("滇", "云南", "Yunnan"),
        "540000": Province("藏", "西藏", "Tibet"),
        "610000": Province("陕", "陕西", "Shaanxi"),
        "620000": Province("甘", "甘肃", "Gansu"),
        "630000": Province("青", "青海", "Qinghai"),
        "640000": Province("宁", "宁夏", "Ningxia"),
        "650000": Province("新", "新疆", "Xinjiang"),
        "710000": Province("台", "台湾", "Taiwan"),
        "810000": Province("港", "香港", "Hong Kong"),
        "820000": Province("澳", "澳门", "Macao"),
    }
)


def readable_number(code: str, year: int, serial: int) -> str:
    """The number of the `serial`-th thread (1–999,999) that province `code` opens in `year`."""
    if not 1 <= serial <= MAX_SERIAL:
        raise ValueError(f"a serial is 1 to {MAX_SERIAL}")
    check = _check_character(f"{code[:2]}{year:04d}{serial:06d}")
    return f"{PROVINCES[code].short}{year:04d}-{serial:06d}-{check}"


def check_number(number: str) -> str:
    """The code of the province that a number names; `NUMBER_WRONG` if it names none or fails its check."""
    match = _NUMBER.fullmatch(number)
    code = _BY_SHORT.get(match[1]) if match else None
    if match is None or code is None or not (match[2] + match[3]).isascii():
        raise Refused(Code.NUMBER_WRONG, "number")
    if _check_character(f"{code[:2]}{match[2]}{match[3]}") != match[4]:
        raise Refused(Code.NUMBER_WRONG, "number")
    return code


_BY_SHORT: Final = {province.short: code for code, province in PROVINCES.items() if code != "100000"}


def _check_character(text: str) -> str:
    """ISO 7064 MOD 37,36."""
    product = 36
    for character in text:
        total = (product + _ALPHABET.index(character)) % 36 or 36
        product = total * 2 % 37
    return _ALPHABET[(37 - product) % 36]
