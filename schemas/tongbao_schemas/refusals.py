"""The published table of refusal codes: one code, one sentence, one next step, in Chinese and English.

A code never changes its meaning and is never used again for something else. The first digit says where
the fault lies: 1 record and envelope, 2 trust, 3 header, 4 policy, 5 body, 6 delivery and submission.
`step` is the number of the check in `docs/protocol.md`, section 9 (admission), or `acceptance` / `submission`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Code(StrEnum):
    """Every reason for which something is refused."""

    RECORD_TOO_LARGE = "TB-101"
    NOT_UTF8 = "TB-102"
    NOT_ONE_JSON_OBJECT = "TB-103"
    DUPLICATE_KEY = "TB-104"
    NUMBER_FORM = "TB-105"
    TOO_DEEP = "TB-106"
    FORBIDDEN_CHARACTER = "TB-107"
    NOT_NFC = "TB-108"
    RECORD_SHAPE = "TB-109"
    BASE64_FORM = "TB-110"
    ENVELOPE_SHAPE = "TB-111"
    SIGNATURE_COUNT = "TB-112"
    PAYLOAD_TYPE = "TB-113"
    NULL_VALUE = "TB-114"

    KEY_UNKNOWN = "TB-201"
    KEY_USE = "TB-202"
    KEY_OWNER = "TB-203"
    KEY_NOT_VALID = "TB-204"
    KEY_COMPROMISED = "TB-205"
    SIGNATURE_WRONG = "TB-206"
    TYPE_NOT_ALLOWED_FOR_KEY = "TB-207"
    STAMP_SHAPE = "TB-210"
    CHECKPOINT_FORM = "TB-211"
    CHECKPOINT_SIGNATURE = "TB-212"
    CHECKPOINT_NETWORK = "TB-213"
    PROOF_WRONG = "TB-214"
    STAMP_OF_ANOTHER_MESSAGE = "TB-215"
    THRESHOLD_NOT_MET = "TB-220"
    DOCUMENT_SHAPE = "TB-221"
    DOCUMENT_ROLLED_BACK = "TB-222"
    DOCUMENT_EXPIRED = "TB-223"
    DOCUMENT_NETWORK = "TB-224"
    SMALL_ORDER_KEY = "TB-225"
    SEALED_TO_WRONG_PARTIES = "TB-230"
    SEAL_KEY_NOT_VALID = "TB-231"
    BODY_MISSING = "TB-232"
    CIPHERTEXT_MISMATCH = "TB-233"
    CANNOT_OPEN = "TB-234"

    HEADER_SHAPE = "TB-301"
    NETWORK_MISMATCH = "TB-302"
    SCHEMA_UNKNOWN = "TB-303"
    ORIGIN_NOT_OWNER = "TB-304"
    EQUIVOCATION = "TB-305"
    SEQ_TAKEN = "TB-306"
    ISSUED_IN_FUTURE = "TB-307"
    EXPIRED = "TB-308"
    DEADLINES_ORDER = "TB-309"
    NUMBER_WRONG = "TB-310"

    AUDIENCE_UNKNOWN = "TB-401"
    AUDIENCE_NOT_ACTIVE = "TB-402"
    AUDIENCE_IS_ORIGIN = "TB-403"
    SCHEMA_NOT_ACCEPTED = "TB-404"
    ORIGIN_NOT_ACTIVE = "TB-405"
    REF_UNKNOWN = "TB-406"
    REF_DIGEST = "TB-407"
    REF_THREAD = "TB-408"
    REF_STATUS = "TB-409"
    NOT_THE_ORIGIN = "TB-410"
    NOT_AN_ADDRESSEE = "TB-411"
    AUDIENCE_NOT_PARTIES = "TB-412"
    THREAD_CLOSED = "TB-413"
    NO_AGREEMENT = "TB-414"
    NOT_IN_AUDIENCE = "TB-415"

    BODY_SHAPE = "TB-501"
    ID_NUMBER_INVALID = "TB-502"
    ID_NUMBER_REAL = "TB-503"
    REGION_CODE = "TB-504"
    SECRET_DOCUMENT = "TB-505"
    SAME_OFFICER = "TB-506"
    NO_SUBJECT_OR_TARGET = "TB-507"
    CATEGORY_NEEDS = "TB-508"
    PAPERS_MISSING = "TB-509"
    TOO_MANY_SUBJECTS = "TB-510"
    WINDOW_ORDER = "TB-511"
    RETAIN_UNTIL = "TB-512"
    ATTACHMENT_PART = "TB-513"
    ATTACHMENT_CONTENT = "TB-514"
    ATTACHMENTS_TOO_LARGE = "TB-515"

    CLIENT_REF_CONFLICT = "TB-601"
    SUBMISSION_SHAPE = "TB-602"
    RECORD_UNREADABLE = "TB-603"
    ORPHAN_REF = "TB-604"
    NOT_SUBMITTABLE = "TB-605"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One row of the table."""

    code: Code
    step: str
    zh: str
    next_zh: str
    en: str
    next_en: str

    def sentence(self, lang: str) -> str:
        """What was wrong, in `zh` or `en`."""
        return self.zh if lang == "zh" else self.en

    def next_step(self, lang: str) -> str:
        """What to do, in `zh` or `en`."""
        return self.next_zh if lang == "zh" else self.next_en


