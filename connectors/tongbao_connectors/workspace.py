"""A workspace: one folder with a whole network for one machine, keys, certificates, settings and data.

    DIR/workspace.toml                 network, ports, provinces
    DIR/authority/                     certificate authority, root and directory keys, the signed documents
    DIR/broker/                        Kafka: certificate CN=000000, settings, data, log
    DIR/100000/                        the exchange: exchange.toml, keys, trust, database, log
    DIR/520000/ …                      a province: connector.toml, keys, trust, routing, roster, database …
                                       with a desk in the browser also desk.toml, accounts.toml,
                                       escalation.toml, channels.toml
    DIR/610000/ …                      a province with a system of its own (see `enrolment.external`)
    DIR/run/, DIR/log/                 the supervisor's lock, status and log
    DIR/kafka-1/ …, DIR/database/      where Kafka and PostgreSQL run in containers (see `stack`)

Rules:
1. `create` writes into a hidden folder beside the target and renames it: a workspace is whole or absent.
   Where the target holds empty folders (volumes of containers), they are filled, and workspace.toml comes
   last.
2. A participant's folder holds that participant's own private keys, and of everybody else's the public
   half.
3. Ports are free ones on the loopback address, chosen once and kept; taken ones are replaced at a start.
4. Private files have mode 0600, the workspace's folder 0700.
"""

import json
import random
import re
import shutil
import socket
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any

from tongbao_broker.errors import BadConfiguration, Conflict, NotFound
from tongbao_broker.trust.certificates import CertificateAuthority
from tongbao_broker.trust.keys import SigningKey, save_private
from tongbao_connectors import authority, stack
from tongbao_connectors.authority import ParticipantKeys, Posting
from tongbao_schemas.codes import EXCHANGE
from tongbao_schemas.envelope import Envelope

BROKER = "000000"
DEMO_NETWORK = "demo"
DEMO_PROVINCES = ("520000", "440000", "330000", "530000", "320000")
DEMO_DESKS = ("520000", "440000")
DEMO_POSTINGS = (Posting("黔-0301", home="520000", host="440000"),)
CERTIFICATE_DAYS = 365
LOOPBACK = "127.0.0.1"
BROKER_HOSTS = ("localhost", LOOPBACK)
PORTS = range(19092, 29092)  # below the range from which systems take ports for outgoing connections
SETTINGS = "workspace.toml"


class NoWorkspace(NotFound):
    """The folder is no workspace."""

    code = "OP-21"
    zh = "该文件夹不是通报工作区。"
    en = "This folder is no Tongbao workspace."
    next_zh = "用 tongbao init 目录 新建，或用 --dir 指定已有的工作区。"
    next_en = "Make one with: tongbao init DIR, or name an existing one with --dir."


class FolderTaken(Conflict):
    """Something else is in the folder already."""

    code = "OP-22"
    zh = "该文件夹已存在且不为空。"
    en = "This folder exists already and is not empty."
    next_zh = "换一个文件夹，或先自行移走其中的内容。"
    next_en = "Choose another folder, or move away yourself what is in it."


class NoSuchParticipant(NotFound):
    """The code is not one of this workspace's participants."""

    code = "OP-23"
    zh = "本工作区没有该单位。"
    en = "This workspace has no such participant."
    next_zh = "用 tongbao status 查看本工作区的单位。"
    next_en = "See this workspace's participants with: tongbao status."


class NoTemplate(NotFound):
    """Settings are shipped for some provinces only."""

    code = "OP-37"
    zh = "没有该省的设置样例。"
    en = "No sample settings are shipped for this province."
    next_zh = f"可用的省：{' '.join(DEMO_PROVINCES)}；其他省用 tongbao init --external 登记。"
    next_en = (
        f"There are some for {' '.join(DEMO_PROVINCES)}; enrol others with: tongbao init --external CODE"
    )


class NoConnector(NoSuchParticipant):
    """The participant is enrolled, but nothing of it runs here."""

    code = "OP-28"
    zh = "该单位使用自己的系统，本工作区没有它的接入端。"
    en = "This participant has a system of its own; its connector isn't in this workspace."
    next_zh = "在该单位自己的系统中操作；接入方法见 docs/integrate.md。"
    next_en = "Use the participant's own system; docs/integrate.md says how it takes part."


