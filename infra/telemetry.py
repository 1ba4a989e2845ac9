"""What a process tells its operators: logs as JSON on stderr, numbers for Prometheus. Neither holds personal data."""

import logging
import sys
import traceback
from collections.abc import Iterable
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger
from temporalio import activity, workflow
from temporalio.runtime import LoggingConfig, LoggingFormat, PrometheusConfig, Runtime, TelemetryConfig

from infra.settings import SettingsError

OURS = ("workflows", "activities", "workers", "starter", "infra", "__main__")


def log_to_stderr(process: str, level: int = logging.INFO) -> None:
    """One JSON object a line, of our own code from `level` on, of what we stand on from WARNING on.

    Libraries name URLs, numbers and addresses in what they say at INFO.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _stamp(process),
        _exception_without_values,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.ExtraAdder(allow=("temporal_activity", "temporal_workflow")),
                *shared,
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(default=str),
            ],
        )
    )
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.WARNING)
    for room in OURS:
        logging.getLogger(room).setLevel(level)
    # the fields are kept apart, so the sentence need not repeat them
    activity.logger.activity_info_on_message = False
    workflow.logger.workflow_info_on_message = False


def runtime(metrics_address: str) -> Runtime:
    """The SDK's runtime, with its numbers at `http://{metrics_address}/metrics` unless that is empty. One a process.

    Raises `SettingsError` when nothing can listen there.
    """
    metrics = PrometheusConfig(
        bind_address=metrics_address, durations_as_seconds=True, counters_total_suffix=True, unit_suffix=True
    )
    telemetry = TelemetryConfig(
        metrics=metrics if metrics_address else None,
        logging=LoggingConfig(filter=LoggingConfig.default.filter, format=LoggingFormat.JSON),
    )
    try:
        return Runtime(telemetry=telemetry)
    except ValueError:
        raise SettingsError(
            "setting ORDERS_METRICS_ADDRESS cannot be used: expected an address of this machine and a free port"
        ) from None


def _stamp(process: str) -> Processor:
    def add(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["process"] = process
        return event

    return add


def _exception_without_values(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Types and places only: messages quote what a customer typed and what a vendor said about it."""
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["exception"] = list(_chain(error))
    return event


def _chain(error: BaseException) -> Iterable[dict[str, Any]]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield {"type": type(current).__qualname__, "at": _places(current.__traceback__)}
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _places(trace: TracebackType | None) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace, limit=-12)]
