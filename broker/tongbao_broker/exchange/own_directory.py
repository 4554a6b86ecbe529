"""The exchange's own `trust.json`: read and verified at the start, and again whenever the file changes.

1. At the start a file that doesn't verify ends the process. Later it changes nothing but is reported: the
   directory in force stays in force until it expires.
2. The highest versions of root and directory seen are remembered; an older one is a rollback, and so is
   another directory of the same version.
3. An expired directory is read all the same, since a stream that must wait has to know for what.
"""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tongbao_broker.errors import BadConfiguration
from tongbao_broker.trust.directory import Trust, TrustFile, load_trust, parse_root_file, parse_trust_file
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

__all__ = ["OwnDirectory", "refusal_text"]


@dataclass(slots=True)
class OwnDirectory:
    """The trust file at `path`, under the root pinned at `pinned_root`."""

    path: Path
    pinned_root: Path
    network: str
    known: tuple[int, str] = (0, "")
    """Version and digest of the newest directory that was ever in force."""
    _read_from: tuple[int, int, int] = (0, 0, 0)
    _trust: Trust | None = None
    _file: TrustFile = field(init=False)

    @property
    def trust(self) -> Trust:
        """What is in force; `load` must have been called."""
        if self._trust is None:
            raise BadConfiguration(f"{self.path.name} was never read")
        return self._trust

    @property
    def value(self) -> bytes:
        """What is published of it: the verified envelopes in our spelling."""
        return self._file.encode()

    def load(self, now: datetime) -> Trust:
        """Reads and verifies the file. Raises Refused, or BadConfiguration where it can't be read."""
        self._read_from = self._state()
        file = parse_trust_file(self._bytes(self.path))
        before = self._trust
        trust = load_trust(
            file,
            parse_root_file(self._bytes(self.pinned_root)),
            network=self.network,
            now=now,
            minimum_root=before.root.version if before else 0,
            minimum_version=self.known[0],
            allow_expired=True,
        )
        found = (trust.directory.version, trust.directory.digest)
        if found[0] == self.known[0] and found != self.known:
            raise Refused(Code.DOCUMENT_ROLLED_BACK, "directory.version")
        self.known, self._trust, self._file = found, trust, file
        return trust

    def changed(self) -> bool:
        """Whether the file is another one than `load` read last."""
        return self._state() != self._read_from

    def _state(self) -> tuple[int, int, int]:
        try:
            facts = self.path.stat()
        except OSError:
            return (0, 0, 0)
        return (facts.st_ino, facts.st_size, facts.st_mtime_ns)

    @staticmethod
    def _bytes(path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise BadConfiguration(f"{path.name}: {error.strerror}") from None


def refusal_text(error: Refused | BadConfiguration) -> str:
    """What an incident says about a trust file that was not taken over."""
    return f"{error.code} {error.where if isinstance(error, Refused) else error.detail}".strip()
