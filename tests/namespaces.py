"""Processes in namespaces of their own, as a container's are. Only root may make them."""

import shutil
import subprocess

import psutil
import pytest

from infra.processes import Child

AS_PROCESS_1 = ("unshare", "--pid", "--fork", "--kill-child")
WITH_OWN_MOUNTS = ("unshare", "--mount")


def _may(command: tuple[str, ...]) -> bool:
    return shutil.which(command[0]) is not None and not subprocess.run([*command, "true"], check=False).returncode


MAY_BE_PROCESS_1 = _may(AS_PROCESS_1)
needs_process_1 = pytest.mark.skipif(not MAY_BE_PROCESS_1, reason="only root may start a process 1")
MAY_MOUNT = _may(WITH_OWN_MOUNTS)
needs_own_mounts = pytest.mark.skipif(not MAY_MOUNT, reason="only root may change what a name resolves to")


def process_1(child: Child) -> psutil.Process:
    """Seen from outside, of what was started `AS_PROCESS_1`."""
    while not (inside := psutil.Process(child.pid).children()):
        assert child.exit_code is None, child.last_words()
    return inside[0]
