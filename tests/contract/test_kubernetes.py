"""The manifests: as Kubernetes' schemas say, without root, with probes that exist, settings that load."""

import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.support.tools import needs
from tongbao_broker.exchange.settings import ExchangeSettings
from tongbao_connectors.desk import configuration
from tongbao_connectors.duty import plan
from tongbao_connectors.duty.channels import Channels
from tongbao_connectors.settings import ConnectorSettings

ROOT = Path(__file__).parents[2] / "deploy" / "kubernetes"
VERSION = "1.37"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - in a pod, fenced by its network policy
BUILDER = shutil.which("kubectl") or shutil.which("kustomize")
FOLDERS = {"exchange": "/var/lib/tongbao/100000", "province": "/var/lib/tongbao/province"}
MODULES = {
    "tongbao_broker.exchange.worker",
    "tongbao_connectors.worker",
    "tongbao_connectors.duty.worker",
    "tongbao_connectors.desk.worker",
}

Resource = dict[str, Any]


@cache
def written() -> tuple[Resource, ...]:
    """Every resource as it stands in the files."""
    files = (path for path in sorted(ROOT.rglob("*.yaml")) if path.name != "kustomization.yaml")
    return tuple(each for path in files for each in yaml.safe_load_all(path.read_text("utf-8")))


def workloads() -> list[Resource]:
    return [each for each in written() if each["kind"] == "StatefulSet"]


def pods() -> list[Any]:
    return [
        pytest.param(each["spec"]["template"]["spec"], id=each["metadata"]["name"]) for each in workloads()
    ]


def containers() -> Iterator[Any]:
    for workload in workloads():
        spec = workload["spec"]["template"]["spec"]
        for each in (*spec["initContainers"], *spec["containers"]):
            yield pytest.param(each, id=f"{workload['metadata']['name']}-{each['name']}")


def named(resource: Resource) -> str:
    return f"{resource['kind']}-{resource['metadata']['name']}"


@pytest.mark.parametrize("resource", written(), ids=named)
def test_each_resource_is_as_its_schema_says(resource: Resource) -> None:
    """Kubernetes' own schemas, in which a field that they don't name is a mistake."""
    kubernetes_validate.validate(resource, VERSION, strict=True)


def test_the_schemas_notice_a_wrong_field() -> None:
    """A misspelt field is a mistake, not silence."""
    [first, *_] = workloads()

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**first, "spec": {**first["spec"], "replica": 1}}, VERSION, strict=True)


