"""Logs are JSON with the order's id, and say nothing about people."""

import json
import subprocess
import sys
from typing import Any

PROGRAM = """
import logging
import structlog
from infra.telemetry import log_to_stderr

log_to_stderr("worker")
log = structlog.get_logger("workers.worker")
with structlog.contextvars.bound_contextvars(order_id="W-1"):
    log.info("order placed", total=4410)
    try:
        try:
            raise KeyError("Ada Park")
        except KeyError as error:
            raise ValueError("215 Clayton St") from error
    except ValueError:
        log.exception("step failed")
        sdk = logging.getLogger("temporalio.activity")
        sdk.warning("activity failed", exc_info=True, extra={"temporal_activity": {"attempt": 2}})
logging.getLogger("httpx").info("GET /Messages?To=+14155550100")
logging.getLogger("infra.sandbox").info("ready on port %d", 80)
"""


def logged() -> list[dict[str, Any]]:
    done = subprocess.run([sys.executable, "-c", PROGRAM], stderr=subprocess.PIPE, text=True, check=True)
    for personal in ("Ada Park", "Clayton", "4155550100"):
        assert personal not in done.stderr
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_logs_are_words_and_fields() -> None:
    placed, failed, foreign, ready = logged()
    assert placed["event"] == "order placed"
    assert (placed["order_id"], placed["total"], placed["process"]) == ("W-1", 4410, "worker")
    assert [error["type"] for error in failed["exception"]] == ["ValueError", "KeyError"]
    assert foreign["temporal_activity"] == {"attempt": 2}
    assert ready["event"] == "ready on port 80"
