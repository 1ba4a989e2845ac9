"""The API is what its document says it is, whatever is thrown at it."""

import asyncio
import json
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from activities.facts import catalogue
from activities.intake.order import AskedOrder
from infra.database import engine
from infra.database.upgrade import upgrade
from infra.processes import free_ports
from infra.settings import Settings
from infra.temporal import connect
from starter import keys
from starter.app import build
from tests.starter.door import ADDRESS, an_order

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    unsupported_method,
]


@pytest.fixture(scope="module")
def served(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """URL and key of an API that runs in a thread, with an order to talk about and no engine."""
    opened = engine.create(f"sqlite:///{tmp_path_factory.mktemp('openapi') / 'orders.db'}", durable=False)
    upgrade(opened)
    with engine.sessions(opened).begin() as tx:
        key = keys.create(tx, "fuzz", ["admin"])
        catalogue.product_put(tx, "MUG-BLUE", name="Mug", weight_g=350, lead_time_days=14)
        catalogue.location_put(
            tx, "OAK", name="Oak", kind="warehouse", priority=1, warehouse="default", address=ADDRESS
        )
    port, away = free_ports(2)
    server: uvicorn.Server | None = None

    async def serve() -> None:
        nonlocal server
        app = build(settings, opened, await connect({"TEMPORAL_ADDRESS": f"127.0.0.1:{away}"}, lazy=True))
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None))
        await server.serve()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    while server is None or not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    url = f"http://127.0.0.1:{port}"
    httpx.post(f"{url}/v1/orders", json=an_order(), headers={"Authorization": f"Bearer {key}"}).raise_for_status()
    yield url, key
    server.should_exit = True
    thread.join()
    opened.dispose()


@pytest.fixture(scope="module")
def document(served: tuple[str, str]) -> Any:
    return httpx.get(f"{served[0]}/openapi.json").json()


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_whatever_comes_is_answered_as_documented(served: tuple[str, str], mode: GenerationMode) -> None:
    url, key = served
    document = schemathesis.openapi.from_url(f"{url}/openapi.json")
    for found in document.include(path_regex="^/v1/").get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()

        @given(case=operation.as_strategy(generation_mode=mode))
        @hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
        def ask(case: Any) -> None:
            case.headers["Authorization"] = f"Bearer {key}"
            case.headers.pop("prefer", None)
            case.call_and_validate(checks=CHECKS)

        ask()


def test_the_document_is_openapi_3_1_with_an_example_that_holds(document: Any) -> None:
    assert document["openapi"].startswith("3.1")
    (example,) = document["components"]["schemas"]["AskedOrder"]["examples"]
    AskedOrder.model_validate_json(json.dumps(example))
    assert "Problem" in document["components"]["schemas"]
    assert "HTTPValidationError" not in json.dumps(document)
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            assert call["summary"], (method, path)
            for status, answer in call["responses"].items():
                if int(status) >= 400 and path not in ("/readyz",):
                    assert list(answer["content"]) == ["application/problem+json"], (method, path, status)


def test_the_reference_page_needs_nothing_from_elsewhere(served: tuple[str, str]) -> None:
    page = httpx.get(f"{served[0]}/docs")
    policy = page.headers["content-security-policy"]
    assert page.status_code == 200
    assert "default-src 'none'" in policy
    assert "script-src 'self' 'sha256-" in policy
    assert "//" not in re.sub(r"<!--.*?-->", "", page.text, flags=re.DOTALL)
    named = re.findall(r"(?:src|href)=\"([^\"]+)\"|url: '([^']+)'", page.text)
    kinds = {}
    for address in {one or other for one, other in named}:
        answer = httpx.get(httpx.URL(f"{served[0]}/docs").join(address))
        assert answer.status_code == 200, address
        kinds[address.rsplit("/")[-1]] = answer.headers["content-type"].partition(";")[0]
    assert kinds == {
        "swagger-ui-bundle.js": "text/javascript",
        "swagger-ui.css": "text/css",
        "favicon-32x32.png": "image/png",
        "openapi.json": "application/json",
    }


def test_what_no_route_takes_is_a_problem_too(served: tuple[str, str]) -> None:
    for method, path, status in (("GET", "/nowhere", 404), ("DELETE", "/v1/orders", 405)):
        answer = httpx.request(method, f"{served[0]}{path}")
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
