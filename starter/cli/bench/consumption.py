"""What the processes of a stack have taken so far: CPU, and what they asked of the database. It is read before and
after; a process that is not on this machine, or has no such numbers, is left out."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from infra.database.counting import SOURCE, STATEMENTS, TRANSACTIONS

LISTENS = {"worker": "metrics", "api": "api", "engine": "engine", "sandbox": "sandbox"}
"""By process: the port, as the stack names it, by which it is found."""


@dataclass(frozen=True)
class Consumption:
    """By process."""

    cpu_ms: dict[str, float]
    statements: dict[str, float]
    transactions: dict[str, float]

    def per_order(self, before: "Consumption", orders: int) -> "Consumption":
        """Between two readings. Left out: what began or ended between them."""
        return Consumption(
            difference(self.cpu_ms, before.cpu_ms, orders),
            difference(self.statements, before.statements, orders),
            difference(self.transactions, before.transactions, orders),
        )

    def not_seen(self) -> list[str]:
        known = {"CPU": self.cpu_ms, "statements": self.statements, "transactions": self.transactions}
        asking = [name for name in LISTENS if name in ("worker", "api")]
        wanted = {"CPU": list(LISTENS), "statements": asking, "transactions": asking}
        return [f"{what} of {name}" for what in known for name in wanted[what] if name not in known[what]]


def difference(after: dict[str, float], before: dict[str, float], orders: int) -> dict[str, float]:
    return {
        name: round((value - before[name]) / orders, 2)
        for name, value in after.items()
        if name in before and value >= before[name]
    }


def consumption(ports: Mapping[str, int], api_url: str) -> Consumption:
    cpu = {name: cpu_ms(process) for name, process in processes(ports).items()}
    numbers = {"api": asked(f"{api_url}/metrics")}
    if "metrics" in ports:
        numbers["worker"] = asked(f"http://127.0.0.1:{ports['metrics']}/metrics")
    return Consumption(
        cpu_ms={name: cpu[name] for name in LISTENS if name in cpu},
        statements={name: numbers[name][STATEMENTS] for name in LISTENS if numbers.get(name)},
        transactions={name: numbers[name][TRANSACTIONS] for name in LISTENS if numbers.get(name)},
    )


def processes(ports: Mapping[str, int]) -> dict[str, psutil.Process]:
    """Those of this machine and this user that listen where the stack's processes do."""
    names = {ports[port]: name for name, port in LISTENS.items() if port in ports}
    found = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            for connection in process.net_connections("tcp"):
                if connection.status == psutil.CONN_LISTEN and connection.laddr.port in names:
                    found[names[connection.laddr.port]] = process
    return found


def cpu_ms(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system) * 1000


def asked(url: str) -> dict[str, float]:
    """What a process has asked of its database, but for what it was asked by GET: that is no order's, but a look at
    it. Empty where nobody answers; a worker that has done nothing yet has no such numbers, and asked nothing."""
    found: dict[str, float] = {}
    with suppress(httpx.HTTPError):
        answer = httpx.get(url, timeout=30, trust_env=False).raise_for_status()
        found = {STATEMENTS: 0, TRANSACTIONS: 0}
        for family in text_string_to_metric_families(answer.text):
            for sample in family.samples:
                if family.name in (STATEMENTS, TRANSACTIONS) and sample.name.endswith("_total"):
                    of_an_order = 0 if sample.labels[SOURCE].startswith("GET ") else sample.value
                    found[family.name] += of_an_order
    return found
