"""What a province's desk is told in `desk.toml`; every setting has a safe value where the file is silent."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from tongbao_broker.errors import BadConfiguration, Words
from tongbao_connectors.roster import Setting, read_settings, read_text

FILE = "desk.toml"
DEMO_NETWORK = "demo"


class DeskFile(Setting):
    """The keys of `desk.toml`."""

    host: Annotated[str, Field(description="address to listen on")] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535, description="port to listen on", examples=[8443])] = 8443
    hosts: Annotated[
        tuple[str, ...],
        Field(description="names that browsers may call the desk by", examples=[("desk.gd.example",)]),
    ] = ("127.0.0.1", "localhost")
    https: Annotated[bool, Field(description="a proxy in front speaks TLS and sets X-Forwarded-Proto")] = (
        False
    )
    proxies: Annotated[
        tuple[str, ...], Field(description="addresses of proxies whose headers are believed")
    ] = ()
    certificate_header: Annotated[
        str,
        Field(
            pattern=r"^([A-Za-z][A-Za-z0-9-]{0,60})?$",
            description="header in which such a proxy names the client certificate's SHA-256; empty: none",
            examples=["X-Client-Cert-Sha256"],
        ),
    ] = ""
    second_factor: Annotated[
        Literal["required", "off"], Field(description="off is obeyed in the demo network only")
    ] = "required"
    idle_minutes: Annotated[int, Field(ge=1, le=60, description="minutes without a page until logout")] = 15
    session_hours: Annotated[int, Field(ge=1, le=24, description="hours after which a login ends")] = 12
    drafts_kept_days: Annotated[
        int, Field(ge=1, le=365, description="days after which the text of an untouched draft is cleared")
    ] = 30


def load(folder: Path, network: str) -> DeskFile:
    """Reads the province's `desk.toml`; raises BadConfiguration."""
    path = folder / FILE
    file = read_settings(DeskFile, read_text(path), FILE) if path.exists() else DeskFile()
    if file.second_factor == "off" and network != DEMO_NETWORK:
        raise BadConfiguration(
            Words(
                "desk.toml：只有 demo 网络可以关闭第二因素",
                "desk.toml: the second factor can be off in the demo network only",
            )
        )
    if file.certificate_header and not file.proxies:
        raise BadConfiguration(
            Words(
                "desk.toml：certificate_header 需要在 proxies 中写明代理地址",
                "desk.toml: certificate_header needs the proxy's address in proxies",
            )
        )
    return file
