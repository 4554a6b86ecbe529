"""Carrying a word over e-mail, webhook and SMS, to real servers."""

import base64
import hashlib
import hmac
import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.gateways import PASSWORD, USER, HttpServer, MailServer, http_server, mail_server
from tongbao_broker.trust.certificates import CertificateAuthority
from tongbao_connectors.duty.channels import Channels
from tongbao_connectors.duty.delivering import Reason, Word, deliver
from tongbao_connectors.duty.notice import Notice, Why

NOW = datetime(2026, 11, 23, 6, 18, tzinfo=UTC)
LINK = "https://desk.gd.example/m/0198c5f0/"
NOTICE = Notice(Why.SIGN, "exercise", "flash", "黔2026-000017-D", LINK)
MAIL = """
[[channel]]
name = "mail"
label = "邮件"
kind = "email"
host = "127.0.0.1"
port = {port}
sender = "desk@gd.example"
{more}
"""
ROOM = """
[[channel]]
name = "room"
label = "工作群"
kind = "webhook"
url = "http://127.0.0.1:{port}"
unsafe_plain = true
template = "{template}"
token_file = "room.token"
secret_file = "room.secret"
timeout_s = 0.3
"""
SMS = """
[[channel]]
name = "sms"
label = "短信"
kind = "sms"
url = "http://127.0.0.1:{port}/gateway"
unsafe_plain = true
template = "{template}"
token_file = "room.token"
"""


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def http() -> Iterator[HttpServer]:
    with http_server() as server:
        yield server


def channels(folder: Path, text: str) -> Channels:
    (folder / "keys").mkdir(exist_ok=True)
    for name, secret in {"room.token": "t-1", "room.secret": "SEC1", "smtp.password": PASSWORD}.items():
        path = folder / "keys" / name
        path.write_text(secret + "\n")
        path.chmod(0o600)
    (folder / "channels.toml").write_text(text, encoding="utf-8")
    return Channels.load(folder)


def send(own: Channels, address: str = "") -> Reason | None:
    [channel] = own.all.values()
    return deliver(Word(channel, address, NOTICE), own, NOW)


def test_a_mail_carries_level_number_and_link(mail: MailServer, tmp_path: Path) -> None:
    """And nothing else; a machine is asked not to answer it."""
    own = channels(tmp_path, MAIL.format(port=mail.port, more="unsafe_plain = true"))

    assert send(own, "a0117@gd.example") is None
    [raw] = mail.received
    envelope, _, content = raw.partition(b"\r\nFrom:")
    message = message_from_bytes(b"From:" + content, policy=policy.default)
    assert b"TO:<a0117@gd.example>" in envelope
    assert message["Subject"] == "通报 【演练】特急 黔2026-000017-D 待签收"
    assert message.get_content().strip().removesuffix(".").strip() == f"{message['Subject']} {LINK}"
    assert message["Auto-Submitted"] == "auto-generated"


def test_mail_over_tls_is_sent_to_a_trusted_server_only(tmp_path: Path) -> None:
    """The authority is named in the settings; without it the server is a stranger."""
    authority = CertificateAuthority.create(tmp_path / "ca", now=datetime.now(UTC), name="Test")
    authority.issue_to(tmp_path / "server.pem", "mail", now=datetime.now(UTC), days=2, hosts=("127.0.0.1",))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    login = f'user = "{USER}"\npassword_file = "smtp.password"\n'
    with mail_server(context) as mail:
        trusting = login + f'ca_file = "{tmp_path / "ca.pem"}"'
        known = channels(tmp_path, MAIL.format(port=mail.port, more=trusting))
        assert send(known, "a@gd.example") is None
        stranger = channels(tmp_path, MAIL.format(port=mail.port, more=login))
        assert send(stranger, "a@gd.example") is Reason.TLS
        assert len(mail.received) == 1


def test_dingtalk_demands_a_signature(http: HttpServer, tmp_path: Path) -> None:
    """HMAC-SHA256 with the secret over timestamp and secret, as its documents say; the secret stays here."""
    own = channels(tmp_path, ROOM.format(port=http.port, template="dingtalk"))

    assert send(own) is None
    [(path, headers, body)] = http.received
    query = parse_qs(urlsplit(path).query)
    stamp = str(int(NOW.timestamp() * 1000))
    expected = base64.b64encode(hmac.digest(b"SEC1", f"{stamp}\nSEC1".encode(), hashlib.sha256)).decode()
    assert urlsplit(path).path == "/robot/send"
    assert query == {"access_token": ["t-1"], "timestamp": [stamp], "sign": [expected]}
    assert json.loads(body) == {"msgtype": "text", "text": {"content": NOTICE.text}}
    assert "SEC1" not in path + str(headers) + body.decode()


