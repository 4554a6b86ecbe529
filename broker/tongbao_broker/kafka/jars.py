"""The jars that an Apache Kafka server needs, each pinned by its SHA-256, and how they get here.

1. A jar whose digest differs from the table is never run: it is deleted and fetched once more, and if it
   still differs that is an error.
2. What is in the cache and right isn't fetched again, so a second start needs no network. Digests are
   compared at every start, since a download that was cut short leaves a file behind.
3. One process at a time fills a cache; others wait for it.
4. The table is Kafka's own dependencies as published, and the simplest of the loggers, without which the
   server is mute.
"""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tongbao_broker.errors import BadConfiguration, Unreachable, Words

KAFKA_VERSION = "4.3.1"
CACHE_VARIABLE = "TONGBAO_CACHE"
TIMEOUT_S = 60

Progress = Callable[[int, int, str], None]
"""Called with how many jars are in place, how many there are, and the name of the newest."""


@dataclass(frozen=True)
class Jar:
    """One file of a Maven repository; `sha256` is hex."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"

    def path(self, cache: Path) -> Path:
        """Where the jar lies below `cache`, in Maven's layout."""
        return cache.joinpath(*self.group.split("."), self.artifact, self.version, self.name)

    def is_right(self, cache: Path) -> bool:
        """True when the cached file is there and has the pinned digest."""
        try:
            with self.path(cache).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == self.sha256
        except OSError:
            return False


def default_cache() -> Path:
    """`$TONGBAO_CACHE`, else `tongbao/jars` in the user's cache folder."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "tongbao" / "jars"


def class_path(cache: Path) -> str:
    """All jars, as Java wants them."""
    return os.pathsep.join(str(jar.path(cache)) for jar in JARS)


def fetch(cache: Path, progress: Progress = lambda done, total, name: None) -> None:
    """Puts every jar of the table into `cache`.

    Raises Unreachable when the network is needed and fails, BadConfiguration when a jar stays wrong.
    """
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache):
        for done, jar in enumerate(JARS, start=1):
            if not jar.is_right(cache):
                _fetch_again(jar, cache)
            progress(done, len(JARS), jar.name)


def _fetch_again(jar: Jar, cache: Path) -> None:
    for _attempt in (1, 2):
        jar.path(cache).unlink(missing_ok=True)
        _download(jar, cache)
        if jar.is_right(cache):
            return
    jar.path(cache).unlink(missing_ok=True)
    raise BadConfiguration(
        Words(f"{jar.name} 与固定的摘要不符", f"{jar.name} isn't the file that was pinned"),
        Words("不要使用本网络的软件仓库。", "Don't use this network's repository."),
    )


def _download(jar: Jar, cache: Path) -> None:
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=cache, timeout=TIMEOUT_S)
    try:
        context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
    except Exception as error:  # jgo raises whatever its HTTP client and its checks raise
        jar.path(cache).unlink(missing_ok=True)
        advice = Words(
            f"联网一次，或将已下载的缓存复制到 {cache}。",
            f"Connect to the network once, or copy a filled cache to {cache}.",
        )
        raise Unreachable(f"{jar.name}: {type(error).__name__}", advice) from error


@contextmanager
def _locked(cache: Path) -> Iterator[None]:
    with (cache / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _table(text: str) -> Iterator[Jar]:
    group = ""
    for line in text.splitlines():
        if line.startswith(" "):
            artifact, version, sha256 = line.split()
            yield Jar(group, artifact, version, sha256)
        else:
            group = line


JARS = tuple(
    _table(
        """\
at.yawk.lz4
    lz4-java 1.10.2 252dabd586d22149a31661a8afc1a50747714eb1a298bd4a6e780c8c91a13866
com.dynatrace.hash4j
    hash4j 0.22.0 23028a3fd006e530bf495f551083208187cafd8f80624d048eba56442f16a50e
com.fasterxml.jackson.core
    jackson-annotations 2.21 53ca085f4a150f703f49e1aabd935bd03b43e1ea3d55d135438292af22cef56b
    jackson-core 2.21.2 12e8655b100267b44d0f14d01b1f5082a5105e616174dc4307be1a761e92407b
    jackson-databind 2.21.2 8c982f01f148d805f0aaac2339011244757e0df7c6ff8951f2fa3f433b8ed849
com.fasterxml.jackson.dataformat
    jackson-dataformat-csv 2.21.2 682f8c7977e02a42748426bf54946e32e52e2f80b84b6642801ab12bd541368a
    jackson-dataformat-yaml 2.21.2 d25551812fa0c14f37cabaa9401e63eadcea42ce36311183af5622d5bc8a1bc7
com.fasterxml.jackson.datatype
    jackson-datatype-jdk8 2.21.2 e581bbf3fc5622d16b57366dd41e10fc56921fb202879de2ef487f87dd9b30e7
com.github.ben-manes.caffeine
    caffeine 3.2.0 ec411dfdf0c03f25218648ce89861630b71680e5858a9a7278ebac8e55cab3d7
com.github.luben
    zstd-jni 1.5.6-10 b6c3237e24b8252a5a9c3a0e1ae30ef8f323412e74bd358548b7a9e527d676df
com.google.re2j
    re2j 1.8 7b52c72156dd7f98b3237a5b35c1d34fba381b21048c89208913ad80a45dfbd7
