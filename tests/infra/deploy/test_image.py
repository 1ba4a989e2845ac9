"""What the image is built from and what it holds. That it can be built `make image-size` tries, without Docker."""

import re
import subprocess

from tests.infra.deploy.dockerfile import DOCKERFILE, ignored, stages
from tests.sandbox import ROOT

ROOMS = {"workflows", "activities", "workers", "starter", "infra"}


def test_it_has_three_targets_on_one_base() -> None:
    named = stages()
    assert {name: stage.base for name, stage in named.items()} == {
        "build": "${PYTHON_IMAGE}",
        "runtime": "${PYTHON_IMAGE}",
        "sandbox": "runtime",
    }
    assert re.findall(r"^ARG PYTHON_IMAGE=(.*)$", DOCKERFILE.read_text(), re.MULTILINE) == ["python:3.13-slim"]


def test_it_runs_as_a_number_that_is_not_root() -> None:
    for name in ("runtime", "sandbox"):
        assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", stages()[name].instructions("USER")[-1]), name


def test_a_signal_reaches_the_process_itself() -> None:
    runtime = stages()["runtime"]
    assert (runtime.listed("ENTRYPOINT"), runtime.listed("CMD")) == (["orders"], ["--help"])
    assert {word for word, _ in stages()["sandbox"].lines} <= {"USER", "COPY", "RUN", "ENV"}, "the same entry"


def test_the_runtime_holds_the_environment_and_nothing_that_built_it() -> None:
    runtime = stages()["runtime"]
    assert runtime.instructions("COPY") == ["--from=build /app /app"]
    assert runtime.instructions("RUN") == [], "no compiler, no package of the system"
    assert runtime.pairs("ENV").items() >= {"ORDERS_ENV_FILE": "", "ORDERS_HOME": "/tmp/orders"}.items()
    assert {name.removeprefix("org.opencontainers.image.") for name in runtime.pairs("LABEL")} == {
        *("title", "description", "licenses", "version", "revision", "created", "source")
    }


def test_every_package_is_the_one_that_a_lock_names() -> None:
    installs = [
        (name, command)
        for name, stage in stages().items()
        for run in stage.instructions("RUN")
        for command in run.split(" && ")
        if " install " in command and "pip" in command
    ]
    from_locks = [(name, *re.findall(r"-r \S*?(requirements\S*)", command)) for name, command in installs]
    assert from_locks == [
        ("build", "requirements-build.lock"),
        ("build", "requirements.lock"),
        ("build",),
        ("sandbox", "requirements-embedded.lock"),
    ]
    for _, command in installs:
        by_hash = "--require-hashes --only-binary=:all:" in command
        assert by_hash or "--no-deps --no-index /build/wheel/" in command, "our own wheel needs nothing else"


def test_only_the_code_reaches_the_build_and_no_secret() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    sent = {path for path in listed.stdout.splitlines() if not ignored(path)}
    copied = {
        source for stage in stages().values() for rest in stage.instructions("COPY") for source in rest.split()[:-1]
    }
    assert {path.split("/")[0] for path in sent} == copied - {"--from=build", "/app"}
    assert copied >= ROOMS
    assert not any(path.startswith("infra/deploy/") for path in sent)
    beside = [".env", ".git/config", "infra/deploy/secrets/database_url", "infra/deploy/.env", ".orders/orders.db"]
    beside += ["infra/__pycache__/clock.cpython-313.pyc", "tests/conftest.py", "infra/__pycache__"]
    assert [path for path in beside if not ignored(path)] == []
