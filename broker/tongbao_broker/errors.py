"""Everything that can go wrong while Tongbao runs, in one tree.

    TongbaoError                  (tongbao_schemas) the one root
    ├── Refused                   (tongbao_schemas) the other side's bytes broke a published rule, TB-nnn
    └── OperationError            it is our own affair
        ├── Held              OP-01   our own trouble: the stream waits, nothing is rejected
        ├── Fenced            OP-02   another process has moved our cursor: this one must end
        ├── TopicReplaced     OP-03   the topic or cluster is not the one the cursor was made for
        ├── RecordsLost       OP-04   the broker no longer has the offset that the cursor asks for
        ├── Unreachable       OP-05   no answer, or no way in
        │   ├── WriterBroken  OP-06   the producer can't be trusted any more: this process must end
    │   └── TopicRefused  OP-12   one topic is missing or closed to us; others go on
        ├── DatabaseOlderThanLog  OP-07   our database knows less than the log does
        ├── NotFound          OP-08   nothing by that name
        ├── NoRight           OP-09   the person or certificate may not do this
        ├── Conflict          OP-10   it has already been decided otherwise
        └── BadConfiguration  OP-11   a setting, file or program on this machine is wrong

Every class carries its code, one sentence and a next step in Chinese and English, and the exit code of the
command line. No error of Kafka, Django or cryptography leaves the package that uses it: it is raised again as
one of these, and the detail never holds a body, a name or a number of a person. A detail either reads the
same in both languages (references, codes, file names) or is given in both, as `Words`.
"""

from typing import ClassVar, NamedTuple

from tongbao_schemas.errors import Refused, TongbaoError

__all__ = [
    "BadConfiguration",
    "Conflict",
    "DatabaseOlderThanLog",
    "Fenced",
    "Held",
    "NoRight",
    "NotFound",
    "OperationError",
    "RecordsLost",
    "Refused",
    "TongbaoError",
    "TopicRefused",
    "TopicReplaced",
    "Unreachable",
    "Words",
    "WriterBroken",
    "exit_code",
]


class Words(NamedTuple):
    """A text for people in both languages."""

    zh: str
    en: str


class OperationError(TongbaoError):
    """Our own affair, as opposed to a message that breaks a rule.

    `detail` says what exactly, without personal data; `next_step` replaces the class's advice where better is
    known. Either is a plain text only if it reads the same in both languages.
    """

    code: ClassVar[str]
    exit_code: ClassVar[int] = 1
    zh: ClassVar[str]
    en: ClassVar[str]
    next_zh: ClassVar[str]
    next_en: ClassVar[str]

    def __init__(self, detail: str | Words = "", next_step: str | Words = "") -> None:
        self._detail = detail
        self._next_step = next_step
        super().__init__(detail, next_step)

    @property
    def detail(self) -> str:
        """What exactly, as logs have it: in English."""
        return self.detail_in("en")

    def detail_in(self, lang: str) -> str:
        return _in(self._detail, lang)

    def sentence(self, lang: str = "en") -> str:
        return self.zh if lang == "zh" else self.en

    def next_step(self, lang: str = "en") -> str:
        return _in(self._next_step, lang) or (self.next_zh if lang == "zh" else self.next_en)

    def __str__(self) -> str:
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.code} {self.en}{detail} {self.next_step()}"


def _in(text: str | Words, lang: str) -> str:
    if isinstance(text, Words):
        return text.zh if lang == "zh" else text.en
    return text


class Held(OperationError):
    """Our own trouble stops the stream: nothing is decided about anybody's message until it is over."""

    code = "OP-01"
    zh = "本系统自身有问题，数据流已暂停，未拒绝任何消息。"
    en = "The stream waits because of trouble of our own; nothing was rejected."
    next_zh = "排除原因后自动继续。"
    next_en = "Remove the cause; the stream then goes on by itself."


