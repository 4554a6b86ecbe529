"""Code lists and their labels."""

import inspect
import re

import pytest

from tongbao_schemas import codes, stamp
from tongbao_schemas.codes import Category, Handling, Labelled, Stage, Status, Urgency

LISTS = sorted(
    {
        found
        for module in (codes, stamp)
        for _, found in inspect.getmembers(module, inspect.isclass)
        if issubclass(found, Labelled) and found is not Labelled
    },
    key=lambda found: found.__name__,
)


@pytest.mark.parametrize("members", LISTS, ids=lambda members: members.__name__)
def test_every_value_has_a_label_in_both_languages(members: type[Labelled]) -> None:
    """No value is without its Chinese and English word, and no two of a list share one."""
    for lang in ("zh", "en"):
        labels = [member.label(lang) for member in members]
        assert all(labels)
        assert len(set(labels)) == len(labels)
    assert all(re.search("[\u4e00-\u9fff]", member.zh) for member in members)
    assert all(member.en.isascii() for member in members)


@pytest.mark.parametrize("members", LISTS, ids=lambda members: members.__name__)
def test_a_member_is_its_wire_value(members: type[Labelled]) -> None:
    """A member compares, prints and is looked up as the text on the wire."""
    for member in members:
        assert members(member.value) is member
        assert str(member) == member.value == member


def test_people_read_the_fields_own_words() -> None:
    """The words that officers know stand for the values they see most."""
    assert [status.zh for status in Status] == ["正式", "演练", "测试"]
    assert [urgency.zh for urgency in Urgency] == ["特急", "加急", "平急"]
    assert len(Category) == 6
    assert list(Handling) == ["H0", "H1", "H2", "H3"]
    assert (Stage.CLAIMED.zh, Stage.REFUSED.zh, Stage.PURGED.zh) == ("已签收", "未通过校验", "已销毁")
