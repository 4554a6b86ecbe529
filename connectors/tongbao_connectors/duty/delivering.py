"""Carrying one word over one channel: sockets, no database, no log.

1. `deliver` returns None when the other side took it, else the reason. It raises nothing.
2. A try ends after the channel's timeout. Redirects aren't followed, proxies of the environment not used.
3. A word that got no answer counts as failed; it may have arrived all the same.
"""

import base64
import hashlib
import hmac
import json
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlencode

from tongbao_broker.errors import BadConfiguration
from tongbao_connectors.duty.channels import Channel, Channels, Email, Gateway, Sms, Webhook
from tongbao_connectors.duty.notice import Notice
from tongbao_schemas.codes import Labelled

ANSWER_LIMIT = 64 * 1024


class Reason(Labelled):
    """Why a word didn't reach its recipient, or wasn't sent."""

    TIMEOUT = "timeout", "超时未答", "No answer in time"
    CONNECTION = "connection", "连接失败", "No connection"
    TLS = "tls", "对方证书不受信任", "The server's certificate isn't trusted"
    LOGIN = "login", "登录被拒绝", "Login refused"
    REFUSED = "refused", "对方拒收", "Not taken by the other side"
    SETTINGS = "settings", "渠道配置有误", "The channel is set up wrongly"
    NO_ADDRESS = "no_address", "未登记联系地址", "No address known"
    DUPLICATE = "duplicate", "短时间内已通知", "Told a moment ago"
    COVERED = "covered", "合并为一条通知", "Counted in one word for several"
    OVER = "over", "已有人签收", "Somebody has signed"
    INTERRUPTED = "interrupted", "发送中断，结果不明", "Interrupted; it may have arrived"


@dataclass(frozen=True, slots=True)
class Word:
    """A notice on its way: over which channel, to which address (empty: a room)."""

    channel: Channel
    address: str
    notice: Notice


def deliver(word: Word, channels: Channels, at: datetime) -> Reason | None:
    """Sends a word; None, or why it wasn't taken."""
    try:
        if not isinstance(word.channel, Email):
            return _post(word.channel, word, channels, at)
        _mail(word.channel, word, channels, at)
    except BadConfiguration:
        return Reason.SETTINGS
    except TimeoutError:
        return Reason.TIMEOUT
    except ssl.SSLError:
        return Reason.TLS
    except smtplib.SMTPAuthenticationError:
        return Reason.LOGIN
    except smtplib.SMTPServerDisconnected:
        return Reason.CONNECTION
    except (smtplib.SMTPException, HTTPException, ValueError):
        return Reason.REFUSED
    except OSError:
        return Reason.CONNECTION
    return None


def _mail(channel: Email, word: Word, channels: Channels, at: datetime) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = channel.sender, word.address, word.notice.subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = make_msgid(domain=channel.sender.partition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no automatic replies
    message.set_content(word.notice.text + "\n")
    password = channels.secret(channel.password_file)
    server = _smtp(channel)
    try:
        if channel.user:
            server.login(channel.user, password)
        server.send_message(message)
    finally:
        with suppress(smtplib.SMTPException, OSError):
            server.quit()


def _smtp(channel: Email) -> smtplib.SMTP:
    if channel.unsafe_plain:
        return smtplib.SMTP(channel.host, channel.port, timeout=channel.timeout_s)
    if channel.tls == "tls":
        return smtplib.SMTP_SSL(
            channel.host, channel.port, timeout=channel.timeout_s, context=_context(channel)
        )
    server = smtplib.SMTP(channel.host, channel.port, timeout=channel.timeout_s)
    try:
        server.starttls(context=_context(channel))
    except BaseException:
        server.close()
        raise
    return server


def _post(channel: Webhook | Sms, word: Word, channels: Channels, at: datetime) -> Reason | None:
    gateway = channels.gateway(channel)
    facts = _facts(channel, gateway, word, channels, at)
    target = channel.url.path.rstrip("/") if channel.url.path else ""
    target += gateway.path
    if gateway.query:
        target += "?" + urlencode(_filled(gateway.query, facts))
    body, kind = _body(gateway, facts)
    headers = {"Content-Type": kind, **_filled(gateway.headers, facts)}
    connection = _connection(channel)
    try:
        connection.request("POST", target, body, headers)
        answer = connection.getresponse()
        content = answer.read(ANSWER_LIMIT)
    finally:
        connection.close()
    return None if 200 <= answer.status < 300 and _says_good(gateway, content) else Reason.REFUSED


def _connection(channel: Webhook | Sms) -> HTTPConnection:
    host, port = channel.url.host or "", channel.url.port
    if channel.url.scheme == "https":
        return HTTPSConnection(host, port, timeout=channel.timeout_s, context=_context(channel))
    return HTTPConnection(host, port, timeout=channel.timeout_s)


def _context(channel: Channel) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(channel.ca_file) if channel.ca_file else None)


def _facts(
    channel: Webhook | Sms, gateway: Gateway, word: Word, channels: Channels, at: datetime
) -> dict[str, str]:
    notice = word.notice
    milliseconds = int(at.timestamp() * 1000)
    facts = {
        "text": notice.text,
        "level": notice.level,
        "number": notice.number,
        "link": notice.link,
        "mobile": word.address,
        "token": channels.secret(channel.token_file),
        "timestamp_ms": str(milliseconds),
        "timestamp_s": str(milliseconds // 1000),
    }
    if gateway.sign is not None:
        secret = facts | {"secret": channels.secret(channel.secret_file)}
        facts["sign"] = _signature(_fill(gateway.sign.key, secret), _fill(gateway.sign.text, secret))
    return facts


def _signature(key: str, text: str) -> str:
    return base64.b64encode(hmac.digest(key.encode(), text.encode(), hashlib.sha256)).decode("ascii")


def _body(gateway: Gateway, facts: dict[str, str]) -> tuple[bytes, str]:
    filled = _filled(gateway.body, facts)
    if gateway.form:
        return urlencode(filled).encode("ascii"), "application/x-www-form-urlencoded"
    return json.dumps(filled, ensure_ascii=False).encode(), "application/json; charset=utf-8"


def _filled(template: Any, facts: dict[str, str]) -> Any:
    """A template with its texts filled in, before it becomes JSON: a fact can't break out of its place."""
    if isinstance(template, dict):
        return {key: _filled(value, facts) for key, value in template.items()}
    if isinstance(template, list):
        return [_filled(value, facts) for value in template]
    return _fill(template, facts) if isinstance(template, str) else template


def _fill(text: str, facts: dict[str, str]) -> str:
    for name, value in facts.items():
        text = text.replace("{" + name + "}", value)
    return text


def _says_good(gateway: Gateway, content: bytes) -> bool:
    if gateway.good is None:
        return True
    answer = json.loads(content)
    return isinstance(answer, dict) and answer.get(gateway.good.field) == gateway.good.value
