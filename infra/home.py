"""`ORDERS_HOME`: where the embedded parts keep their state. All of it is for its owner only."""

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, field_serializer

KEPT = ("stack.json", "lock", "tour.json", "orders.db*", "engine.db*", "sandbox", "sandbox/*", "logs", "logs/*")
"""What is ours here; whatever else lies in the folder is left alone."""


class HomeError(Exception):
    """The folder is in use, or what it says cannot be read. One line."""


class Stack(BaseModel):
    """How the embedded stack of a home is reached; written by who starts it, read by every command."""

    model_config = ConfigDict(frozen=True)

    api_url: str
    api_key: SecretStr
    ports: dict[str, int] = {}
    """By what listens there: `engine`, `web_ui`, `sandbox`, `smtp`, `api`, `metrics`."""
    sandboxed: list[str] = []
    """The parts that the sandbox plays; all others are real."""
    secrets: dict[str, SecretStr] = {}
    """By the setting they are for; kept, so that a restarted stack still knows its own webhooks."""

    @field_serializer("api_key", when_used="json")
    def _write_key(self, key: SecretStr) -> str:
        return key.get_secret_value()

    @field_serializer("secrets", when_used="json")
    def _write_secrets(self, secrets: dict[str, SecretStr]) -> dict[str, str]:
        return {name: secret.get_secret_value() for name, secret in secrets.items()}


@dataclass(frozen=True)
class Home:
    """One folder, one stack."""

    path: Path

    @property
    def database(self) -> Path:
        return self.path / "orders.db"

    @property
    def engine(self) -> Path:
        return self.path / "engine.db"

    @property
    def sandbox(self) -> Path:
        return self.path / "sandbox"

    @property
    def stack(self) -> Path:
        return self.path / "stack.json"

    def log(self, name: str) -> Path:
        """Where the process of that name writes."""
        folder = self.path / "logs"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder / f"{name}.log"

    def make(self) -> None:
        """Makes the folder, and what is in it already its owner's only."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        keep_private(self.path)
        for path in (path for pattern in KEPT for path in self.path.glob(pattern)):
            if path.is_symlink():
                raise linked(path)
            keep_private(path)

    def read(self) -> Stack | None:
        """What the last `write` left; None when there was none."""
        try:
            if self.stack.is_symlink():
                raise linked(self.stack)
            return Stack.model_validate_json(self.stack.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError:
            raise HomeError(f"{self.stack} is damaged: delete it and start again") from None

    def write(self, stack: Stack) -> None:
        """All or nothing, whenever the power goes; mode 0600."""
        self.make()
        handle, name = tempfile.mkstemp(dir=self.path, prefix=".stack-")
        try:
            with os.fdopen(handle, "w") as file:
                file.write(stack.model_dump_json(indent=2) + "\n")
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.stack)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    @contextmanager
    def held(self) -> Iterator[None]:
        """Only one process at a time runs the stack of a home; a killed one holds nothing."""
        self.make()
        flags = os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW
        with os.fdopen(os.open(self.path / "lock", flags, 0o600), "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise HomeError(f"another process runs the stack in {self.path}: stop it, or set ORDERS_HOME") from None
            yield


def keep_private(path: Path) -> None:
    """Takes from group and others what an older version, or a laxer umask, gave them."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            path.chmod(mode & 0o700)
    except FileNotFoundError:  # SQLite's log of changes goes with the last connection
        pass
    except PermissionError:
        raise HomeError(f"{path} belongs to somebody else: give it to this user, or set ORDERS_HOME") from None


def linked(path: Path) -> HomeError:
    return HomeError(f"{path} is a link, and may lead anywhere: put the file itself there, or set ORDERS_HOME")
