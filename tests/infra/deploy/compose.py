"""What compose.yaml says, as compose itself reads it. A key that is not understood here fails whoever asks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Document = dict[str, Any]

UNDERSTOOD = {
    *("image", "build", "command", "entrypoint", "environment", "env_file", "secrets", "volumes", "tmpfs"),
    *("user", "read_only", "cap_drop", "security_opt", "shm_size", "deploy", "logging"),
    *("depends_on", "healthcheck", "restart", "stop_grace_period", "ports", "profiles"),
}
VARIABLE = re.compile(r"\$(?:(\$)|\{(\w+)(?::([-?])([^}]*))?\})")


@dataclass
class Service:
    name: str
    raw: Document
    environ: dict[str, str]
    """What its image does not set: `env_file`, and over it `environment`."""
    replicas: int = 1
    waits_for: dict[str, str] = field(default_factory=dict)
    """By service: the condition."""

    @property
    def ours(self) -> bool:
        return "build" in self.raw

    @property
    def command(self) -> list[str]:
        entry = ["orders"] if self.ours else []
        return [*entry, *map(str, self.raw.get("entrypoint", [])), *map(str, self.raw.get("command", []))]

    @property
    def check(self) -> list[str]:
        """The command of its health check."""
        kind, *command = self.raw["healthcheck"]["test"]
        assert kind == "CMD", f"{self.name}: a shell that need not be there"
        return [str(each) for each in command]

    @property
    def patience(self) -> float:
        """Seconds from SIGTERM to SIGKILL."""
        return float(str(self.raw.get("stop_grace_period", "10s")).removesuffix("s"))


def services(folder: Path, profiles: set[str] | None = None) -> dict[str, Service]:
    """Of the folder in which `prepare` has been run; without `profiles` all of them."""
    [included] = read(folder / "compose.yaml")["include"]
    values: dict[str, str] = {}
    for file in included["env_file"]:
        values |= pairs(folder / file)
    found = {}
    for name, raw in read(folder / included["path"])["services"].items():
        raw = filled(raw, values)
        if unknown := {*raw} - UNDERSTOOD:
            raise AssertionError(f"{name}: {sorted(unknown)} must be understood by this test before they are used")
        if profiles is not None and not profiles >= {*raw.get("profiles", ())}:
            continue
        environ = pairs(folder / raw["env_file"]) if "env_file" in raw else {}
        environ |= {key: str(value) for key, value in raw.get("environment", {}).items()}
        waits_for = {other: each["condition"] for other, each in raw.get("depends_on", {}).items()}
        found[name] = Service(name, raw, environ, raw.get("deploy", {}).get("replicas", 1), waits_for)
    return found


def read(file: Path) -> Document:
    raw: Document = yaml.load(file.read_text(), yaml.CSafeLoader)
    return raw


def pairs(file: Path) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", file.read_text(), re.MULTILINE))


def filled(raw: Any, values: Mapping[str, str]) -> Any:
    """`${NAME}`, `${NAME:-else}` and `${NAME:?why}`, as compose puts values in; `$$` is a `$`."""
    if isinstance(raw, dict):
        return {key: filled(value, values) for key, value in raw.items()}
    if isinstance(raw, list):
        return [filled(each, values) for each in raw]
    if not isinstance(raw, str):
        return raw

    def value(found: re.Match[str]) -> str:
        dollar, name, otherwise, text = found.groups()
        if dollar:
            return "$"
        if given := values.get(name):
            return given
        assert otherwise == "-", f"{name} is in no file"
        return str(text)

    assert "$" not in VARIABLE.sub("", raw), f"not understood: {raw}"
    return VARIABLE.sub(value, raw)
