"""The drill of docs/deploying.md: database and engine are lost, and what is left is a dump of the tables."""

import re
import subprocess
from pathlib import Path

from sqlalchemy import text

from infra.sandbox.client import SandboxControl
from infra.temporal import DevServer
from tests.fixtures_shop import NewDatabase
from tests.postgres import programs
from tests.sandbox import ROOT
from tests.shop import PACE, Shop

CALM = {"ORDERS_HTTP_TIMEOUT": "20s", "ORDERS_START_TO_CLOSE": "25s", "ORDERS_STEP_PATIENCE": "15m"}


def test_every_order_comes_to_its_end_from_a_dump_beside_an_empty_engine(
    new_database: NewDatabase, engine_server: DevServer, sandbox: SandboxControl, tmp_path: Path
) -> None:
    lost, dump = new_database("lost", "postgresql"), tmp_path / "dump"
    sandbox.pace(PACE)
    with Shop(lost, engine_server, sandbox, settings=CALM) as shop:
        sku, missing = shop.product(OAK=2), shop.product()
        packing = shop.place({sku: 1}, by_hand=True)
        waiting = shop.place({missing: 1})
        shop.happened(packing, "requested", timeout=120)
        shop.happened(waiting, "authorized", timeout=120)
        program("pg_dump", "--format=custom", f"--file={dump}", lost.url)
    found = new_database("found", "postgresql")
    program("pg_restore", "--clean", "--if-exists", "--exit-on-error", f"--dbname={found.url}", str(dump))
    with Shop(found, engine_server, sandbox, settings=CALM) as shop:  # whose engine knows no order
        nudge_all_that_is_open(shop)
        shop.goes_by_itself(packing)
        shop.receive("OAK", {missing: 1})
        for order in (packing, waiting):
            shop.reaches(order, status="completed", timeout=120)
            books = shop.books(order)
            assert {name: books[name] for name in ("authorizations", "captures", "labels")} == {
                "authorizations": 1,
                "captures": 1,
                "labels": 1,
            }


def program(name: str, *arguments: str) -> None:
    subprocess.run([programs() / name, *arguments], check=True, capture_output=True)


def nudge_all_that_is_open(shop: Shop) -> None:
    """As the runbook has it."""
    (statement,) = re.findall(
        r"```sql\n(INSERT INTO relay .*?)```", (ROOT / "docs/operating.md").read_text(), re.DOTALL
    )
    with shop.database.sessions.begin() as tx:
        tx.execute(text(statement))