def test_wecom_knows_the_room_by_its_key(http: HttpServer, tmp_path: Path) -> None:
    """The same interface at whatever host the settings name."""
    own = channels(tmp_path, ROOM.format(port=http.port, template="wecom"))

    assert send(own) is None
    assert http.received[0][0] == "/cgi-bin/webhook/send?key=t-1"


def test_sms_goes_to_a_mobile(http: HttpServer, tmp_path: Path) -> None:
    """The token travels in the header, below the gateway's own path."""
    own = channels(tmp_path, SMS.format(port=http.port, template="sms"))

    assert send(own, "+8613800000000") is None
    [(path, headers, body)] = http.received
    assert (path, headers["Authorization"]) == ("/gateway/sms/send", "Bearer t-1")
    assert json.loads(body) == {"mobile": "+8613800000000", "content": NOTICE.text}


def test_a_provinces_own_template_goes_before_the_shipped_one(http: HttpServer, tmp_path: Path) -> None:
    """Another gateway is a file, not a program."""
    (tmp_path / "gateways").mkdir()
    own_template = 'path = "/v2"\nform = true\n[body]\nto = "{mobile}"\nsay = "{number}&x=1"\n'
    (tmp_path / "gateways" / "sms.toml").write_text(own_template, encoding="utf-8")
    own = channels(tmp_path, SMS.format(port=http.port, template="sms"))

    assert send(own, "13800000000") is None
    path, _, body = http.received[0]
    assert path == "/gateway/v2"
    assert parse_qs(body.decode()) == {"to": ["13800000000"], "say": ["黔2026-000017-D&x=1"]}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param((200, b'{"errcode": 0}'), None, id="taken"),
        pytest.param((200, b'{"errcode": 310000}'), Reason.REFUSED, id="an error in a good answer"),
        pytest.param((200, b"<html>"), Reason.REFUSED, id="an answer of something else"),
        pytest.param((500, b'{"errcode": 0}'), Reason.REFUSED, id="an error of the server"),
        pytest.param((302, b'{"errcode": 0}'), Reason.REFUSED, id="a redirect isn't followed"),
    ],
)
def test_what_counts_as_taken(
    http: HttpServer, tmp_path: Path, answer: tuple[int, bytes], expected: Reason | None
) -> None:
    """What the gateway's documents call success, and nothing else."""
    http.answer = answer

    assert send(channels(tmp_path, ROOM.format(port=http.port, template="wecom"))) is expected


def test_silence_is_a_failure_after_the_timeout(http: HttpServer, tmp_path: Path) -> None:
    """Nobody waits for ever."""
    http.silent = True

    assert send(channels(tmp_path, ROOM.format(port=http.port, template="wecom"))) is Reason.TIMEOUT


def test_a_port_where_nobody_listens(tmp_path: Path) -> None:
    """The reason says so."""
    with http_server() as gone:
        port = gone.port

    assert send(channels(tmp_path, ROOM.format(port=port, template="wecom"))) is Reason.CONNECTION


@pytest.mark.parametrize(
    ("more", "refuse", "expected"),
    [
        pytest.param(
            f'user = "{USER}"\npassword_file = "room.token"', False, Reason.LOGIN, id="a wrong password"
        ),
        pytest.param("", True, Reason.REFUSED, id="an address that nobody has"),
    ],
)
def test_what_a_mail_server_refuses(
    mail: MailServer, tmp_path: Path, more: str, refuse: bool, expected: Reason
) -> None:
    """The reason tells a wrong login from a wrong address."""
    mail.refuse = refuse
    own = channels(tmp_path, MAIL.format(port=mail.port, more=f"unsafe_plain = true\n{more}"))

    assert send(own, "a@gd.example") is expected


def test_a_secret_that_others_can_read_isnt_used(http: HttpServer, tmp_path: Path) -> None:
    """Nothing is sent, and the reason is the settings."""
    own = channels(tmp_path, ROOM.format(port=http.port, template="wecom"))
    (tmp_path / "keys" / "room.token").chmod(0o644)

    assert send(own) is Reason.SETTINGS
    assert http.received == []
