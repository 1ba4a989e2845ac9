"""The engine is found, knows what it must, and its clock can be moved."""

import asyncio
import shlex
import socket
import sqlite3
import sys
from asyncio.subprocess import PIPE
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from google.protobuf.duration_pb2 import Duration
from pydantic import BaseModel
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, WorkerDeploymentVersion
from temporalio.testing import TimeSkipper
from temporalio.worker import Worker

from infra import temporal as engines
from infra.settings import SettingsError
from infra.temporal import (
    DATA_CONVERTER,
    SEARCH_ATTRIBUTES,
    DevServer,
    EngineError,
    connect,
    deployment_version,
    register_search_attributes,
    start_dev_server,
)
from tests.infra.refusing import refusing
from tests.infra.sleeper import Sleeper
from workflows import messages


async def test_settings_that_cannot_be_read_are_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "temporal.toml"
    file.write_text('[profile.default]\naddress = "x:1"\napi_key = sesame\n')
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(file))
    with pytest.raises(EngineError, match="TEMPORAL_CONFIG_FILE") as malformed:
        await connect()
    with pytest.raises(EngineError, match="TEMPORAL_ADDRESS") as astray:
        await connect({"TEMPORAL_ADDRESS": "user:sesame@host:x"})
    assert "sesame" not in f"{malformed.value} {astray.value}"


async def in_new_namespace(server: DevServer, client: Client) -> Client:
    name = f"n-{uuid4().hex[:8]}"
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=Duration(seconds=86400))
    )
    elsewhere = await connect(server.settings() | {"TEMPORAL_NAMESPACE": name})
    deadline = asyncio.get_running_loop().time() + 10
    while True:  # a namespace is known a moment after it was registered
        try:
            await registered(elsewhere)
        except Exception:
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.05)
        else:
            return elsewhere


async def registered(client: Client) -> set[str]:
    listed = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    return set(listed.custom_attributes)


async def test_the_embedded_engine_knows_our_search_attributes(temporal: Client) -> None:
    assert set(SEARCH_ATTRIBUTES) <= await registered(temporal)


def test_orders_are_searched_by_what_the_engine_is_told_of() -> None:
    used = [each for each in vars(messages).values() if isinstance(each, SearchAttributeKey)]
    assert {key.name: key.indexed_value_type.name.replace("_", "") for key in used} == {
        name: kind.upper() for name, kind in SEARCH_ATTRIBUTES.items()
    }


async def test_missing_search_attributes_are_registered_once(temporal: Client, engine_server: DevServer) -> None:
    elsewhere = await in_new_namespace(engine_server, temporal)
    assert not set(SEARCH_ATTRIBUTES) & await registered(elsewhere)
    await register_search_attributes(elsewhere)
    assert set(SEARCH_ATTRIBUTES) <= await registered(elsewhere)
    await register_search_attributes(elsewhere)


async def test_search_attributes_that_cannot_be_registered_are_named(
    temporal: Client, engine_server: DevServer
) -> None:
    elsewhere = await in_new_namespace(engine_server, temporal)
    for name in ("One", "Two", "Three"):  # as many as there may be
        await elsewhere.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=elsewhere.namespace,
                search_attributes={name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST},
            )
        )
    with pytest.raises(EngineError, match=r"not register: .*OrderAttention.*; have them made: temporal operator"):
        await register_search_attributes(elsewhere)


async def test_search_attributes_that_may_not_be_added_are_named_with_the_command_that_makes_them(
    temporal: Client, engine_server: DevServer
) -> None:
    elsewhere = await in_new_namespace(engine_server, temporal)
    with pytest.raises(EngineError) as stopped:
        await register_search_attributes(refusing(elsewhere, "add_search_attributes"))
    message = str(stopped.value)
    assert f"namespace {elsewhere.namespace} lacks search attributes that we may not register: OrderStatus" in message
    for each in message.partition("; have them made: ")[2].split(" && "):
        await run(engine_server, each)
    await register_search_attributes(refusing(elsewhere, "add_search_attributes"))


async def run(server: DevServer, command: str) -> None:
    """As it is printed, by whoever may."""
    words = [str(Path(sys.executable).with_name("temporal")), *shlex.split(command)[1:], "--address", server.address]
    ran = await asyncio.create_subprocess_exec(*words, stdout=PIPE, stderr=PIPE)
    assert (await ran.communicate(), ran.returncode)[1] == 0


