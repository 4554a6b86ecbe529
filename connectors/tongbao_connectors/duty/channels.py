"""How officers hear of an alert besides the desk: the channels in a province's `channels.toml`.

1. The desk's own badge is always on and needs no setting. Other channels are `email`, `webhook` (a room of a
   messenger) and `sms` (over HTTP).
2. A secret stands in a file of its own under `keys/`, which its owner alone may read; `channels.toml` names
   the file. Secrets reach neither database nor log.
3. An exercise goes out on a channel only if that is marked `exercise`, a test if it is marked `test`; so does
   everything in a network that is for exercises or tests.
4. `quiet` holds words back until the hours are over, except those of 特急.
5. `units` limits a channel to what lies in these units.
6. What an HTTP gateway wants is data: a template that is shipped (`dingtalk`, `wecom`, `sms`), or one in
   `gateways/` of the province's folder.
7. TLS is the rule. Without it a channel must say so by a name that tells what it is: `unsafe_plain`.
"""

import stat
from collections.abc import Mapping
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AnyHttpUrl, Field, model_validator

from tongbao_broker.errors import BadConfiguration, Words
from tongbao_connectors.duty_time import BEIJING, Hours
from tongbao_connectors.roster import Setting, UnitCode, Window, read_settings, read_text
from tongbao_schemas.codes import Status, Urgency
from tongbao_schemas.fields import OfficerRef

FILE = "channels.toml"
WEB = "web"
LOOPBACK = "127.0.0.1"

ChannelName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,31}$", examples=["mail"])]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$", examples=["smtp.password"])]
Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9.:\[\]-]{1,253}$")]


class _Channel(Setting):
    """What all channels have in common."""

    name: ChannelName
    label: Annotated[str, Field(min_length=1, max_length=20, examples=["邮件"])]
    exercise: bool = False
    test: bool = False
    units: tuple[UnitCode, ...] = ()
    quiet: Window | None = None
    timeout_s: Annotated[float, Field(gt=0, le=5, description="seconds until a try counts as failed")] = 5
    ca_file: Annotated[Path | None, Field(description="who vouches for the server, PEM")] = None
    unsafe_plain: Annotated[bool, Field(description="no TLS: whoever listens reads along")] = False

    def takes(self, status: str, unit: str) -> bool:
        """Whether words about this go out here."""
        marked = {Status.ACTUAL: True, Status.EXERCISE: self.exercise, Status.TEST: self.test}
        return marked[Status(status)] and (not self.units or unit in self.units)

    def held_until(self, urgency: str, at: datetime) -> datetime:
        """When a word may go out: now, or after the quiet hours."""
        if self.quiet is None or urgency == Urgency.FLASH:
            return at
        hours = Hours.parse(self.quiet)
        if not hours.contain(at):
            return at
        local = at.astimezone(BEIJING)
        minute = local.hour * 60 + local.minute
        ahead = (hours.end - minute) % (24 * 60) or 24 * 60
        return local.replace(second=0, microsecond=0) + timedelta(minutes=ahead)


class Email(_Channel):
    """E-mail over SMTP, to each officer's address."""

    kind: Literal["email"]
    host: Host
    port: Annotated[int, Field(ge=1, le=65535)] = 465
    tls: Literal["tls", "starttls"] = "tls"
    user: Annotated[str, Field(max_length=100)] = ""
    password_file: FileName | None = None
    sender: Annotated[str, Field(pattern=r"^[^@\s<>]{1,64}@[^@\s<>]{1,190}$")]


class _Http(_Channel):
    """A gateway that takes an HTTP POST."""

    url: AnyHttpUrl
    template: ChannelName
    token_file: FileName | None = None
    secret_file: FileName | None = None

    @model_validator(mode="after")
    def uses_tls(self) -> "_Http":
        """https, or said to be without."""
        if self.url.scheme != "https" and not self.unsafe_plain:
            raise ValueError("url is http: use https, or say unsafe_plain = true")
        return self


class Webhook(_Http):
    """A room of a messenger; everybody in it reads the word."""

    kind: Literal["webhook"]


class Sms(_Http):
    """Text messages, to each officer's mobile."""

    kind: Literal["sms"]


Channel = Email | Webhook | Sms