@dataclass(frozen=True)
class Plan:
    """What a new workspace is to hold.

    `brokers` are the names of Kafka's servers where they run in containers, and `database` is PostgreSQL's;
    without them one Kafka is started on this machine, and each participant has an SQLite file.
    """

    network: str = DEMO_NETWORK
    provinces: tuple[str, ...] = DEMO_PROVINCES
    brokers: tuple[str, ...] = ()
    database: str = ""


DEMO = Plan()


@dataclass(frozen=True)
class Workspace:
    """What workspace.toml says, and where things lie.

    `provinces` have a connector here; `external` ones have a system of their own. `desks` are the ports on
    which provinces serve their officers' pages. `brokers` are the names of servers that run in containers.
    """

    folder: Path
    network: str
    broker_port: int
    controller_port: int
    provinces: tuple[str, ...]
    external: tuple[str, ...] = ()
    desks: Mapping[str, int] = field(default_factory=dict)
    brokers: tuple[str, ...] = ()

    @property
    def bootstrap(self) -> str:
        """The brokers' addresses."""
        return ",".join(f"{host}:{self.broker_port}" for host in self.brokers or (LOOPBACK,))

    def desk_address(self, code: str) -> str:
        """Where a browser on this machine finds the province's desk."""
        return f"http://{LOOPBACK}:{self.desks[code]}/"

    @property
    def authority(self) -> Path:
        return self.folder / "authority"

    @property
    def broker(self) -> Path:
        return self.folder / "broker"

    @property
    def exchange(self) -> Path:
        return self.folder / EXCHANGE

    @property
    def participants(self) -> tuple[str, ...]:
        """The exchange and all provinces, external ones too."""
        return (EXCHANGE, *self.provinces, *self.external)

    def participant(self, code: str) -> Path:
        """The folder of the exchange or of a province. Raises NoSuchParticipant."""
        if code not in self.participants:
            raise NoSuchParticipant(code)
        return self.folder / code

    def province(self, code: str) -> Path:
        """The folder of a province with a connector. Raises NoSuchParticipant, for the exchange too, or
        NoConnector.
        """
        if code in self.external:
            raise NoConnector(code)
        if code not in self.provinces:
            raise NoSuchParticipant(code)
        return self.folder / code


def exists(folder: Path) -> bool:
    """True when the folder is a workspace."""
    return (folder / SETTINGS).is_file()


