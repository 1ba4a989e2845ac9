"""The folder of compose.yaml, copied, and what `prepare` makes beside it."""

import shutil
import subprocess
from pathlib import Path

from tests.infra.deploy.dockerfile import DEPLOY


def prepared(folder: Path) -> Path:
    shutil.copytree(
        DEPLOY, folder, ignore=shutil.ignore_patterns("secrets", ".env", "kubernetes", "schemas", "__pycache__")
    )
    subprocess.run([folder / "prepare"], check=True)
    return folder