@needs("kubectl", "kustomize")
@pytest.mark.parametrize("example", ["exchange", "440000"])
def test_the_examples_build(example: str) -> None:
    """kustomize puts base and settings together; the result is valid, every name that it uses is there."""
    assert BUILDER is not None
    verb = "kustomize" if BUILDER.endswith("kubectl") else "build"
    done = subprocess.run(
        [BUILDER, verb, str(ROOT / "example" / example)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    built = list(yaml.safe_load_all(done.stdout))
    for resource in built:
        kubernetes_validate.validate(resource, VERSION, strict=True)
    made = {each["metadata"]["name"] for each in built if each["kind"] == "ConfigMap"}
    [workload] = [each for each in built if each["kind"] == "StatefulSet"]
    spec = workload["spec"]["template"]["spec"]
    projected = [volume["projected"] for volume in spec["volumes"] if "projected" in volume]
    sources = [source for each in projected for source in each["sources"]]
    used = {source["configMap"]["name"] for source in sources}
    used |= {volume["configMap"]["name"] for volume in spec["volumes"] if "configMap" in volume}

    assert used - made == {"network-trust"}, "which the network's keepers give"
    assert {each["image"] for each in spec["containers"]} == {"tongbao:0.1.0"}
    assert {each["metadata"].get("namespace") for each in built if each["kind"] != "Namespace"} == {
        f"tongbao-{example}"
    }


@pytest.mark.parametrize("pod", pods())
def test_a_pod_has_no_root_and_no_token(pod: Resource) -> None:
    """User 1000 as in the image, the runtime's seccomp profile, nothing of the cluster mounted."""
    context = pod["securityContext"]

    assert (context["runAsNonRoot"], context["runAsUser"], context["fsGroup"]) == (True, 1000, 1000)
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert not pod.get("hostNetwork")
    assert not pod.get("hostPID")


@pytest.mark.parametrize("container", list(containers()))
def test_a_container_can_do_little(container: Resource) -> None:
    """No capability, no privilege to gain, a root file system that can't be written, bounded memory; secrets
    are files, never in the environment.
    """
    context = container["securityContext"]
    writable = {each["name"] for each in container["volumeMounts"] if not each.get("readOnly")}

    assert context == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert writable <= {"folder", "tmp"}
    assert container["resources"]["limits"]["memory"]
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    assert "env" not in container
    assert "envFrom" not in container


@pytest.mark.parametrize("workload", workloads(), ids=named)
def test_there_is_never_a_second_one(workload: Resource) -> None:
    """One replica of a set that ends the old pod before it makes the new one, on a volume for one pod."""
    [claim] = workload["spec"]["volumeClaimTemplates"]

    assert workload["spec"]["replicas"] == 1
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]


@pytest.mark.parametrize("workload", workloads(), ids=named)
def test_every_process_is_probed_where_it_answers(workload: Resource) -> None:
    """Start, life and readiness at the process's own port, which a service shows and Prometheus may reach."""
    name, spec = workload["metadata"]["name"], workload["spec"]["template"]["spec"]
    [network] = [
        each for each in written() if each["kind"] == "NetworkPolicy" and each["metadata"]["name"] == name
    ]
    [service] = [each for each in written() if each["kind"] == "Service" and each["metadata"]["name"] == name]
    open_to = {port["port"] for rule in network["spec"]["ingress"] for port in rule["ports"]}
    shown = {port["port"] for port in service["spec"]["ports"]}
    for container in spec["containers"]:
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        probed = {probe: container[probe]["httpGet"] for probe in PROBES}

        assert container["command"][:2] == ["python", "-m"]
        assert container["command"][2] in MODULES
        assert container["command"][3] == FOLDERS[name]
        assert {get["path"] for get in probed.values()} <= {"/healthz", "/readyz"}
        assert probed["livenessProbe"]["path"] == "/healthz", "a hold is no reason to restart"
        assert {ports[get["port"]] for get in probed.values()} <= open_to & shown
        assert set(ports.values()) <= open_to


PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def test_example_settings_load_and_fit_the_manifests() -> None:
    """The example's files are settings that the programs take, with the ports that are probed."""
    exchange = ExchangeSettings.load(ROOT / "example" / "exchange")
    settings = ConnectorSettings.load(ROOT / "example" / "440000")
    desk = configuration.load(settings.folder, settings.network)
    ports = {
        port["containerPort"]
        for pod in pods()
        for each in pod.values[0]["containers"]
        for port in each["ports"]
    }

    assert ports == {
        exchange.metrics.port,
        *(settings.metrics.of(name).port for name in ("connector", "watch", "desk")),
        desk.port,
    }
    assert {exchange.metrics.host, settings.metrics.host, desk.host} == {EVERYWHERE}
    assert "passfile=" in settings.database_url
    assert settings.routing().units <= settings.roster().units.keys()
    plan.load(settings.folder)
    Channels.load(settings.folder)


@pytest.fixture
def supplied(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Folder, settings and keys as the supply container finds them."""
    folder, settings, keys = (tmp_path / name for name in ("folder", "settings", "keys"))
    for path in (folder, settings, keys / "keys" / "seal"):
        path.mkdir(parents=True)
    (settings / "connector.toml").write_text("code", "utf-8")
    for name in ("tls.pem", "keys/message.pem", "keys/seal/1.pem", "keys/database.pass"):
        (keys / name).write_text("first", "utf-8")
        (keys / name).chmod(0o440)
    return folder, settings, keys


def supply(folder: Path, settings: Path, keys: Path) -> None:
    script = ROOT / "base" / "supply" / "supply.sh"
    subprocess.run(["sh", str(script), str(folder), str(settings), str(keys)], check=True)


def test_supply_brings_settings_as_links_and_keys_for_their_owner_only(
    supplied: tuple[Path, Path, Path],
) -> None:
    """What the cluster changes shows at once; private keys and the database's password have mode 0600."""
    folder, settings, _ = supplied
    supply(*supplied)
    (settings / "connector.toml").write_text("changed", "utf-8")

    assert (folder / "connector.toml").read_text("utf-8") == "changed"
    for name in ("tls.pem", "keys/message.pem", "keys/seal/1.pem", "keys/database.pass"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600
        assert not (folder / name).is_symlink()


def test_supply_never_puts_an_old_key_back(supplied: tuple[Path, Path, Path]) -> None:
    """A key that was changed in the volume stays; a second start changes nothing."""
    folder = supplied[0]
    supply(*supplied)
    (folder / "keys" / "message.pem").write_text("rotated", "utf-8")
    supply(*supplied)

    assert (folder / "keys" / "message.pem").read_text("utf-8") == "rotated"
