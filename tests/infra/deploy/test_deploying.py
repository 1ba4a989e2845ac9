"""What docs/deploying.md names is there: files, objects of the cluster, programs and what they are asked for."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.infra.deploy.manifests import KUBERNETES, documents
from tests.infra.test_document_names import code
from tests.sandbox import ROOT

PAGE = ROOT / "docs/deploying.md"
OF_THE_CHART = {"service/temporal-web"}
ROOMS = r"(?:infra|docs|tests|starter|workers|workflows|activities|\.github|\.ci)"
PROGRAMS = {"kubectl", "helm", "temporal", "cosign", "tcld", "docker", "orders", "make"}


def test_each_file_is_there() -> None:
    named = {path for text in code(PAGE) for path in re.findall(rf"(?:^|[\s=\"']){ROOMS}/[\w./-]+", text)}
    missing = {path.strip(" =\"'") for path in named if not (ROOT / path.strip(" =\"'")).exists()}
    assert (len(named) > 10, missing) == (True, set())


def test_each_object_of_the_cluster_is_in_a_manifest() -> None:
    known = {f"{each['kind'].lower()}/{each['metadata']['name']}" for each in documents(KUBERNETES)}
    # a worker is a WorkerDeployment wherever there is a controller
    known |= {name.replace("deployment/", "workerdeployment/") for name in known} | OF_THE_CHART
    commands = [text for text in code(PAGE) if text.startswith("kubectl")]
    named = {each for text in commands for each in re.findall(r"\b[a-z]+/[a-z-]+(?=\s|$)", text) if "infra" not in text}
    assert (len(named) > 5, named - known) == (True, set())


def test_each_command_of_a_block_is_one() -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    lines = [re.sub(r"\s#.*", "", line).split() for block in blocks for line in block.splitlines() if line.strip()]
    assert {words[0] for words in lines} - PROGRAMS - {"./prepare", "cd"} == set()
    temporal = shutil.which("temporal", path=str(Path(sys.executable).parent))
    for words in [words for words in lines if words[0] == "temporal"]:
        asked = [word for word in words[1:] if not word.startswith("-")][:3]
        shown = subprocess.run([str(temporal), *asked, "--help"], check=True, capture_output=True, text=True).stdout
        assert {word for word in words if word.startswith("--")} <= {*re.findall(r"--[a-z-]+", shown)}
