"""The manifests of cron/kubernetes: valid by Kubernetes' schemas, hardened, and of one piece."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import kubernetes_validate
import pytest
import yaml

from staffeln_cli.cli import staffeln
from staffeln_cli.config import load
from tests.documents.pages import ROOT
from tests.documents.test_commands_and_exit_codes import parse

FOLDER = ROOT / "cron/kubernetes"
OLDEST, NEWEST = "1.27", "1.33"
"""`timeZone` of a CronJob is there from the oldest on."""
PASSES = ("collect", "backup", "check", "retain", "report", "verify")


@dataclass(frozen=True)
class Manifest:
    """One object, and the file it is in."""

    file: str
    content: dict[str, Any]

    @property
    def kind(self) -> str:
        return str(self.content["kind"])

    @property
    def name(self) -> str:
        return str(self.content["metadata"]["name"])

    def __str__(self) -> str:
        return f"{self.kind}-{self.name}"


def manifests() -> Iterator[Manifest]:
    """The objects that kustomize would apply."""
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]
    for file in listed:
        for document in yaml.safe_load_all((FOLDER / file).read_text()):
            for content in document["items"] if document["kind"] == "List" else [document]:
                yield Manifest(file, content)


ALL = list(manifests())
WORKLOADS = [each for each in ALL if each.kind in {"CronJob", "Deployment", "Job"}]


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {each.name: each.content for each in ALL if each.kind == kind}


def pod(manifest: Manifest) -> dict[str, Any]:
    spec = manifest.content["spec"]
    template = (spec["jobTemplate"]["spec"] if manifest.kind == "CronJob" else spec)["template"]
    found: dict[str, Any] = template["spec"]
    return found


def container(manifest: Manifest) -> dict[str, Any]:
    (found,) = pod(manifest)["containers"]
    return dict(found)


each_manifest = pytest.mark.parametrize("manifest", ALL, ids=str)
each_workload = pytest.mark.parametrize("manifest", WORKLOADS, ids=str)


def test_every_file_of_the_folder_is_applied() -> None:
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]
    assert {*listed, "kustomization.yaml"} == {file.name for file in FOLDER.glob("*.yaml")}


@each_manifest
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_each_manifest_is_valid_by_the_schema_of_kubernetes(
    manifest: Manifest, version: str
) -> None:
    kubernetes_validate.validate(manifest.content, version, strict=True)


def test_the_schemas_refuse_a_key_that_does_not_exist() -> None:
    wrong = {**of_kind("CronJob")["staffeln-collect"], "timezone": "UTC"}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, NEWEST, strict=True)


@each_workload
def test_each_command_is_one_that_staffeln_has(manifest: Manifest) -> None:
    try:
        parse(staffeln, list(container(manifest)["args"]), "staffeln")
    except click.UsageError as error:
        pytest.fail(f"{manifest}: {error.format_message()}")


def test_each_pass_has_a_cron_job_that_never_runs_twice_at_once_nor_for_ever() -> None:
    jobs = {each.name: each for each in WORKLOADS if each.kind == "CronJob"}
    assert jobs.keys() == {f"staffeln-{name}" for name in PASSES}
    for name in PASSES:
        job = jobs[f"staffeln-{name}"]
        assert container(job)["args"][-1] == name
        spec = job.content["spec"]
        assert spec["concurrencyPolicy"] == "Forbid"
        assert spec["startingDeadlineSeconds"] > 0
        assert spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] > 0
        assert spec["jobTemplate"]["spec"]["backoffLimit"] == 0


@each_workload
def test_no_container_has_more_rights_than_it_needs(manifest: Manifest) -> None:
    account = pod(manifest)["securityContext"]
    assert account["runAsNonRoot"]
    assert account["seccompProfile"] == {"type": "RuntimeDefault"}
    rights = container(manifest)["securityContext"]
    assert not rights["allowPrivilegeEscalation"]
    assert rights["readOnlyRootFilesystem"]
    assert rights["capabilities"] == {"drop": ["ALL"]}
    assert "memory" in container(manifest)["resources"]["limits"]
    assert pod(manifest)["enableServiceLinks"] is False


@each_workload
def test_what_a_pod_names_exists(manifest: Manifest) -> None:
    spec, main = pod(manifest), container(manifest)
    assert spec["serviceAccountName"] in of_kind("ServiceAccount")
    volumes = {each["name"]: each for each in spec["volumes"]}
    assert {each["name"] for each in main["volumeMounts"]} == volumes.keys()
    for volume in volumes.values():
        if "configMap" in volume:
            assert volume["configMap"]["name"] in of_kind("ConfigMap")
        if "secret" in volume:
            held = of_kind("Secret")[volume["secret"]["secretName"]]["stringData"]
            assert {item["key"] for item in volume["secret"]["items"]} <= held.keys()
    for variable in main["env"]:
        if "valueFrom" in variable:
            key = variable["valueFrom"]["secretKeyRef"]
            assert key["key"] in of_kind("Secret")[key["name"]]["stringData"]


def test_the_configuration_is_understood_with_what_the_pods_set(tmp_path: Path) -> None:
    text = of_kind("ConfigMap")["staffeln"]["data"]["staffeln.toml"]
    secret = of_kind("Secret")["staffeln"]["stringData"]
    file = tmp_path / "staffeln.toml"
    file.write_text(text)
    loaded = load(file, {"STAFFELN_DATABASE_URL": secret["database-url"]})
    assert loaded.settings.cloud.name in yaml.safe_load(secret["clouds.yaml"])["clouds"]


def test_the_role_grants_what_the_leases_need_and_nothing_else() -> None:
    (rule,) = of_kind("Role")["staffeln-leases"]["rules"]
    assert rule == {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "verbs": ["get", "create", "update"],
    }
    binding = of_kind("RoleBinding")["staffeln-leases"]
    assert binding["roleRef"]["name"] in of_kind("Role")
    assert binding["subjects"][0]["name"] in of_kind("ServiceAccount")


def test_the_policy_endpoint_is_reached_probed_and_never_evicted_as_a_whole() -> None:
    deployment = of_kind("Deployment")["staffeln-policy"]["spec"]
    labels = deployment["template"]["metadata"]["labels"].items()
    (main,) = deployment["template"]["spec"]["containers"]
    (port,) = main["ports"]
    service = of_kind("Service")["staffeln-policy"]["spec"]
    assert service["selector"].items() <= labels
    assert service["ports"][0]["targetPort"] == port["name"]
    text = of_kind("ConfigMap")["staffeln"]["data"]["staffeln.toml"]
    assert 'host = "0.0.0.0"' in text
    assert main["readinessProbe"]["httpGet"] == {"path": "/v1/health", "port": port["name"]}
    assert "tcpSocket" in main["livenessProbe"], "a restart does not mend a database"
    budget = of_kind("PodDisruptionBudget")["staffeln-policy"]["spec"]
    assert budget["selector"]["matchLabels"].items() <= labels
    assert deployment["replicas"] > budget["minAvailable"]
