"""`make deploy-check`: whether what a deployment is made of is well formed, as far as that shows without a cluster.

Then an error of each kind is planted in a copy, and must be found: a check that finds nothing must not pass for good.
"""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import yaml

from infra.deploy.planted import ERRORS

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "infra/deploy/schemas"
TOOLS = Path(sys.executable).parent
KUBERNETES = ("1.30", "1.37")
"""The oldest that our manifests are for (`sleep` in `preStop`), and the newest that the validator knows."""
BUILT_IN = {"", "apps", "batch", "policy", "autoscaling", "networking.k8s.io"}
FILLED_IN = {"scaleTargetRef": {"name": "worker"}, "matchLabels": {"version": "1"}}
"""What the Worker Controller fills in where a template has `{}`."""

MADE = shutil.ignore_patterns("secrets", ".env", "__pycache__")

Document = dict[str, Any]


class Skipped(Exception):
    """A tool is not there; which."""


def run(*command: str | Path, at: Path, **environ: str) -> tuple[bool, str]:
    done = subprocess.run(
        [str(each) for each in command], cwd=at, capture_output=True, text=True, env=os.environ | environ, timeout=120
    )
    return done.returncode == 0, f"{done.stdout}\n{done.stderr}".strip()


# --- manifests -----------------------------------------------------------------------------------------------


def manifests(root: Path) -> Iterator[str]:
    for overlay in sorted((root / "infra/deploy/kubernetes/overlays").iterdir()):
        rendered, output = run(TOOLS / "kubectl", "kustomize", overlay, at=root)
        if not rendered:
            yield f"{overlay.name}: {output}"
            continue
        for document in yaml.load_all(output, yaml.CSafeLoader):
            for wrong in wrong_in(json.dumps(document)):
                yield f"{overlay.name}: {document['kind']} {document['metadata']['name']}: {wrong}"


@cache
def wrong_in(text: str) -> list[str]:
    document: Document = json.loads(text)
    found = [*malformed(document), *unsafe(document)]
    if document["kind"] == "WorkerResourceTemplate":
        template = filled_in(document["spec"]["template"])
        found += [f"template: {wrong}" for wrong in malformed(template | {"metadata": {"name": "each"}})]
    if document["kind"] == "WorkerDeployment":
        ramp = [step["rampPercentage"] for step in document["spec"]["rollout"].get("steps", ())]
        found += [f"rampPercentage does not rise: {ramp}"] if ramp != sorted({*ramp}) else []
    return found


def malformed(document: Document) -> Iterator[str]:
    group, _, version = document["apiVersion"].rpartition("/")
    schema = SCHEMAS / f"{document['kind'].lower()}.{group}_{version}.json.gz"
    if schema.exists():
        validator = jsonschema.Draft202012Validator(json.loads(gzip.decompress(schema.read_bytes())))
        yield from (f"{error.json_path}: {error.message}" for error in validator.iter_errors(document))
    elif group in BUILT_IN:
        try:
            for release in KUBERNETES:
                kubernetes_validate.validate(document, release, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{'.'.join(map(str, error.path))}: {error.message}"
        except kubernetes_validate.SchemaNotFoundError as error:
            yield error.message
    else:
        yield f"no schema of {document['apiVersion']}"


def filled_in(template: Any) -> Any:
    match template:
        case dict():
            return {key: FILLED_IN.get(key, {}) if inner == {} else filled_in(inner) for key, inner in template.items()}
        case list():
            return [filled_in(each) for each in template]
        case _:
            return template


def unsafe(document: Document) -> Iterator[str]:
    """Of our own pods, what `restricted` (Pod Security Standards) refuses; and who could write to their root."""
    spec = document.get("spec", {})
    pod = spec.get("jobTemplate", {"spec": spec})["spec"].get("template", {}).get("spec", {})
    if "containers" not in pod:
        return
    wanted = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    if lacking := [name for name, value in wanted.items() if pod.get("securityContext", {}).get(name) != value]:
        yield f"not restricted: {lacking}"
    wanted = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    for each in pod["containers"]:
        if lacking := [name for name, value in wanted.items() if each.get("securityContext", {}).get(name) != value]:
            yield f"{each['name']} is not restricted: {lacking}"
        if not re.search(r"(:(?!latest$)[\w.-]+|@sha256:\w+)$", each["image"]):
            yield f"{each['name']}: an image without a version"


# --- the others ----------------------------------------------------------------------------------------------


def dockerfile(root: Path) -> Iterator[str]:
    fine, output = run(TOOLS / "hadolint", root / "infra/deploy/Dockerfile", at=root)
    if not fine:
        yield output


def compose(root: Path) -> Iterator[str]:
    """With every profile, in a copy that `prepare` has made its files in."""
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(root / "infra/deploy", Path(folder) / "deploy", ignore=MADE)
        fine, output = run(copy / "prepare", at=copy)
        if fine:
            fine, output = run(TOOLS / "docker-compose", "--profile", "*", "config", "--quiet", at=copy)
    if not fine:
        yield output


def rules(root: Path) -> Iterator[str]:
    promtool = shutil.which("promtool", path=f"{TOOLS}:{os.environ['PATH']}")
    if promtool is None:
        raise Skipped("no promtool (Debian's package prometheus has it)")
    for command in (["check", "rules", "rules.yml"], ["test", "rules", "rules_test.yml"]):
        fine, output = run(promtool, *command, at=root / "infra/deploy")
        if not fine:
            yield output


def workflows(root: Path) -> Iterator[str]:
    files = sorted((root / ".github/workflows").glob("*.yml"))
    fine, output = run(TOOLS / "actionlint", "-no-color", *files, at=root)
    if not fine:
        yield output
    for file in files:
        for action in re.findall(r"uses: (?!\./)(.*)", file.read_text()):
            if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", action):
                yield f"{file.name}: {action} is not named by its commit, with its version behind it"


CHECKS: dict[str, Callable[[Path], Iterator[str]]] = {
    "manifests": manifests,
    "dockerfile": dockerfile,
    "compose": compose,
    "rules": rules,
    "workflows": workflows,
}


def planted(name: str, file: str, before: str, after: str, finding: str) -> str | None:
    """What is wrong with a check that does not find this error."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for part in ("infra/deploy", ".github"):
            shutil.copytree(ROOT / part, copy / part, ignore=MADE)
        text = (copy / file).read_text()
        if before not in text:
            return f"{file} has no {before!r} any more, so no error was planted"
        (copy / file).write_text(text.replace(before, after, 1))
        found = "\n".join(CHECKS[name](copy))
    return None if finding in found else f"{file}, {before!r} → {after!r}: expected {finding!r}, found {found!r}"


def main() -> int:
    passed, failed, skipped = 0, 0, 0
    for name, check in CHECKS.items():
        began = time.monotonic()
        try:
            wrong = list(check(ROOT))
            sown = [each for each in ERRORS if each[0] == name]
            wrong += filter(None, (planted(*each) for each in sown)) if not wrong else []
            if not sown:
                wrong.append("no error of this kind is planted")
        except Skipped as why:
            skipped += 1
            print(f"SKIPPED {name}: {why}")
            continue
        print("\n".join(f"{name}: {each}" for each in wrong), end="\n" if wrong else "")
        passed, failed = passed + (not wrong), failed + bool(wrong)
        if not wrong:
            print(f"{name}: nothing found, and {len(sown)} planted errors found ({time.monotonic() - began:.0f} s)")
    print(f"deploy-check: {passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