def load(folder: Path) -> Workspace:
    """The workspace in `folder`. Raises NoWorkspace, BadConfiguration."""
    folder = folder.absolute()
    try:
        facts = tomllib.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NoWorkspace(str(folder)) from None
    except (OSError, ValueError) as error:
        raise BadConfiguration(f"{folder / SETTINGS}: {type(error).__name__}") from error
    try:
        kafka = facts["kafka"]
        return Workspace(
            folder=folder,
            network=str(facts["network"]),
            broker_port=int(kafka["broker_port"]),
            controller_port=int(kafka["controller_port"]),
            provinces=tuple(str(code) for code in facts["provinces"]),
            external=tuple(str(code) for code in facts.get("external", ())),
            desks={str(code): int(port) for code, port in facts.get("desks", {}).items()},
            brokers=tuple(str(host) for host in kafka.get("brokers", ())),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadConfiguration(f"{folder / SETTINGS}: {error}") from error


def create(folder: Path, now: datetime, plan: Plan = DEMO) -> Workspace:
    """Makes a workspace in `folder`, which must be absent, empty, or hold empty folders only.

    Raises FolderTaken, NoTemplate.
    """
    folder = folder.absolute()
    if unknown := sorted({*plan.provinces} - {*DEMO_PROVINCES}):
        raise NoTemplate(unknown[0])
    if folder.exists() and (not folder.is_dir() or any(not path.is_dir() for path in folder.rglob("*"))):
        raise FolderTaken(str(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    prepared = folder.exists() and any(folder.iterdir())
    beside = None if prepared else folder.parent
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=beside))
    try:
        _fill(draft, folder, now, plan)
        if prepared:
            _lay_into(draft, folder)
        else:
            draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return load(folder)


def _lay_into(draft: Path, folder: Path) -> None:
    """Fills folders that are there already and can't be renamed, workspace.toml last."""
    settings = (draft / SETTINGS).read_text(encoding="utf-8")
    (draft / SETTINGS).unlink()
    shutil.copytree(draft, folder, dirs_exist_ok=True)
    write_whole(folder / SETTINGS, settings)
    shutil.rmtree(draft)


def settle_ports(workspace: Workspace) -> Workspace:
    """The workspace with ports that are free now: the kept ones, or new ones where they have been taken.

    To be called before the broker starts. Other settings stay as they are.
    """
    ports: tuple[int, ...] = (workspace.broker_port, workspace.controller_port)
    if not all(_is_free(port) for port in ports):
        ports = free_ports(len(ports))
    desks = {code: port if _is_free(port) else free_ports(1)[0] for code, port in workspace.desks.items()}
    settled = replace(workspace, broker_port=ports[0], controller_port=ports[1], desks=desks)
    _point_to(settled.exchange / "exchange.toml", settled.bootstrap)
    for code in settled.provinces:
        _point_to(settled.participant(code) / "connector.toml", settled.bootstrap)
    for code, port in settled.desks.items():
        _replace(settled.participant(code) / "desk.toml", r"(?m)^port = .*$", f"port = {port}")
    for code in settled.external:
        _point_to(settled.participant(code) / "participant.toml", settled.bootstrap)
        _point_to(settled.participant(code) / "client.properties", settled.bootstrap)
    _write_settings(settled)
    return settled


def with_external(workspace: Workspace, code: str) -> Workspace:
    """The workspace with one more external province, whose folder is there already; written down."""
    enlarged = replace(workspace, external=(*workspace.external, code))
    _write_settings(enlarged)
    return enlarged


def free_ports(count: int) -> tuple[int, ...]:
    """Ports of the loopback address that nobody listens on."""
    candidates = random.sample(PORTS, len(PORTS))
    return tuple(islice((port for port in candidates if _is_free(port)), count))


def template(code: str, name: str) -> str:
    """One of the demo's settings files of a province (routing.toml, roster.toml …), as shipped."""
    file = resources.files("tongbao_connectors.demo") / "provinces" / code / name
    return file.read_text(encoding="utf-8")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _fill(folder: Path, home: Path, now: datetime, plan: Plan) -> None:
    """Writes everything into `folder`, which will be `home`."""
    name = f"Tongbao {plan.network} CA"
    ca = CertificateAuthority.create(_made(folder / "authority" / "ca"), now=now, name=name)
    keys = {code: ParticipantKeys.generate(code) for code in (EXCHANGE, *plan.provinces)}
    root, directory = _write_documents(folder / "authority", plan, keys, now)
    trust = json.dumps({"roots": [root.as_json()], "directory": directory.as_json()})
    (folder / "authority" / "trust.json").write_text(trust, encoding="ascii")
    broker = _made(folder / "broker") / "tls.pem"
    ca.issue_to(broker, BROKER, now=now, days=CERTIFICATE_DAYS, hosts=BROKER_HOSTS)
    for code, own in keys.items():
        place = _made(folder / code)
        ca.issue_to(place / "tls.pem", code, now=now, days=CERTIFICATE_DAYS)
        write_keys(place / "keys", own)
        (place / "trust.json").write_text(trust, encoding="ascii")
        (place / "pinned-root.json").write_text(json.dumps(root.as_json()), encoding="ascii")
    if plan.brokers:
        stack.make_brokers(folder, plan.brokers, ca, BROKER, now, CERTIFICATE_DAYS)
    if plan.database:
        stack.make_database(folder, plan.database, keys, ca, now, CERTIFICATE_DAYS)
    _write_all_settings(_planned(folder, plan), home, plan)


def _planned(folder: Path, plan: Plan) -> Workspace:
    """The workspace with its ports: in containers they are the same everywhere."""
    if plan.brokers:
        ports = (stack.BROKER_PORT, stack.CONTROLLER_PORT)
        return Workspace(folder, plan.network, *ports, plan.provinces, brokers=plan.brokers)
    with_desk = [code for code in DEMO_DESKS if code in plan.provinces]
    free = free_ports(2 + len(with_desk))
    desks = dict(zip(with_desk, free[2:], strict=True))
    return Workspace(folder, plan.network, free[0], free[1], plan.provinces, desks=desks)


def _write_all_settings(workspace: Workspace, home: Path, plan: Plan) -> None:
    kafka = {"kafka": {"bootstrap": workspace.bootstrap}}
    facts = {"network": plan.network, **_database(plan, EXCHANGE, home)}
    write_toml(workspace.exchange / "exchange.toml", facts, kafka)
    for code in plan.provinces:
        place = workspace.folder / code
        facts = {"code": code, "network": plan.network, **_database(plan, code, home)}
        write_toml(place / "connector.toml", facts, kafka)
        _copy_templates(place, code, "routing.toml", "roster.toml")
        if code in DEMO_DESKS:
            _write_desk(workspace, code)
    _write_settings(workspace)


def _database(plan: Plan, code: str, home: Path) -> dict[str, str]:
    """Where a participant's database is, unless it is the file in its folder."""
    return {"database_url": stack.database_url(plan.database, code, home / code)} if plan.database else {}


def _write_desk(workspace: Workspace, code: str) -> None:
    """A desk in a container listens on all its addresses: what reaches it is said outside."""
    place, demo = workspace.folder / code, workspace.network == DEMO_NETWORK
    port = workspace.desks.get(code)
    where = {"host": stack.EVERYWHERE, "port": stack.DESK_PORT} if port is None else {"port": port}
    write_toml(place / "desk.toml", where | ({"second_factor": "off"} if demo else {}), {})
    _copy_templates(place, code, "escalation.toml", "channels.toml", *(["accounts.toml"] if demo else []))


def _copy_templates(place: Path, code: str, *names: str) -> None:
    for name in names:
        (place / name).write_text(template(code, name), encoding="utf-8")


def _write_documents(
    folder: Path, plan: Plan, keys: dict[str, ParticipantKeys], now: datetime
) -> tuple[Envelope, Envelope]:
    root_keys = _kept_keys(folder / "root-keys", "root", authority.ROOT_KEYS)
    directory_keys = _kept_keys(folder / "directory-keys", "directory", authority.DIRECTORY_KEYS)
    postings = [each for each in DEMO_POSTINGS if {each.home, each.host} <= keys.keys()]
    root = authority.root_document(plan.network, root_keys, directory_keys, now)
    directory = authority.directory_document(plan.network, keys, postings, directory_keys, now)
    (folder / "root.json").write_text(json.dumps(root.as_json()), encoding="ascii")
    (folder / "directory.json").write_text(json.dumps(directory.as_json()), encoding="ascii")
    return root, directory


def _kept_keys(folder: Path, name: str, count: int) -> list[SigningKey]:
    keys = authority.generate_keys(count)
    for number, key in enumerate(keys, start=1):
        save_private(_made(folder) / f"{name}.{number}.pem", key)
    return keys


def write_keys(folder: Path, keys: ParticipantKeys) -> None:
    """A participant's private keys, each in a file that its owner only may read."""
    save_private(_made(folder) / "message.pem", keys.message)
    if keys.checkpoint is not None:
        save_private(folder / "checkpoint.pem", keys.checkpoint)
    if keys.seal is not None:
        save_private(_made(folder / "seal") / f"{keys.seal.kid[:16]}.pem", keys.seal)


def _write_settings(workspace: Workspace) -> None:
    kafka: dict[str, Any] = {
        "broker_port": workspace.broker_port,
        "controller_port": workspace.controller_port,
    }
    if workspace.brokers:
        kafka["brokers"] = list(workspace.brokers)
    facts: dict[str, Any] = {"network": workspace.network, "provinces": list(workspace.provinces)}
    if workspace.external:
        facts["external"] = list(workspace.external)
    tables: dict[str, dict[str, Any]] = {"kafka": kafka}
    if workspace.desks:
        tables["desks"] = dict(workspace.desks)
    write_toml(workspace.folder / SETTINGS, facts, tables)


def _point_to(path: Path, bootstrap: str) -> None:
    """Puts the broker's address into a participant's settings and leaves the rest of the file alone."""
    _replace(path, r"(?m)^bootstrap = .*$", f'bootstrap = "{bootstrap}"')
    _replace(path, r"(?m)^bootstrap\.servers=.*$", f"bootstrap.servers={bootstrap}")


def _replace(path: Path, pattern: str, line: str) -> None:
    """Puts another line where the pattern finds one, and leaves the rest of the file alone."""
    before = path.read_text(encoding="utf-8")
    after = re.sub(pattern, line, before)
    if after != before:
        write_whole(path, after)


def write_toml(path: Path, facts: dict[str, Any], tables: dict[str, dict[str, Any]]) -> None:
    """A settings file. Texts, numbers and lists of texts: their JSON is TOML too."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in facts.items()]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    write_whole(path, "\n".join(lines) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Replaces a file at once, so that a reader sees the old one or the new one."""
    draft = path.with_suffix(".new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
