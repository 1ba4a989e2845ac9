"""Child processes get ready, end, and never outlive who started them."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra import processes
from infra.processes import EPHEMERAL, LOWEST_PORT, Child, NotReady, free_ports, start

IGNORES_SIGTERM = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
"""


def python(program: str, folder: Path) -> Child:
    return start("python", [sys.executable, "-c", program], log=folder / "log")


def ended(pid: int, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def test_readiness_by_line_port_and_url(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    child = start(
        "web", [sys.executable, "-u", "-m", "http.server", str(port), "--bind", "127.0.0.1"], log=tmp_path / "log"
    )
    assert child.wait_for_line(r"port (\d+)")[1] == str(port)
    child.wait_for_port(port)
    child.wait_for_url(f"http://127.0.0.1:{port}/", containing="Directory listing")
    with pytest.raises(NotReady, match="gave no http"):
        child.wait_for_url(f"http://127.0.0.1:{port}/", seconds=0.1, containing="engine is up")
    assert child.stop() == -signal.SIGTERM
    assert child.exit_code == -signal.SIGTERM


def test_one_that_ends_early_is_told_with_its_last_line(tmp_path: Path) -> None:
    child = python("import sys; sys.exit('setting STRIPE_API_KEY is missing')", tmp_path)
    with pytest.raises(NotReady, match="python ended with exit code 1: setting STRIPE_API_KEY is missing"):
        child.wait_for_line("ready")


def test_one_that_ends_by_an_error_is_told_with_that_error(tmp_path: Path) -> None:
    program = "import sys, traceback\ntry: 1 / 0\nexcept ZeroDivisionError: traceback.print_exc()\nsys.exit('Exiting.')"
    child = python(program, tmp_path)
    with pytest.raises(NotReady, match=r"python ended with exit code 1: ZeroDivisionError: division by zero$"):
        child.wait_for_line("ready")


def test_one_that_never_gets_ready_is_told(tmp_path: Path) -> None:
    child = python(IGNORES_SIGTERM, tmp_path)
    child.wait_for_line("ready")
    with pytest.raises(NotReady, match=r"gave no port .* within 0\.1 s"):
        child.wait_for_port(free_ports(1)[0], seconds=0.1)
    child.kill()


def test_one_that_does_not_listen_to_sigterm_is_killed(tmp_path: Path) -> None:
    child = python(IGNORES_SIGTERM, tmp_path)
    child.wait_for_line("ready")
    assert child.stop(patience=0.1) == -signal.SIGKILL


def test_what_an_earlier_process_wrote_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("ready\n")
    child = python("pass", tmp_path)
    with pytest.raises(NotReady):
        child.wait_for_line("ready")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    program = f"""
import os, signal, sys
from pathlib import Path
from infra.processes import start
print(start("sleep", ["sleep", "60"], log=Path({str(tmp_path / "child")!r})).pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=False)
    assert ended(int(done.stdout))


@pytest.mark.parametrize("code", [0, 1, 2])
def test_leaving_gives_the_code_and_loses_no_output(code: int) -> None:
    program = f"from infra.processes import leave; print('last words', end=''); leave({code})"
    done = subprocess.run(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=False, env={**os.environ}
    )
    assert (done.returncode, done.stdout) == (code, "last words")


def test_free_ports_differ() -> None:
    assert len(set(free_ports(20))) == 20


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says which ports it gives to outgoing connections")
def test_no_outgoing_connection_can_take_a_free_port() -> None:
    lowest = int(EPHEMERAL.read_text().split()[0])
    assert all(LOWEST_PORT <= port < lowest for port in free_ports(20))


def test_a_port_that_somebody_holds_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        taken = held.getsockname()[1]
        monkeypatch.setattr(processes, "_own_ports", lambda: [taken])
        assert taken not in free_ports(2)
