"""The sandbox as a process of its own."""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from infra.processes import Child, free_ports, start
from infra.sandbox.client import Mode, Provider, SandboxControl

__all__ = ["ROOT", "SANDBOX_TOKEN", "SECRETS", "Mode", "Provider", "SandboxControl", "SandboxProcess"]

ROOT = Path(__file__).resolve().parent.parent

SECRETS = {
    "STRIPE_WEBHOOK_SECRET": "whsec_the-tests-of-durable-orders",
    "SHIPPO_WEBHOOK_SECRET": "shippo-tests-of-durable-orders",
    "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
    "TWILIO_AUTH_TOKEN": "the-token-of-twilio-in-tests",
    "ORDERS_PICKUP_KEY": "the-key-of-pickups-in-the-tests",
    "WAREHOUSE_SECRET": "whsec_dGhlIHdhcmVob3VzZSBzZWNyZXQgb2YgdGVzdHM=",
}
SANDBOX_TOKEN = "the-sandbox-token-of-the-tests"


@dataclass
class SandboxProcess:
    """`python -m infra.sandbox`, started, killed and started again on the same state."""

    state: Path
    pace: float | None = None
    port: int = field(default_factory=lambda: free_ports(1)[0])
    smtp_port: int = field(default_factory=lambda: free_ports(1)[0])
    public_url: str | None = None
    parts: str | None = None
    patience: float = 30
    running: Child | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        command = [sys.executable, "-m", "infra.sandbox", "--state", str(self.state)]
        command += ["--port", str(self.port), "--smtp-port", str(self.smtp_port)]
        command += [] if self.pace is None else ["--pace", str(self.pace)]
        command += [] if self.parts is None else ["--parts", self.parts]
        new = not self.state.exists() or not any(self.state.iterdir())
        settings = {
            "ORDERS_SANDBOX_TOKEN": SANDBOX_TOKEN,
            "TWILIO_API_BASE": f"{self.url}/twilio",
            "ORDERS_ENV_FILE": "",
        }
        settings |= {"PUBLIC_URL": self.public_url or "http://127.0.0.1:1"}
        log = self.state.with_name(f"{self.state.name}.log")
        self.running = start("sandbox", command, log=log, environ={**os.environ, **SECRETS, **settings}, folder=ROOT)
        self.running.wait_for_line("sandbox ready", self.patience)
        if new and self.public_url is None:
            # Nobody listens yet: webhooks wait until they are told where to go.
            control = SandboxControl(self.url, SANDBOX_TOKEN)
            control.webhooks_to(None)
            control.close()
        return self

    def kill(self) -> None:
        """As a crash does: no warning."""
        assert self.running is not None
        self.running.kill()
        self.running = None

    def stop(self) -> int:
        assert self.running is not None
        code = self.running.stop(patience=15)
        self.running = None
        return code