class Recipient(Setting):
    """Where an officer is reached."""

    officer: OfficerRef
    email: Annotated[str, Field(pattern=r"^[^@\s<>]{1,64}@[^@\s<>]{1,190}$")] | None = None
    mobile: Annotated[str, Field(pattern=r"^\+?[0-9]{5,15}$")] | None = None


class ChannelsFile(Setting):
    """The tables of `channels.toml`."""

    desk_url: Annotated[str, Field(description="where links lead; empty: the address in desk.toml")] = ""
    window_s: Annotated[
        int, Field(ge=0, le=3600, description="seconds in which a recipient hears of an alert once a channel")
    ] = 240
    channel: tuple[Annotated[Channel, Field(discriminator="kind")], ...] = ()
    recipient: tuple[Recipient, ...] = ()

    @model_validator(mode="after")
    def names_differ(self) -> "ChannelsFile":
        """A name means one channel, and `web` is the desk's."""
        names = [WEB, *(channel.name for channel in self.channel)]
        if len(set(names)) != len(names):
            raise ValueError("two channels have the same name")
        return self


class Signing(Setting):
    """HMAC-SHA256 with this key over this text, base64: what `{sign}` stands for."""

    key: str
    text: str


class Good(Setting):
    """How the answer says that the word was taken: this field of its JSON has this value."""

    field: str
    value: int | str | bool


class Gateway(Setting):
    """What an HTTP gateway wants. Texts may hold {text} {level} {number} {link} {mobile} {token} {sign}
    {timestamp_ms} {timestamp_s}; {secret} only where something is signed.
    """

    path: Annotated[str, Field(pattern=r"^/[A-Za-z0-9/_.-]*$")]
    query: Mapping[str, str] = Field(default_factory=dict)
    headers: Mapping[str, str] = Field(default_factory=dict)
    sign: Signing | None = None
    form: bool = False
    body: dict[str, Any]
    good: Good | None = None


class Channels:
    """The channels of one province."""

    def __init__(self, folder: Path, file: ChannelsFile) -> None:
        self.folder = folder
        self.desk_url = file.desk_url.rstrip("/")
        self.window = timedelta(seconds=file.window_s)
        self.all = {channel.name: channel for channel in file.channel}
        self._recipients = {recipient.officer: recipient for recipient in file.recipient}

    @classmethod
    def load(cls, folder: Path) -> "Channels":
        """What the folder's `channels.toml` says, nothing where there is none; raises BadConfiguration."""
        path = folder / FILE
        file = read_settings(ChannelsFile, read_text(path), FILE) if path.exists() else ChannelsFile()
        channels = cls(folder, file)
        for channel in file.channel:
            if isinstance(channel, _Http):
                channels.gateway(channel)
        return channels

    @classmethod
    def none(cls, folder: Path) -> "Channels":
        """No channel besides the desk."""
        return cls(folder, ChannelsFile())

    def label(self, name: str) -> str:
        """What people call a channel."""
        return self.all[name].label if name in self.all else name

    def address(self, channel: Channel, officer_ref: str) -> str | None:
        """Where the channel reaches an officer: empty for a room, None where nothing is known."""
        if isinstance(channel, Webhook):
            return ""
        known = self._recipients.get(officer_ref)
        if known is None:
            return None
        return known.email if isinstance(channel, Email) else known.mobile

    def secret(self, name: str | None) -> str:
        """The one line in a file under `keys/`; empty without a name. Raises BadConfiguration."""
        if name is None:
            return ""
        path = self.folder / "keys" / name
        try:
            if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise BadConfiguration(
                    Words(f"keys/{name} 只应由所有者读取", f"keys/{name} must be readable by its owner only")
                )
            return path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BadConfiguration(f"keys/{name}: {error.strerror}") from None

    def gateway(self, channel: Webhook | Sms) -> Gateway:
        """The template a channel goes by: the province's own, else a shipped one; raises BadConfiguration."""
        name = f"{channel.template}.toml"
        own = self.folder / "gateways" / name
        shipped = resources.files("tongbao_connectors.duty") / "gateways" / name
        if own.exists():
            return read_settings(Gateway, read_text(own), f"gateways/{name}")
        if not shipped.is_file():
            raise BadConfiguration(
                Words(f"没有名为 {channel.template} 的模板", f"there is no template {channel.template}")
            )
        return read_settings(Gateway, shipped.read_text(encoding="utf-8"), name)
