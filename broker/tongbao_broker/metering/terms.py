"""When what a participant goes by ends: its certificate, its keys, the directory, the root."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from prometheus_client.metrics_core import Metric

from tongbao_broker.errors import BadConfiguration
from tongbao_broker.metering.registry import gauge
from tongbao_broker.trust.certificates import read_certificate
from tongbao_broker.trust.directory import Trust


def terms(folder: Path, trust: Trust, keys: Mapping[str, str]) -> list[Metric]:
    """The ends as times, and the directory's version; `keys` maps a use to the kid that is in use.

    A key that the directory doesn't list has ended at 0, a certificate that can't be read too.
    """
    listed = {use: trust.directory.key(kid) for use, kid in keys.items()}
    ends = {f"{use}_key": _seconds(key.valid_until if key else None) for use, key in listed.items()}
    ends["certificate"] = _seconds(_certificate(folder))
    ends["directory"] = _seconds(trust.directory.document.expires_at)
    ends["root"] = _seconds(trust.root.expires_at)
    return [
        gauge("tongbao_ends_timestamp_seconds", "When this ends (Unix time)", ends, ["what"]),
        gauge("tongbao_directory_version", "Version of the directory in force", trust.directory.version),
    ]


def _certificate(folder: Path) -> datetime | None:
    with suppress(OSError, BadConfiguration):
        facts = read_certificate((folder / "tls.pem").read_bytes(), (folder / "ca.pem").read_bytes())
        return facts.valid_until
    return None


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0.0
