"""Strimzi's published schemas of its custom resources, made from its own packages.

No package registry has them as files, but what makes them: `io.strimzi:api` has the resources as Java
classes, `io.strimzi:crd-generator` writes their schemas. Both are fetched in Maven's ordinary way; needs
Java, and the network the first time.
"""

import subprocess
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jgo
import yaml

from tongbao_broker.kafka.server import find_java

API = "io.strimzi:api:0.51.0", "219b54d570c408523f62bffc999041c64ea926afbc784be942290709fbbcde62"
GENERATOR = (
    "io.strimzi:crd-generator:0.45.0",
    "f03aab1b83d29bbd340ce484a4bb651faac7685c685865a30351a636da6008ea",
)
MAIN = "io.strimzi.crdgenerator.CrdGenerator"
KINDS = {"Kafka": "kafka", "KafkaTopic": "topic", "KafkaUser": "user", "KafkaNodePool": "nodepool"}

Json = dict[str, Any]


@cache
def schema(kind: str) -> Json:
    """The schema of a kind in `kafka.strimzi.io/v1`, which takes no field that it doesn't name."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "crd.yaml"
        name = f"io.strimzi.api.kafka.model.{KINDS[kind]}.{kind}"
        command = [find_java(), "-cp", _class_path(), MAIN, "--yaml", f"{name}={file}"]
        subprocess.run(command, check=True, capture_output=True)
        crd = yaml.safe_load(file.read_text("utf-8"))
    [version] = [each for each in crd["spec"]["versions"] if each["name"] == "v1"]
    closed: Json = _closed(version["schema"]["openAPIV3Schema"])
    return closed


@cache
def _class_path() -> str:
    """The API's jars before the generator's, which brings older ones of the same."""
    return ":".join([*_jars(*API), *_jars(*GENERATOR)])


def _jars(coordinates: str, digest: str) -> list[str]:
    paths = [str(artifact.resolve()) for artifact in jgo.resolve(coordinates)]
    name = coordinates.split(":")[1]
    [own] = [path for path in paths if Path(path).name.startswith(f"{name}-")]
    assert sha256(Path(own).read_bytes()).hexdigest() == digest
    return paths if name == "api" else [own]


def _closed(node: Any) -> Any:
    """A schema as a cluster's API server has it: unknown fields are mistakes unless it says otherwise."""
    if isinstance(node, list):
        return [_closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _closed(each) for key, each in node.items()}
    is_object = isinstance(node.get("properties"), dict) and node.get("type") == "object"
    if is_object and not node.get("x-kubernetes-preserve-unknown-fields"):
        closed.setdefault("additionalProperties", False)
    return closed
