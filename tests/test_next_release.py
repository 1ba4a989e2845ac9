"""The release that drills of a real cluster upgrade to still fits the code. It needs no cluster."""

import subprocess
from pathlib import Path

from tests.sandbox import ROOT

PATCH = Path(__file__).with_name("cluster") / "next.patch"


def test_the_next_release_can_be_made_of_this_one() -> None:
    """Where not: make the change in the code again, and write it down with `git diff -U1`."""
    done = subprocess.run(["git", "apply", "--check", PATCH], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