async def test_a_search_attribute_of_another_type_is_named(temporal: Client, engine_server: DevServer) -> None:
    elsewhere = await in_new_namespace(engine_server, temporal)
    await elsewhere.operator_service.add_search_attributes(
        AddSearchAttributesRequest(
            namespace=elsewhere.namespace, search_attributes={"OrderStatus": IndexedValueType.INDEXED_VALUE_TYPE_TEXT}
        )
    )
    with pytest.raises(EngineError, match="another type than ours: OrderStatus"):
        await register_search_attributes(elsewhere)


async def test_an_unknown_namespace_is_named(engine_server: DevServer) -> None:
    with pytest.raises(EngineError, match=r"^no namespace nowhere: create it, or set TEMPORAL_NAMESPACE$"):
        await connect(engine_server.settings() | {"TEMPORAL_NAMESPACE": "nowhere"})


async def test_an_engine_that_is_too_old_is_refused(engine_server: DevServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert engines.OLDEST == (1, 30)
    monkeypatch.setattr(engines, "OLDEST", (99, 0))
    with pytest.raises(
        EngineError, match=r"^the engine has version 1\.\d+\S*: upgrade it, orders need 99\.0 or later$"
    ):
        await connect(engine_server.settings())


async def test_who_can_do_without_the_engine_does_not_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "PATIENCE_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{silent.getsockname()[1]}")
        client = await engines.connect_if_up()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.service_client.check_health()


async def test_the_key_of_the_engine_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("of many letters\n")
    client = await connect({"TEMPORAL_API_KEY_FILE": str(tmp_path / "key")}, lazy=True)
    assert client.service_client.config.api_key == "of many letters"


async def test_an_engine_that_does_not_answer_is_told_in_one_line() -> None:
    with pytest.raises(EngineError, match=r"no engine answers at 127\.0\.0\.1:1: check TEMPORAL_ADDRESS") as refused:
        await connect({"TEMPORAL_ADDRESS": "127.0.0.1:1"})
    assert "\n" not in str(refused.value)


async def test_malformed_settings_of_the_engine_are_told() -> None:
    with pytest.raises(EngineError, match="TEMPORAL_"):
        await connect({"TEMPORAL_ADDRESS": "127.0.0.1:1", "TEMPORAL_TLS_CLIENT_CERT_PATH": "/nowhere"})


async def test_payloads_carry_only_what_was_set() -> None:
    class Wish(BaseModel):
        order_id: str
        note: str | None = None

    payload = (await DATA_CONVERTER.encode([Wish(order_id="W-1")]))[0]
    assert payload.data == b'{"order_id":"W-1"}'
    assert await DATA_CONVERTER.decode([payload], [Wish]) == [Wish(order_id="W-1")]


async def test_sixty_days_pass_at_once(temporal: Client, time_skipper: TimeSkipper) -> None:
    name = f"sleeper-{uuid4()}"
    async with Worker(temporal, task_queue=name, workflows=[Sleeper]):
        handle = await temporal.start_workflow(Sleeper.run, 60, id=name, task_queue=name)
        async with asyncio.timeout(20):
            await time_skipper.fast_forward(handle, timedelta(days=61))
            woken = await handle.result()
    assert woken == (datetime.now(UTC) + timedelta(days=60)).date().isoformat()


async def test_the_embedded_engine_remembers_what_it_was_told(tmp_path: Path) -> None:
    name = f"sleeper-{uuid4()}"
    for run in ("first", "second"):
        server = start_dev_server(tmp_path / "log", database=tmp_path / "engine.db")
        client = await connect(server.settings())
        if run == "first":
            await client.start_workflow(Sleeper.run, 60, id=name, task_queue=name)
        assert (await client.get_workflow_handle(name).describe()).status is not None
        with closing(sqlite3.connect(tmp_path / "engine.db")) as file:
            assert file.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        server.child.kill()


def test_a_worker_is_a_version_where_its_deployment_is_named() -> None:
    assert deployment_version({}) is None
    assert deployment_version({"TEMPORAL_DEPLOYMENT_NAME": "", "TEMPORAL_WORKER_BUILD_ID": ""}) is None
    both = {"TEMPORAL_DEPLOYMENT_NAME": "shop/orders", "TEMPORAL_WORKER_BUILD_ID": "v2"}
    assert deployment_version(both) == WorkerDeploymentVersion("shop/orders", "v2")
    for lacking, other in ([*both], [*both][::-1]):
        with pytest.raises(SettingsError, match=f"setting {lacking} is missing: expected .*, as {other} is set"):
            deployment_version({other: "v2"})
