"""The manifests as files, before kustomize puts them together: what they say of our processes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.sandbox import ROOT

DEPLOY = ROOT / "infra/deploy"
KUBERNETES = DEPLOY / "kubernetes"
PROCESSES = ("api", "worker", "migration", "trim")

Document = dict[str, Any]


def documents(folder: Path) -> Iterator[Document]:
    """Of every file below it but kustomize's own and patches."""
    for file in sorted(folder.rglob("*.yaml")):
        yield from (each for each in read(file) if isinstance(each, dict) and "metadata" in each)


def read(file: Path) -> list[Any]:
    return list(yaml.load_all(file.read_text(), yaml.CSafeLoader))


def container(process: str, folder: Path = KUBERNETES) -> Document:
    return pod(process, folder)["containers"][0]  # type: ignore[no-any-return]


def pod(process: str, folder: Path = KUBERNETES) -> Document:
    each = one(process, ("Deployment", "Job", "CronJob"), folder)["spec"]
    return each.get("jobTemplate", {"spec": each})["spec"]["template"]["spec"]  # type: ignore[no-any-return]


def one(name: str, kinds: tuple[str, ...], folder: Path = KUBERNETES) -> Document:
    (found,) = [
        each for each in documents(folder / "base") if each["metadata"]["name"] == name and each["kind"] in kinds
    ]
    return found


def in_settings_file(folder: Path = KUBERNETES) -> dict[str, str]:
    return dict(re.findall(r"^([A-Z_]+)=(.*)$", (folder / "base/settings.env").read_text(), re.MULTILINE))


def given(process: str, folder: Path = KUBERNETES) -> set[str]:
    """The names of the settings that this process finds in its environment, whichever overlay is chosen."""
    here = container(process, folder)
    names = {each["name"] for each in here["env"]}
    for source in here["envFrom"]:
        if "configMapRef" in source:
            names |= {*in_settings_file(folder)} | set.intersection(*each_overlay_gives(folder))
        else:
            secret = one(source["secretRef"]["name"], ("ExternalSecret",), folder)
            names |= {each["secretKey"] for each in secret["spec"]["data"]}
    return names


def each_overlay_gives(folder: Path) -> Iterator[set[str]]:
    """Of settings, in its own file or in that of a component that it takes."""
    for file in sorted((folder / "overlays").glob("*/kustomization.yaml")):
        (overlay,) = read(file)
        taken = [overlay, *(read(file.parent / each / "kustomization.yaml")[0] for each in overlay["components"])]
        yield {
            literal.split("=")[0]
            for part in taken
            for settings in part.get("configMapGenerator", ())
            for literal in settings["literals"]
        }


def named(folder: Path = KUBERNETES) -> set[str]:
    """Whatever any file calls a setting."""
    text = "\n".join(re.sub(r"#.*", "", file.read_text()) for file in folder.rglob("*.yaml"))
    words = re.findall(r"(?:name|secretKey|property|key): ([A-Z][A-Z_]+)$|- ([A-Z][A-Z_]+)=", text, re.MULTILINE)
    return {*in_settings_file(folder)} | {word for pair in words for word in pair if word}
