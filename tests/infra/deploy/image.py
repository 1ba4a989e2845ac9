"""`make image-size`: does what the build stage says, in a folder instead of an image, tries what came of it, and tells
how large it is."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.infra.deploy.dockerfile import ignored, stages
from tests.sandbox import ROOT

OURS = ("workflows", "activities", "workers", "starter", "infra")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="image") as folder:
        root = Path(folder)
        build(root)
        packages = next((root / "app/.venv/lib").glob("python*/site-packages"))
        ours = sum(size(packages / room) for room in OURS)
        total = size(root / "app")
        version = ".".join(map(str, sys.version_info[:2]))
        print(f"environment {megabytes(total - ours)}, source {megabytes(ours)} (Python {version}, with bytecode)")
        if unexpected := sorted(map(str, {each.name for each in packages.iterdir()} & {"pip", "pytest", "aiosmtpd"})):
            sys.exit(f"is in the image and should not be: {unexpected}")
        environ = {"PATH": f"{root}/app/.venv/bin:/usr/bin:/bin", "ORDERS_ENV_FILE": "", "ORDERS_HOME": f"{root}/home"}
        for command in (["orders", "--version"], ["orders", "db", "upgrade"], ["orders", "db", "check"]):
            subprocess.run(command, env=environ, cwd=root, check=True)


def build(root: Path) -> None:
    """`/app` and `/build` are folders of `root`; all else of a line is done as it stands."""
    stage = stages()["build"]
    here = root / stage.instructions("WORKDIR")[0].strip("/")
    here.mkdir()
    environ = {**os.environ, **stage.pairs("ENV"), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for word, rest in stage.lines:
        if word == "RUN":
            command = re.sub(r"(?<!\S)/(?=app|build)", f"{root}/", rest)
            subprocess.run(["bash", "-euc", command], cwd=here, env=environ, check=True, stdout=subprocess.DEVNULL)
        elif word == "COPY":
            *sources, _ = rest.split()
            for source in sources:
                copy(source, here)


def copy(source: str, here: Path) -> None:
    files = [path for path in (ROOT / source, *(ROOT / source).rglob("*")) if path.is_file()]
    for file in files:
        name = file.relative_to(ROOT)
        if not ignored(str(name)):
            (here / name).parent.mkdir(parents=True, exist_ok=True)
            (here / name).write_bytes(file.read_bytes())


def size(folder: Path) -> int:
    return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())


def megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


if __name__ == "__main__":
    main()