class Fenced(OperationError):
    """The cursor isn't where this process left it, so another process is at work; roll back and end."""

    code = "OP-02"
    zh = "另一进程已接管该数据流，本进程必须结束。"
    en = "Another process has taken over this stream, so this one must end."
    next_zh = "确认每个单位只运行一个进程。"
    next_en = "Make sure that one process runs for each participant."


class TopicReplaced(OperationError):
    """The topic (or the whole cluster) was deleted and made anew since the cursor was written."""

    code = "OP-03"
    zh = "主题或集群已被重建，与已保存的读取位置不符。"
    en = "The topic or the cluster was made anew and doesn't match the stored cursor."
    next_zh = "查明原因后将读取位置退回 0；重复消息会被识别。"
    next_en = "Find out why, then rewind the cursor to 0; duplicates are recognised."


class RecordsLost(OperationError):
    """The offset asked for is outside the log: retention took it, or the log was cut."""

    code = "OP-04"
    zh = "所需的记录已不在日志中。"
    en = "The records that the cursor asks for are no longer in the log."
    next_zh = "核对缺失的投递序号并请求补发。"
    next_en = "Compare delivery numbers and ask for what is missing."


class Unreachable(OperationError):
    """A server did not answer, or didn't let us in."""

    code = "OP-05"
    exit_code = 69
    zh = "无法连接服务。"
    en = "The server can't be reached."
    next_zh = "检查地址、证书及服务是否已启动。"
    next_en = "Check the address, the certificate and that the server is up."


class WriterBroken(Unreachable):
    """The producer failed or stalled for good: only a new process writes again."""

    code = "OP-06"
    zh = "写入端已失效，须以新进程重新开始。"
    en = "The writer has failed for good; only a new process can write again."
    next_zh = "结束本进程，由监管进程重新启动。"
    next_en = "End this process and let its supervisor start it again from the tables."


class TopicRefused(Unreachable):
    """The broker doesn't let us read or write one topic: it is missing, or we have no right to it."""

    code = "OP-12"
    zh = "主题不存在，或本证书无权访问。"
    en = "A topic doesn't exist or isn't open to this certificate."
    next_zh = "由管理员执行 tongbao topology plan 检查。"
    next_en = "Let an administrator look at: tongbao topology plan."


class DatabaseOlderThanLog(OperationError):
    """The log holds what this database should know and doesn't: an old copy was put back."""

    code = "OP-07"
    zh = "数据库比日志旧（可能是恢复的旧副本）。"
    en = "The database is older than the log; it is perhaps a restored copy."
    next_zh = "不要继续写入；先从日志补齐数据。"
    next_en = "Do not write; bring the database up to date from the log first."


class NotFound(OperationError):
    """Nothing goes by the name, number or id given."""

    code = "OP-08"
    exit_code = 4
    zh = "未找到。"
    en = "Nothing was found by that name."
    next_zh = "检查编号后重试。"
    next_en = "Check the number or name and try again."


class NoRight(OperationError):
    """The one who asks isn't the one who is accountable or allowed."""

    code = "OP-09"
    exit_code = 77
    zh = "无权执行此操作。"
    en = "You have no right to do this."
    next_zh = "由责任人操作，或先办理交办。"
    next_en = "Let the accountable officer do it, or have the matter assigned first."


class Conflict(OperationError):
    """What is asked for contradicts what has already been recorded."""

    code = "OP-10"
    zh = "与已记录的情况相冲突。"
    en = "This contradicts what has already been recorded."
    next_zh = "先查看当前状态。"
    next_en = "Look at the present state first."


class BadConfiguration(OperationError):
    """A setting, file or program on this machine is missing or wrong."""

    code = "OP-11"
    zh = "本机配置有误。"
    en = "Something on this machine is set up wrongly."
    next_zh = "按括号内说明更正后重试。"
    next_en = "Correct what is named and try again."


def exit_code(error: TongbaoError) -> int:
    """The command line's exit code: 66 for a refusal about keys and signatures, 65 for any other."""
    if isinstance(error, OperationError):
        return error.exit_code
    if isinstance(error, Refused):
        return 66 if error.code.startswith("TB-2") else 65
    return 1
