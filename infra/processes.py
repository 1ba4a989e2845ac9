"""Child processes that never outlive their parent, and how a process of ours ends."""

import asyncio
import ctypes
import gc
import logging
import os
import pwd
import random
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import NoReturn, TypeVar

POLL_SECONDS = 0.02
PR_SET_PDEATHSIG = 1
TRACEBACK = "Traceback (most recent call last):"
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
LOWEST_PORT = 10000
GARBAGE = 20_000
"""New objects that are left before the collector looks; 700, unless somebody says."""
T = TypeVar("T")
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class NotReady(Exception):
    """A process ended, or did not get ready in time. One line: its name, and why, in its own words."""


@dataclass(frozen=True)
class Child:
    """A running process; all that it writes goes to `log`."""

    name: str
    log: Path
    log_start: int
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative when a signal ended it."""
        return self.process.poll()

    def wait_for_port(self, port: int, host: str = "127.0.0.1", seconds: float = 30) -> None:
        self._wait(lambda: _listens(host, port), f"port {port}", seconds)

    def wait_for_url(self, url: str, seconds: float = 30, containing: str = "") -> None:
        """Until `url` answers with a 2xx, and `containing` in it."""
        self._wait(lambda: _answers(url, containing.encode()), url, seconds)

    def wait_for_line(self, pattern: str, seconds: float = 30) -> re.Match[str]:
        """Until it has written what `pattern` matches; gives the match."""
        return self._wait(lambda: re.search(pattern, self.written()), f"a line like {pattern!r}", seconds)

    def written(self) -> str:
        """What this process wrote so far, not what earlier ones left in the same log."""
        with self.log.open("rb") as log:
            log.seek(self.log_start)
            return log.read().decode(errors="replace")

    def stop(self, patience: float = 30) -> int:
        """SIGTERM; after `patience` seconds SIGKILL, also to its own children. Gives its exit code."""
        if self.exit_code is None:
            self.process.terminate()
            try:
                return self.process.wait(patience)
            except subprocess.TimeoutExpired:
                return self.kill()
        return self.process.wait()

    def kill(self) -> int:
        """SIGKILL at once, also to its own children. Gives its exit code."""
        if self.exit_code is None:
            os.killpg(self.pid, signal.SIGKILL)
        return self.process.wait()

    def _wait(self, ready: Callable[[], T | None], what: str, seconds: float) -> T:
        deadline = time.monotonic() + seconds
        while (found := ready()) is None:
            if self.exit_code is not None:
                raise NotReady(f"{self.name} ended with exit code {self.exit_code}: {self.last_words()}")
            if time.monotonic() > deadline:
                raise NotReady(f"{self.name} gave no {what} within {seconds:g} s: {self.last_words()}")
            time.sleep(POLL_SECONDS)
        return found

    def last_words(self) -> str:
        """For whoever asks why it ended: the error of its last traceback, else the last line that it wrote."""
        text = self.written().strip()
        if raised := re.search(r"^\w.*", text.rpartition(TRACEBACK)[2], re.MULTILINE) if TRACEBACK in text else None:
            return raised[0].strip()
        return text.splitlines()[-1].strip() if text else f"it wrote nothing to {self.log}"


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    user: str | None = None,
) -> Child:
    """Starts a process in a session of its own, where no Ctrl-C meant for us reaches it.

    On Linux it is killed when the *thread* that started it ends: start processes from the main thread.
    """
    account = pwd.getpwnam(user) if user else None
    with log.open("ab") as out:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environ,
            cwd=folder,
            start_new_session=True,
            preexec_fn=_die_with(os.getpid()),
            user=account and account.pw_uid,
            group=account and account.pw_gid,
            extra_groups=[] if account else None,
        )
        return Child(name, log, out.tell(), process)


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nothing listens on, all different.

    Outside of those that the system gives to outgoing connections: one of these may take the port before a server of
    ours listens on it, or while the server is away. Where the system does not say which they are, it chooses itself.
    """
    with ExitStack() as sockets:
        held: list[socket.socket] = []
        for port in chain(_own_ports(), repeat(0, count)):
            if len(held) == count:
                break
            each = sockets.enter_context(socket.socket())
            with suppress(OSError):
                each.bind(("127.0.0.1", port))
                held.append(each)
        return [each.getsockname()[1] for each in held]


def _own_ports() -> list[int]:
    """At random, so that two who ask at once seldom get the same."""
    try:
        lowest = int(EPHEMERAL.read_text().split()[0])
    except OSError:
        return []
    below = range(LOWEST_PORT, lowest)
    return random.SystemRandom().sample(below, min(len(below), 1000))


def is_free(port: int) -> bool:
    """Whether a server of ours could listen on that port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def told_to_stop() -> asyncio.Event:
    """Set by SIGTERM or Ctrl-C, from now on; for the running loop."""
    event = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, event.set)
    return event


def begin_work() -> None:
    """What was made until now lasts as long as the process: the collector of garbage went through all of it again and
    again, for a fifteenth of a worker's time. And it looks for cycles more rarely, as most that is made for a request
    or a step is gone without it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE)


def leave(code: int) -> NoReturn:
    """Ends this process with `code`, truly: the engine's client can abort or hang while the interpreter shuts down.

    See temporalio/sdk-python #300. Nothing registered with `atexit` runs: close what must be closed before.
    """
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (BrokenPipeError, ValueError):
            code = code or 1
    os._exit(code)


def _die_with(parent: int) -> Callable[[], None]:
    def prepare() -> None:
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:  # it died before we could ask
                os._exit(1)

    return prepare


def _listens(host: str, port: int) -> bool | None:
    with socket.socket() as probe:
        probe.settimeout(1)
        return True if probe.connect_ex((host, port)) == 0 else None


def _answers(url: str, containing: bytes) -> bool | None:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return True if 200 <= answer.status < 300 and containing in answer.read() else None
    except (urllib.error.URLError, OSError, ValueError):
        return None