_ROWS: Final[tuple[tuple[Code, str, str, str, str, str], ...]] = (
    (Code.RECORD_TOO_LARGE, "1", "数据超过允许的长度。", "请缩短内容，或把材料作为附件另发。",
     "The data is longer than allowed.", "Shorten it, or send material as attachments."),
    (Code.NOT_UTF8, "1, 5", "数据不是有效的 UTF-8 编码。", "请用 UTF-8 重新保存后再提交。",
     "The data is not valid UTF-8.", "Encode it as UTF-8 and send it again."),
    (Code.NOT_ONE_JSON_OBJECT, "1, 5", "数据不是一个完整的 JSON 对象。", "请检查括号、引号和逗号，只保留一个对象。",
     "The data is not one complete JSON object.", "Check brackets, quotes and commas, and keep a single object."),
    (Code.DUPLICATE_KEY, "1, 5", "JSON 中同一个键出现了两次。", "请删去重复的键。",
     "A key occurs twice in one JSON object.", "Remove the repeated key."),
    (Code.NUMBER_FORM, "1, 5", "数字不是允许范围内的整数。", "请改用整数；数量等小数请写成字符串。",
     "A number is not a whole number within the allowed range.",
     "Write whole numbers; write decimal quantities as strings."),
    (Code.TOO_DEEP, "1, 5", "JSON 嵌套超过 16 层。", "请减少嵌套。",
     "The JSON is nested deeper than 16 levels.", "Flatten it."),
    (Code.FORBIDDEN_CHARACTER, "1, 5", "文本含有控制字符、双向控制符或其他不可见字符。", "请删去这些字符后重新提交。",
     "A text holds a control, bidirectional or other invisible character.", "Remove these characters."),
    (Code.NOT_NFC, "1, 5", "文本不是 Unicode NFC 规范形式。", "请在录入时统一转换为 NFC。",
     "A text is not in Unicode normalisation form NFC.", "Normalise texts to NFC where they are entered."),
    (Code.RECORD_SHAPE, "1", "记录缺少字段，或多出未知字段。", "请按协议第 3 节组织记录。",
     "The record lacks a field or has an unknown one.", "Build records as in section 3 of the protocol."),
    (Code.BASE64_FORM, "1, 2, body", "Base64 文本不规范。", "请使用标准字母表、带填充、无换行的规范编码。",
     "A base64 text is not canonical.", "Use the standard alphabet with padding, zero trailing bits and no line breaks."),
    (Code.ENVELOPE_SHAPE, "2", "签名信封缺少字段，或多出未知字段。", "请按 DSSE v1 组织信封。",
     "The envelope lacks a field or has an unknown one.", "Build envelopes as in DSSE v1."),
    (Code.SIGNATURE_COUNT, "2", "签名数量不是一个。", "请只签一次名。",
     "The message does not carry exactly one signature.", "Sign it once."),
    (Code.PAYLOAD_TYPE, "2", "载荷类型与所在位置不符。", "请使用该位置规定的载荷类型。",
     "The payload type is not the one for this place.", "Use the payload type that belongs here."),
    (Code.NULL_VALUE, "1, 5", "有一个值是 null。", "没有的内容请整个删去该字段，不要写 null。",
     "A value is null.", "Leave out a field that has no value."),
    (Code.KEY_UNKNOWN, "3", "目录中没有这个签名密钥。", "请核对密钥是否已登记，并使用目录中的密钥签名。",
     "The directory does not list the signing key.", "Have the key enrolled, or sign with one that is."),
    (Code.KEY_USE, "3", "该密钥不用于签署报文。", "请使用登记用途为 message 的密钥。",
     "The key is not one for signing messages.", "Sign with a key whose use is message."),
    (Code.KEY_OWNER, "3", "该密钥不属于这个主题所属的省。", "请用本省密钥签名，并写入本省主题。",
     "The key does not belong to the province that owns the topic.", "Sign with your own key and write to your own topic."),
    (Code.KEY_NOT_VALID, "3", "该密钥此时不在有效期内。", "请使用有效期内的密钥，过期的请更换。",
     "The key is not valid at this time.", "Use a key within its period, or rotate it."),
    (Code.KEY_COMPROMISED, "3", "该密钥已被登记为泄露。", "请立即改用新密钥，并重新签发受影响的通报。",
     "The key is recorded as compromised.", "Change to a new key at once and issue affected messages again."),
    (Code.SIGNATURE_WRONG, "4", "签名与内容不符。", "请用原始字节重新签名后发送；反复出现时请报告交换中心。",
     "The signature does not fit the content.", "Sign the exact bytes again; report it if it keeps happening."),
    (Code.TYPE_NOT_ALLOWED_FOR_KEY, "6", "该密钥无权签署这类报文。", "请使用获准签署这类报文的密钥。",
     "The key may not sign messages of this type.", "Use a key whose record allows this type."),
    (Code.STAMP_SHAPE, "acceptance 1", "登记凭证格式不对。", "请向交换中心报告。",
     "The stamp is malformed.", "Report it to the exchange."),
    (Code.CHECKPOINT_FORM, "acceptance 1", "检查点文本格式不对。", "请向交换中心报告。",
     "The checkpoint's text is malformed.", "Report it to the exchange."),
    (Code.CHECKPOINT_SIGNATURE, "acceptance 1", "检查点的签名不成立。", "不要使用该报文，立即报告交换中心和法制监督。",
     "The checkpoint's signature does not hold.", "Do not use the message; report it to the exchange and the supervisor."),
    (Code.CHECKPOINT_NETWORK, "acceptance 1", "检查点属于另一个网络。", "请检查接入端配置的网络名称。",
     "The checkpoint belongs to another network.", "Check the network's name in the connector's configuration."),
    (Code.PROOF_WRONG, "acceptance 1", "包含证明不成立。", "不要使用该报文，立即报告交换中心和法制监督。",
     "The inclusion proof does not hold.", "Do not use the message; report it to the exchange and the supervisor."),
    (Code.STAMP_OF_ANOTHER_MESSAGE, "acceptance 3", "登记凭证是另一份报文的。", "不要使用该报文，立即报告交换中心。",
     "The stamp belongs to another message.", "Do not use the message; report it to the exchange."),
    (Code.THRESHOLD_NOT_MET, "documents", "根文件或目录的有效签名数量不足。", "请补足不同密钥的签名后重新发布。",
     "The root or directory lacks valid signatures by distinct keys.", "Have enough different keys sign it."),
    (Code.DOCUMENT_SHAPE, "documents", "根文件或目录格式不对。", "请按协议第 8 节重新生成。",
     "The root or directory is malformed.", "Make it again as in section 8 of the protocol."),
    (Code.DOCUMENT_ROLLED_BACK, "documents", "根文件或目录比已见过的版本旧。", "请取得最新版本；若被人替换，请报告。",
     "The root or directory is older than one already seen.", "Fetch the newest version; report it if it was replaced."),
    (Code.DOCUMENT_EXPIRED, "documents", "根文件或目录已过有效期。", "请尽快签发并发布新版本。",
     "The root or directory has expired.", "Sign and publish a new version."),
    (Code.DOCUMENT_NETWORK, "documents", "根文件或目录属于另一个网络。", "请检查文件来源和网络名称。",
     "The root or directory belongs to another network.", "Check where the file came from and the network's name."),
    (Code.SMALL_ORDER_KEY, "documents", "公钥是不安全的小阶点。", "请重新生成密钥。",
     "The public key is an unsafe point of small order.", "Generate a new key."),
    (Code.SEALED_TO_WRONG_PARTIES, "14", "加密对象与收件省和发出省不一致。", "请只对全部收件省和本省加密，顺序与协议一致。",
     "The body is not sealed to exactly the audience and the origin.", "Seal to each addressee in order, then to yourself."),
    (Code.SEAL_KEY_NOT_VALID, "14", "使用的加密密钥此时无效。", "请取最新目录，用有效的加密密钥重新加密。",
     "A seal key used is not valid at this time.", "Fetch the newest directory and seal again with valid keys."),
    (Code.BODY_MISSING, "14", "正文缺失，或本不应有正文。", "有 sealed 字段的报文必须附密文，其他报文不得附。",
     "The body is missing, or present where none belongs.", "Attach the ciphertext exactly when the header has `sealed`."),
    (Code.CIPHERTEXT_MISMATCH, "14", "密文的长度或摘要与签名所述不符。", "请发送加密时得到的原始字节。",
     "The ciphertext's size or hash is not what was signed.", "Send the very bytes that sealing produced."),
    (Code.CANNOT_OPEN, "acceptance 6", "正文无法打开。", "请发出方重新加密并重发；请核对加密密钥。",
     "The body cannot be opened.", "The origin should seal and send it anew; check the seal keys."),
    (Code.HEADER_SHAPE, "6", "报文头缺少字段、多出字段或取值不符。", "请按协议第 5 节填写报文头。",
     "The header lacks a field, has an unknown one or a wrong value.", "Fill it in as in section 5 of the protocol."),
    (Code.NETWORK_MISMATCH, "6", "报文属于另一个网络。", "请检查所连接的环境：演练环境的报文在正式环境无效。",
     "The message belongs to another network.", "Check the environment: exercise traffic is void elsewhere."),
    (Code.SCHEMA_UNKNOWN, "6", "不认识该报文格式版本。", "请使用目录中列出的格式版本。",
     "The schema's version is unknown.", "Use a version that the directory lists."),
    (Code.ORIGIN_NOT_OWNER, "7", "发出方与主题所属的省不一致。", "请只以本省名义发送。",
     "The origin is not the province that owns the topic.", "Send in your own province's name only."),
    (Code.EQUIVOCATION, "8", "同一编号出现了内容不同的两份报文。", "请立即报告；一个编号只能对应一份内容。",
     "Two different messages carry the same id.", "Report it at once; an id stands for one content."),
    (Code.SEQ_TAKEN, "9", "该序号已被另一份报文使用。", "请检查是否有两套系统同时以本省名义发送，或数据库是旧副本。",
     "The sequence number is taken by another message.",
     "Check for a second system sending in your name, or a restored old database."),
    (Code.ISSUED_IN_FUTURE, "10", "签发时间晚于当前时间。", "请校准发出方时钟。",
     "The message is issued in the future.", "Set the sender's clock right."),
    (Code.EXPIRED, "10", "报文已过有效期。", "仍有需要时请重新签发。",
     "The message has expired.", "Issue it anew if it is still needed."),
    (Code.DEADLINES_ORDER, "6", "时限先后顺序不对。", "签收时限应晚于签发，且不晚于反馈时限和有效期。",
     "The deadlines are not in order.", "Sign-by follows issue and precedes feedback, result and expiry."),
    (Code.NUMBER_WRONG, "6", "通报编号与发出省或校验码不符。", "请由接入端编号，不要手工填写。",
     "The readable number does not fit the origin or its check character.", "Let the connector number messages."),
    (Code.AUDIENCE_UNKNOWN, "11", "收件省不在目录中。", "请核对收件省代码。",
     "An addressee is not in the directory.", "Check the addressees' codes."),
    (Code.AUDIENCE_NOT_ACTIVE, "11", "收件省当前未启用。", "请先以其他方式联系该省，待其恢复后再发。",
     "An addressee is not active.", "Reach that province by other means and send when it is active again."),
    (Code.AUDIENCE_IS_ORIGIN, "11", "收件省不能是发出省自己。", "请删去本省代码。",
     "The origin is among the addressees.", "Remove your own code from the audience."),
    (Code.SCHEMA_NOT_ACCEPTED, "11", "收件省不接收该格式版本。", "请改用该省目录记录列出的版本。",
     "An addressee does not accept this schema.", "Use a version that the addressee's record lists."),
    (Code.ORIGIN_NOT_ACTIVE, "11", "发出省当前未启用。", "请与交换中心联系恢复资格。",
     "The origin is not active.", "Ask the exchange to have your province reinstated."),
    (Code.REF_UNKNOWN, "12", "引用的报文不存在。", "请核对引用编号。",
     "A referenced message is unknown.", "Check the reference."),
    (Code.REF_DIGEST, "12", "引用报文的摘要不一致。", "请引用实际收到的那份报文。",
     "The digest of a referenced message differs.", "Refer to the message that was really received."),
    (Code.REF_THREAD, "12", "引用的报文属于另一件通报。", "请在同一件通报内引用。",
     "A referenced message belongs to another thread.", "Refer within one thread."),
    (Code.REF_STATUS, "12", "正式、演练、测试性质不一致。", "同一件通报的性质必须一致。",
     "Actual, exercise or test differs from the thread's.", "Keep one status throughout a thread."),
    (Code.NOT_THE_ORIGIN, "12", "只有原发出省可以这样做。", "请由原发出省补充、撤销或办结。",
     "Only the alert's origin may do this.", "Leave updates, cancels and closures to the alert's origin."),
    (Code.NOT_AN_ADDRESSEE, "12", "只有收件省可以这样做。", "请核对本省是否为该件通报的收件省。",
     "Only an addressee may do this.", "Check whether you were an addressee of that message."),
    (Code.AUDIENCE_NOT_PARTIES, "12", "收件省不是该件通报的当事省。", "只能发给该件通报的当事省；需要增加时由发出省补充。",
     "An addressee is no party of the thread.", "Address parties only; the origin may add one by an update."),
    (Code.THREAD_CLOSED, "12", "该件通报已办结。", "如需继续，请由发出省补充后重新启动。",
     "The thread is closed.", "The origin can reopen it by an update."),
    (Code.NO_AGREEMENT, "13", "与收件省之间没有允许此类通报的有效协作依据。", "请核对协议的类别、处理代码和有效期。",
     "No agreement in force with an addressee allows this message.",
     "Check the agreement's categories, handling codes, types and dates."),
    (Code.NOT_IN_AUDIENCE, "acceptance 3", "本省不在收件省之列。", "请向交换中心报告误投。",
     "This province is not in the audience.", "Report the wrong delivery to the exchange."),
    (Code.BODY_SHAPE, "body", "正文缺少字段、多出字段或取值不符。", "请按该类别的格式填写正文。",
     "The body lacks a field, has an unknown one or a wrong value.", "Fill it in as the category's schema says."),
    (Code.ID_NUMBER_INVALID, "body", "公民身份号码校验不通过。", "请核对证件号码。",
     "An ID number fails its check.", "Check the document's number."),
    (Code.ID_NUMBER_REAL, "body", "演练或测试报文中出现了校验能通过的身份号码。", "请换成校验故意不通过的虚构号码。",
     "An exercise or test message holds an ID number that passes its check.",
     "Use invented numbers that fail the check on purpose."),
    (Code.REGION_CODE, "body", "行政区划代码不存在，或在该日期无效。", "请选用该日期有效的代码。",
     "A region code does not exist or is not valid at that date.", "Choose a code that is valid at the date."),
    (Code.SECRET_DOCUMENT, "body", "文件标有国家秘密密级。", "涉密文件不得在本系统传递，请走机要渠道。",
     "A document is marked as a state secret.", "State secrets must not travel here; use the classified channel."),
    (Code.SAME_OFFICER, "body", "拟稿人和签发人是同一人。", "请由另一名民警审核签发。",
     "The same officer prepared and approved it.", "Have a second officer approve it."),
    (Code.NO_SUBJECT_OR_TARGET, "body", "既没有涉案人员，也没有其他目标。", "请至少写明一名人员或一个目标。",
     "There is neither a subject nor a target.", "Name at least one subject or target."),
    (Code.CATEGORY_NEEDS, "body", "缺少该类别必须说明的内容。", "请补上该类别要求的字段。",
     "Something that this category needs is missing.", "Add what the category asks for."),
    (Code.PAPERS_MISSING, "body", "缺少所请求措施需要的法律手续。", "请补上相应文书后再提交。",
     "The papers that the request needs are missing.", "Add the legal papers for the requested measure."),
    (Code.TOO_MANY_SUBJECTS, "body", "涉案人员超过 20 名。", "本系统不传递人员名单；请按案件分别通报。",
     "There are more than 20 subjects.", "Lists of people are not carried; notify case by case."),
    (Code.WINDOW_ORDER, "body", "起止时间顺序不对。", "开始时间应早于结束时间。",
     "A period ends before it begins.", "Put the start before the end."),
    (Code.RETAIN_UNTIL, "body", "保存期限不合理。", "保存期限应晚于签发，且不超过规定年限。",
     "The retention date is not acceptable.", "Choose a date after issue and within the allowed years."),
    (Code.ATTACHMENT_PART, "body", "附件的分段不对。", "每段 262,144 字节，只有最后一段可以较短，最多 80 段。",
     "A part of a file has a wrong number or size.",
     "Cut files into parts of 262,144 bytes, the last one may be shorter, 80 at most."),
    (Code.ATTACHMENT_CONTENT, "body", "附件的名称、类型与内容不一致。",
     "只收 PDF、OFD、JPEG、PNG 和 UTF-8 纯文本；请勿改扩展名，另存为这些格式后再附。",
     "A file's name, type and content don't agree.",
     "Attach PDF, OFD, JPEG, PNG or UTF-8 text; save it as one of these instead of renaming it."),
    (Code.ATTACHMENTS_TOO_LARGE, "body", "附件合计超过 20 MiB。", "请压缩扫描分辨率，或另发补充通报附上其余文件。",
     "The files together have more than 20 MiB.", "Scan at a lower resolution, or send the rest with an update."),
    (Code.CLIENT_REF_CONFLICT, "submission", "该业务编号已用于内容不同的另一份提交。", "请换一个编号，或提交原来的内容。",
     "This client_ref was used for a different submission.", "Use a new reference, or submit the same content."),
    (Code.SUBMISSION_SHAPE, "submission", "提交文件缺少字段、多出字段或取值不符。", "请对照 submission/1.0 的格式修改。",
     "The submission lacks a field, has an unknown one or a wrong value.", "Compare it with schema submission/1.0."),
    (Code.RECORD_UNREADABLE, "1", "记录无法读取。", "请检查写入程序，并重新发送。",
     "The record cannot be read.", "Check the program that wrote it and send again."),
    (Code.ORPHAN_REF, "acceptance 5", "引用的报文本省尚未收到。", "已先行保存，待原报文到达后自动关联。",
     "A referenced message has not arrived here yet.", "It is kept and joined when the other arrives."),
    (Code.NOT_SUBMITTABLE, "submission", "这类报文不能由业务系统直接提交。", "请改用由人签发的类型，如 alert、answer。",
     "Messages of this type cannot be submitted.", "Submit what people sign, such as an alert or an answer."),
)  # fmt: skip

REFUSALS: Final[Mapping[Code, Refusal]] = MappingProxyType({row[0]: Refusal(*row) for row in _ROWS})


def table_markdown() -> str:
    """The table as it stands in `docs/protocol.md`."""
    head = "| code | step | sentence | what to do |\n|---|---|---|---|\n"
    return head + "".join(
        f"| `{row.code}` | {row.step} | {row.zh}<br>{row.en} | {row.next_zh}<br>{row.next_en} |\n"
        for row in REFUSALS.values()
    )