com.typesafe.scala-logging
    scala-logging_2.13 3.9.6 0ad0c3f4d89d538b3b6c300158555e266aa69cf1b5f6522aba8b5bad238eb994
com.yammer.metrics
    metrics-core 2.2.0 6b7a14a6f34c10f8683f7b5e2f39df0f07b58c7dff0e468ebbc713905c46979c
commons-beanutils
    commons-beanutils 1.11.0 9e44ba68ec9a3f21286fa2a8bbb003b735c0f69101bb43144b79f4f8aaa74709
commons-collections
    commons-collections 3.2.2 eeeae917917144a68a741d4c0dff66aa5c5c5fd85593ff217bced3fc8ca783b8
commons-digester
    commons-digester 2.1 e0b2b980a84fc6533c5ce291f1917b32c507f62bcad64198fff44368c2196a3d
commons-logging
    commons-logging 1.3.5 6d7a744e4027649fbb50895df9497d109f98c766a637062fe8d2eabbb3140ba4
commons-validator
    commons-validator 1.10.1 ed74711a78d793ca37f6075e4a1e93d107233dfd20d0bb17e32bad88d38e56aa
net.sf.jopt-simple
    jopt-simple 5.0.4 df26cc58f235f477db07f753ba5a3ab243ebe5789d9f89ecf68dd62ea9a66c28
net.sourceforge.argparse4j
    argparse4j 0.7.0 65ceb669d88f63306c680f8088bbf765bbca72d288a61a03703000076c3d3f56
org.apache.kafka
    kafka-clients 4.3.1 52501b7b47510c66f898871adaf6d2968ab7246561d44ced43643a8a587f0b36
    kafka-coordinator-common 4.3.1 66a86b8c89718216ffa72fe4e44b9d1bdf3472e4cb9200c36a0742a25febbdba
    kafka-group-coordinator 4.3.1 4ab56d002e1624185c874199e9e0ffb243dbeb9f68b4d0cadf48ce2f617a1126
    kafka-group-coordinator-api 4.3.1 d81bc1a3739ff6c9b21815baae00022306342a16d3d94e6a2621201b9980a30d
    kafka-metadata 4.3.1 4d73a96c6474a4ebdd67a1cee14da1a94cfd6bb9e6e252685ba5667d8ab7f898
    kafka-raft 4.3.1 46abbf89806dd22d848e997cdfb1431524cab4ec88e38a7d2806e20b24a70609
    kafka-server 4.3.1 01d736599ec3b0cdbb0480c15219170b28cdae189785e7f0c6f1f26e528eaebc
    kafka-server-common 4.3.1 d7c719f749579a399011f0df7414de8a78f10f074a6122caa550fdb141351575
    kafka-share-coordinator 4.3.1 8ceeed7346127e652ea5c650b217890aaff14919f967d27fadce420745bd3066
    kafka-storage 4.3.1 97e3facddd2914a58f28ec91ef35f8da69963eab3651196e97f487924f6dac98
    kafka-storage-api 4.3.1 bc2b22639fa554494461d101d599e01bae840d97c4f46e18fdf3d2fe41a47098
    kafka-tools-api 4.3.1 dcf6785742e0c8ab11a0fc09c62f1192e11e997dc629669a8db82aa40d933c31
    kafka-transaction-coordinator 4.3.1 c64aaa2a88d8fd382c4800204872917686e542043c7916c9e8797d939d8eb313
    kafka_2.13 4.3.1 b098abef5ff878e76f60cd6c559b9baa5663ccb1b55f2837558b22c329d32423
org.apache.logging.log4j
    log4j-api 2.25.4 c4b642a7f047275215de117e0e3847eb2c7711d84a0aa7433e7b3c096daf341d
    log4j-core 2.25.4 10fee2c0485d54fa44ee75d314f6295508f7b932281873db61a91b88073200e6
org.bitbucket.b_c
    jose4j 0.9.6 7314af50cde9c99e8eaf43eee617a23edcc6bb43036221064355094999d837ef
org.hdrhistogram
    HdrHistogram 2.2.2 22d1d4316c4ec13a68b559e98c8256d69071593731da96136640f864fa14fad8
org.jspecify
    jspecify 1.0.0 1fad6e6be7557781e4d33729d49ae1cdc8fdda6fe477bb0cc68ce351eafdfbab
org.pcollections
    pcollections 4.0.2 2bbeef5797a241300c4f7513cd546239629ed7deda4fc0c31df90bb95f5f13ef
org.scala-lang
    scala-library 2.13.18 4e85d96ff7bc7dc627985523c3541b9917aaa08e956391380c42db21a2c4e5a0
    scala-reflect 2.13.18 6935ff1982b2ac93d695f15aa66921be2f602921277afe002f018fd8c7d6e29b
org.slf4j
    slf4j-api 1.7.36 d3ef575e3e4979678dc01bf1dcce51021493b4d11fb7f1be8ad982877c16a1c0
    slf4j-simple 1.7.36 2f39bed943d624dfa8f4102d0571283a10870b6aa36f197a8a506f147010c10f
org.xerial.snappy
    snappy-java 1.1.10.7 4c766cb3f855415ee734b2392949a0b6f12a60879334a74518deaf6270d32e36
org.yaml
    snakeyaml 2.5 e6682acf1ace77508ef13649cbf4f8d09d2cf5457bdb61d25ffb6ac0233d78dd
"""
    )
)
