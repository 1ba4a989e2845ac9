"""`ORDERS_HOME`: where the embedded parts keep their state. All of it is for its owner only."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, field_serializer


class HomeError(Exception):
    """The folder is in use, or what it says cannot be read. One line."""


class Stack(BaseModel):
    """How the embedded stack of a home is reached; written by who starts it, read by every command."""

    model_config = ConfigDict(frozen=True)

    api_url: str
    api_key: SecretStr
    ports: dict[str, int] = {}
    """By what listens there: `engine`, `web_ui`, `sandbox`, `smtp`, `api`, `metrics`."""
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
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def read(self) -> Stack | None:
        """What the last `write` left; None when there was none."""
        try:
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
        with (self.path / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise HomeError(f"another process runs the stack in {self.path}: stop it, or set ORDERS_HOME") from None
            yield
