"""The sandbox's Shippo, held against the vendor's published contract: what it takes, and what it answers."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import jsonschema_rs
import pytest

from infra.sandbox.client import SandboxControl
from infra.sandbox.shippo.parameters import ENDPOINTS
from tests.infra.sandbox.test_shippo import Shippo
from tests.specs import load, read

Json = dict[str, Any]


@pytest.fixture(scope="module")
def contract() -> Json:
    return read("shippo")


@pytest.fixture
def shippo(sandbox: SandboxControl) -> Iterator[Shippo]:
    shippo = Shippo(sandbox.shippo_base, f"K-{uuid4().hex[:10]}")
    yield shippo
    shippo.client.close()


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_every_parameter_is_declared_as_the_vendor_declares_it(method: str, path: str) -> None:
    assert load("shippo", prefix="/shippo").beyond(method, path, ENDPOINTS[method, path]) == []


def validator(contract: Json, name: str) -> Any:
    """JSON Schema of an answer, with OpenAPI 3.0's `nullable` said in JSON Schema's way."""

    def plain(schema: Any) -> Any:
        if isinstance(schema, list):
            return [plain(each) for each in schema]
        if not isinstance(schema, dict):
            return schema
        rest = {key: plain(value) for key, value in schema.items() if key != "nullable"}
        return {"anyOf": [rest, {"type": "null"}]} if schema.get("nullable") is True else rest

    schemas = plain(contract["components"]["schemas"])
    return jsonschema_rs.validator_for({"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}})


def valid(contract: Json, name: str, answer: Json) -> None:
    """Nested objects that the vendor's contract does not call nullable may be null all the same: it leaves that out."""
    wrong = [str(error) for error in validator(contract, name).iter_errors(without_nulls(answer))]
    assert not wrong, f"{name}: {wrong}"


def without_nulls(answer: Any) -> Any:
    if isinstance(answer, dict):
        return {name: without_nulls(value) for name, value in answer.items() if value is not None}
    return [without_nulls(each) for each in answer] if isinstance(answer, list) else answer


def test_every_answer_is_as_the_vendor_describes_it(contract: Json, shippo: Shippo) -> None:
    shipment = shippo.shipment()
    valid(contract, "Shipment", shipment)
    valid(contract, "Shipment", shippo.get(f"/shipments/{shipment['object_id']}"))
    valid(contract, "Rate", shippo.get(f"/rates/{shipment['rates'][0]['object_id']}"))
    label = shippo.post("/transactions", {"rate": shipment["rates"][0]["object_id"], "async": False})
    valid(contract, "Transaction", label)
    valid(contract, "TransactionPaginatedList", shippo.get("/transactions", rate=shipment["rates"][0]["object_id"]))
    valid(contract, "Track", shippo.get(f"/tracks/usps/{label['tracking_number']}"))
    refund = shippo.post("/refunds", {"transaction": label["object_id"]})
    valid(contract, "Refund", refund)
    valid(contract, "Refund", shippo.get(f"/refunds/{refund['object_id']}"))
    valid(contract, "Transaction", shippo.get(f"/transactions/{label['object_id']}"))


def test_answers_about_trouble_are_as_the_vendor_describes_them(contract: Json, shippo: Shippo) -> None:
    valid(contract, "Shipment", shippo.shipment("00000"))
    valid(contract, "Transaction", shippo.label("00001"))


def test_the_answer_meant_to_be_unreadable_differs_from_the_contract_only_there(contract: Json, shippo: Shippo) -> None:
    label = shippo.label("00003")
    with pytest.raises(AssertionError, match="PDF_FUTURE"):
        valid(contract, "Transaction", label)
    valid(contract, "Transaction", label | {"label_file_type": "PDF_4x6"})
