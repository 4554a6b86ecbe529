"""A body as officers read it: fields and codes in words, places by name, times in Beijing time.

English shows the wire's own field names, which are English.
"""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from tongbao_connectors.cli.language import Language
from tongbao_connectors.cli.printing import beijing
from tongbao_schemas.bodies.parse import parse_body
from tongbao_schemas.codes import Category, Labelled, Status
from tongbao_schemas.encoding import compact_json
from tongbao_schemas.regions import region

LABELS = dict(
    line.split(maxsplit=1)
    for line in """\
account 账号
actions 要求
address 地址
aliases 别名
amount 数量
approved_by 审批
assessment 研判
attachments 附件
birth_date 出生日期
by 反馈人
carrier 承运方
case 案件
checkpoint 检查站
code_name 代号
contact 联系
contact_rule 接触要求
danger 危险性
description 描述
detail 说明
digest 摘要
duty_phone 值班电话
facts 事实
firm 企业
from 自
grading 分级
ground 退回理由
id_document 证件
information 情报可信度
kind 种类
lead 牵头
lead_source 线索来源
legal_basis 法律依据
marking 标注
measure 已采取措施
mode 方式
movement 流向
name 名称
nationality 国籍
not_before 不得早于
number 编号
officer 人员
officer_ref 人员
on_hit 命中后
operation 联合行动
outcome 结果
papers 法律文书
participants 参战
permit 许可证
phones 电话
place 地点
plate 号牌
platform 平台
prepared_by 拟稿
quantity 数量
region 行政区划
request 请求事项
result 结论
retain_until 保存至
role 嫌疑角色
route 路线
secrecy_review 保密审查
sex 性别
size 大小
source 来源可靠性
subjects 对象
substance 物质
substances 毒品
suspected_role 嫌疑角色
targets 目标
text 内容
title 标题
to 至
to_places 流入地
unit 单位
until 至
upstream_lead 上线线索
vehicles 车辆
via 途经
watch 布控
window 时段
""".splitlines()
)

Line = tuple[int, str, str]
"""Depth, label, and the value ("" where lines below it hold the parts)."""


def lines(
    body: dict[str, Any], *, kind: str, category: str, status: str, at: datetime, lang: Language
) -> Iterator[Line]:
    """The body of an alert or answer that was issued at `at`, line by line."""
    parsed = parse_body(
        f"{kind}/1.0", compact_json(body), category=Category(category), status=Status(status), at=at
    )
    yield from _of_model(parsed, 0, at, lang)


def _of_model(model: BaseModel, depth: int, at: datetime, lang: Language) -> Iterator[Line]:
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if value not in (None, ()):
            wire_name = field.alias or name
            yield from _of(value, LABELS[wire_name] if lang == "zh" else wire_name, depth, at, lang)


def _of(value: Any, label: str, depth: int, at: datetime, lang: Language) -> Iterator[Line]:
    if isinstance(value, BaseModel):
        yield depth, label, ""
        yield from _of_model(value, depth + 1, at, lang)
    elif isinstance(value, tuple) and any(isinstance(part, BaseModel) for part in value):
        for number, part in enumerate(value, start=1):
            yield from _of(part, f"{label} {number}", depth, at, lang)
    elif isinstance(value, tuple):
        yield depth, label, " · ".join(_text(part, label, at, lang) for part in value)
    else:
        yield depth, label, _text(value, label, at, lang)


def _text(value: Any, label: str, at: datetime, lang: Language) -> str:
    if isinstance(value, Labelled):
        return value.label(lang)
    if isinstance(value, datetime):
        return beijing(value)
    text = str(value.value if isinstance(value, StrEnum) else value)
    if label in (LABELS["region"], "region"):
        found = region(text, at.date())
        return f"{text} {found.name}" if found else text
    return text
