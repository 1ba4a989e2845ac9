"""The Dockerfile, read: its stages, and what each of their lines says."""

import json
import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache

from tests.sandbox import ROOT

DEPLOY = ROOT / "infra/deploy"
DOCKERFILE = DEPLOY / "Dockerfile"


@dataclass
class Stage:
    base: str
    lines: list[tuple[str, str]] = field(default_factory=list)

    def instructions(self, word: str) -> list[str]:
        return [rest for each, rest in self.lines if each == word]

    def listed(self, word: str) -> list[str]:
        """The last ENTRYPOINT or CMD, which must be in exec form: a shell would keep signals to itself."""
        listed: list[str] = json.loads(self.instructions(word)[-1])
        return listed

    def pairs(self, word: str) -> dict[str, str]:
        """What ENV or LABEL set."""
        return {
            name: value.strip('"')
            for rest in self.instructions(word)
            for name, value in re.findall(r'([\w.]+)=("[^"]*"|\S*)', rest)
        }


def stages() -> dict[str, Stage]:
    """By their name, in order."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    found: dict[str, Stage] = {}
    for line in re.sub(r"\s*\\\n\s*", " ", text).splitlines():
        word, _, rest = line.partition(" ")
        if word == "FROM":
            base, name = rest.split(" AS ")
            found[name] = stage = Stage(base)
        elif found and word:
            stage.lines.append((word, rest))
    return found


def ignored(path: str) -> bool:
    """Whether `.dockerignore` keeps it from the build: the last pattern that fits it, or a folder above it, decides."""
    kept_out = False
    for brought_back, pattern in patterns():
        if fits(path.split("/"), pattern):
            kept_out = not brought_back
    return kept_out


@cache
def patterns() -> list[tuple[bool, list[str]]]:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    return [(line[0] == "!", line.removeprefix("!").split("/")) for line in lines if line[:1] not in ("", "#")]


def fits(parts: list[str], patterns: list[str]) -> bool:
    anywhere = patterns[0] == "**"
    starts = range(len(parts)) if anywhere else (0,)
    patterns = patterns[1:] if anywhere else patterns
    return any(
        len(parts) >= start + len(patterns)
        and all(fnmatchcase(*pair) for pair in zip(parts[start:], patterns, strict=False))
        for start in starts
    )
