"""Versions of our code beside each other: this commit, the one that next.patch makes of it, and one that is wrong."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowFailureError
from temporalio.common import PinnedVersioningOverride, WorkerDeploymentVersion

from infra.processes import free_ports
from tests.cluster.cluster import Cluster, Process
from tests.sandbox import ROOT
from workflows.messages import TASK_QUEUE
from workflows.release_gate import RELEASE_GATE

PATCH = Path(__file__).with_name("next.patch")
PATCH_ID = "inspect-before-release"
GUARD = f' and workflow.patched("{PATCH_ID}")'
DEPLOYMENT = "orders"
FAILED = "temporal_workflow_task_execution_failed_total"
PAST_THE_PATCH = f'TemporalChangeVersion = "{PATCH_ID}" AND ExecutionStatus = "Running"'
REPORTED = 'TemporalReportedProblems IS NOT NULL AND ExecutionStatus = "Running"'


def next_code(folder: Path) -> Path:
    """What is committed or about to be, with the patch."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    subprocess.run(["git", "apply", str(PATCH)], cwd=folder, check=True)
    return folder


def without_guard(code: Path) -> None:
    """As whoever forgets it writes it."""
    file = code / "workflows/fulfillment.py"
    text = file.read_text()
    assert text.count(GUARD) == 1
    file.write_text(text.replace(GUARD, ""))


class Releases:
    """What an operator does with versions: by the commands of docs/operating.md."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.failed = 0.0
        """Workflow tasks, of workers that have ended."""
        self.environ = os.environ | {"TEMPORAL_ADDRESS": cluster.ring.address, "TEMPORAL_NAMESPACE": "orders"}

    def temporal(self, *words: str) -> str:
        command = [str(Path(sys.executable).with_name("temporal")), *words]
        done = subprocess.run(command, env=self.environ, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def workers(self, build_id: str, code: Path = ROOT, patches: str = "") -> list[Process]:
        """Two of this version, beside those of others; the ones it had before are drained."""
        made = []
        for n, port in enumerate(free_ports(2), start=1):
            name = f"worker-{build_id}-{n}"
            self.end([name])
            environ = {
                "TEMPORAL_DEPLOYMENT_NAME": DEPLOYMENT,
                "TEMPORAL_WORKER_BUILD_ID": build_id,
                "ORDERS_PATCHES": patches,
            }
            made.append(self.cluster.begin(name, "workers", port, code, **environ))
            made[-1].ready()
        return made

    def end(self, names: Sequence[str]) -> None:
        for name in names:
            if process := self.cluster.processes.pop(name, None):
                self.failed += process.metric(FAILED)
                process.running.stop(60)

    def roll(self, names: Sequence[str], code: Path) -> None:
        """API processes, one after another."""
        for name in names:
            before = self.cluster.processes[name]
            before.running.stop(60)
            self.cluster.begin(name, before.module, before.port, code).ready()

    def migrate(self, code: Path) -> None:
        environ = self.cluster.environ | {"PYTHONPATH": str(code)}
        command = [sys.executable, "-m", "starter.cli", "db", "upgrade"]
        done = subprocess.run(command, env=environ, cwd=code, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr

    # --- the engine's share ------------------------------------------------------------------------------------------

    def current(self, build_id: str) -> None:
        # a version is known a moment after its workers are
        words = ("worker", "deployment", "set-current-version", "--deployment-name", DEPLOYMENT, "--yes")
        self.cluster.until(lambda: self.temporal(*words, "--build-id", build_id), f"{build_id} to be current")

    def ramp(self, build_id: str, percentage: int) -> None:
        share = ["--percentage", str(percentage)] if percentage else ["--delete"]
        words = ("worker", "deployment", "set-ramping-version", "--deployment-name", DEPLOYMENT, "--yes")
        self.cluster.until(lambda: self.temporal(*words, "--build-id", build_id, *share), f"{build_id} to ramp")

    def unversioned(self) -> None:
        words = ("worker", "deployment", "set-current-version", "--deployment-name", DEPLOYMENT, "--yes")
        self.temporal(*words, "--unversioned")

    def drainage(self, build_id: str) -> str:
        words = ("worker", "deployment", "describe-version", "--deployment-name", DEPLOYMENT, "--build-id", build_id)
        found: dict[str, Any] = json.loads(self.temporal(*words, "--output", "json"))
        return str(found.get("drainageInfo", {}).get("drainageStatus", ""))

    def gate(self, build_id: str) -> str | None:
        """Asked of the version itself, as the Worker Controller asks; why it is not let in."""
        version = WorkerDeploymentVersion(DEPLOYMENT, build_id)
        client, cluster = self.cluster.client, self.cluster

        async def ask() -> None:
            await client.execute_workflow(
                RELEASE_GATE,
                id=f"gate-{build_id}",
                task_queue=TASK_QUEUE,
                versioning_override=PinnedVersioningOverride(version),
            )

        try:
            cluster.call(ask(), 240)
        except WorkflowFailureError as refusal:
            return str(refusal.cause.__cause__ or refusal.cause)
        return None

    def count(self, query: str) -> int:
        return int(self.cluster.call(self.cluster.client.count_workflows(query)).count)

    def served_by(self, build_id: str) -> int:
        """Orders that this version had the last word of."""
        return self.count(f"TemporalWorkerDeploymentVersion = '{DEPLOYMENT}:{build_id}' AND WorkflowType = 'Order'")

    def failures(self) -> float:
        workers = [each for each in self.cluster.processes.values() if each.module == "workers"]
        return self.failed + sum(worker.metric(FAILED) for worker in workers)

    def reset(self, query: str) -> int:
        """By the runbook's own command. How many there were."""
        runbook = (ROOT / "docs/operating.md").read_text().replace("\\\n", "").replace("PATCH", PATCH_ID)
        commands = re.findall(r"^temporal (workflow reset .*)$", runbook, re.MULTILINE)
        [command] = [each for each in commands if query in each]
        if found := self.count(query):
            self.temporal(*shlex.split(command))
        return found
