"""What can go wrong on the command line itself, beside the errors of what it calls.

OperationError
├── Usage              CL-01  2   the command line can't be understood
│   ├── WhoActs        CL-02  2   a province or an officer must be named
│   └── WhyMissing     CL-03  2   a body is opened without a reason
├── NoFile             CL-04  4   the file to read isn't there
├── Incomplete         CL-05  1   a stage didn't come in time
├── NotFromTheLog      CL-06  1   the exchange's database can't be made from the log
├── Unwritable         CL-07  1   the file to write can't be written
└── Unforeseen         CL-99  1   a fault of ours
"""

import json
import sys
from traceback import extract_tb
from typing import Any

from tongbao_broker.errors import OperationError, TongbaoError, exit_code
from tongbao_connectors.language import Language
from tongbao_schemas.errors import Refused


class Usage(OperationError):
    """The command line can't be understood. `detail` says where."""

    code = "CL-01"
    exit_code = 2
    zh = "命令行有误。"
    en = "The command line can't be understood."
    next_zh = "在命令后加 --help 查看用法。"
    next_en = "See how it is used with --help after the command."


class WhoActs(Usage):
    """The command acts for a province or an officer, and none was named."""

    code = "CL-02"
    zh = "未说明由谁操作。"
    en = "Who acts was not said."
    next_zh = "加 --as 单位代码（如 440000）；签收、反馈、查阅正文还要加 --officer 联络员编号（如 粤-0117）。"
    next_en = (
        "Add --as CODE (such as --as 440000); to claim, answer or open a body also --officer REF (粤-0117)."
    )


class WhyMissing(Usage):
    """Somebody who isn't accountable opens a body without a reason."""

    code = "CL-03"
    zh = "非责任人打开正文须说明理由。"
    en = "Whoever isn't accountable must say why he opens the body."
    next_zh = "加 --why 理由。"
    next_en = "Add --why REASON."


class NoFile(OperationError):
    """The file to read isn't there or can't be read."""

    code = "CL-04"
    exit_code = 4
    zh = "无法读取文件。"
    en = "The file can't be read."
    next_zh = "检查文件路径和权限。"
    next_en = "Check the path and the permissions."


class Incomplete(OperationError):
    """What was waited for did not come in time."""

    code = "CL-05"
    zh = "在规定时间内没有等到全部环节。"
    en = "Not every stage came in time."
    next_zh = "用 tongbao trail 编号 查看停在哪一步；日志在各单位文件夹的 log/ 中。"
    next_en = "See where it stands with: tongbao trail NUMBER; logs are in log/ of each participant's folder."


class NotFromTheLog(OperationError):
    """The exchange's own database holds what no topic does: it comes from a backup or not at all."""

    code = "CL-06"
    zh = "平台的数据库不能从日志重建：主题中没有被拒绝记录的入链时间和已发出的全部原文。"
    en = (
        "The exchange's database can't be made from the log: no topic holds when rejected records were "
        "entered, nor all that was delivered."
    )
    next_zh = "用比日志末条更晚的备份恢复；应取的时间见 100000 日志中的拒绝启动信息。"
    next_en = "Restore a backup that is newer than the log; the exchange's log says how new it must be."


class Unwritable(OperationError):
    """The file to write can't be written."""

    code = "CL-07"
    zh = "无法写入文件。"
    en = "The file can't be written."
    next_zh = "检查路径、权限和磁盘空间。"
    next_en = "Check the path, the permissions and the disk."


class Unforeseen(OperationError):
    """A fault of ours: the class and the place of the error, never its message, which may quote data."""

    code = "CL-99"
    zh = "程序出现未预料的错误。"
    en = "The program met an error that it was not written for."
    next_zh = "请把括号中的内容报告给维护者。"
    next_en = "Please report what is in brackets to the maintainers."

    @classmethod
    def of(cls, error: BaseException) -> "Unforeseen":
        last = extract_tb(error.__traceback__)[-1]
        return cls(f"{type(error).__name__}, {last.filename.rpartition('/')[2]}:{last.lineno}")


def report(error: TongbaoError, lang: Language, *, as_json: bool) -> int:
    """Says the error on standard error and returns the exit code."""
    facts = facts_of(error, lang)
    if as_json:
        print(json.dumps({"error": facts}, ensure_ascii=False), file=sys.stderr)
    else:
        where = f"（{facts['where']}）" if lang == "zh" else f" ({facts['where']})"
        follow = "下一步：" if lang == "zh" else "Next: "
        print(f"{facts['code']} {facts['sentence']}{where if facts['where'] else ''}", file=sys.stderr)
        print(f"  {follow}{facts['next']}", file=sys.stderr)
    return int(facts["exit"])


def facts_of(error: TongbaoError, lang: Language) -> dict[str, Any]:
    """Code, sentence, where, next step and exit code of an error."""
    if isinstance(error, Refused):
        code, where = str(error.code), error.where
    elif isinstance(error, OperationError):
        code, where = error.code, error.detail_in(lang)
    else:
        return facts_of(Unforeseen.of(error), lang)
    return {
        "code": code,
        "sentence": error.sentence(lang),
        "where": where,
        "next": error.next_step(lang),
        "exit": exit_code(error),
    }
