"""A database that orders were played on is upgraded under them: older code runs on as long as it may, and nobody waits
for a lock that a migration waits for."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from string import Template
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, func, insert, inspect, make_url, select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from infra.database import engine
from infra.database.tables import Order, Product, metadata
from infra.database.upgrade import (
    VERSIONS,
    Blocked,
    NotCurrent,
    Patience,
    Unusable,
    migrate,
    opened,
    require_current,
    upgrade,
    versions,
)
from infra.sandbox.client import SandboxControl
from infra.settings import Settings
from infra.temporal import DevServer
from tests.fixtures_database import Database
from tests.infra.database.rows import product
from tests.played import KINDS, Copies, Played, read_everything
from tests.shop import PACE, Shop

CURRENT = versions()[-1]
NEXT = f"{int(CURRENT) + 1:04}"
QUICK = Patience(lock_seconds=0.2, pause_seconds=0.1)


def planted(folder: Path, name: str) -> Path:
    """The migrations, and one more."""
    shutil.copytree(VERSIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    text = Template((Path(__file__).parent / f"planted/{name}.txt").read_text())
    (folder / f"{NEXT}_{name}.py").write_text(text.substitute(head=CURRENT, next=NEXT))
    return folder


def test_each_migration_says_which_code_may_run_on_it() -> None:
    before = ""
    for file in sorted(VERSIONS.glob("0*.py")):
        module: Any = import_module(f"infra.database.migrations.versions.{file.stem}")
        assert before <= module.runs_with <= module.revision, f"{file.name}: none older than those before allow"
        before = module.runs_with


@pytest.mark.both_databases
def test_older_code_reads_everything_and_completes_an_order_on_tables_that_were_expanded(
    database_kind: str,
    copied: Copies,
    played: Played,
    engine_server: DevServer,
    sandbox: SandboxControl,
    tmp_path: Path,
) -> None:
    """On PostgreSQL as a user who may not change them."""
    copy, folder = copied(database_kind), planted(tmp_path / "versions", "expanding")
    before = rows(copy.engine)
    with as_runtime(copy, folder) if database_kind == "postgresql" else upgraded(copy, folder) as database:
        assert rows(database.engine) == before | {"migrations": before["migrations"] + 1}
        with database.sessions() as tx:
            assert tx.scalar(text("SELECT count(*) FROM orders WHERE NOT wrapped")) == before["orders"]
        assert require_current(database.engine) == upgrade(database.engine) == NEXT, "this code is the older now"
        with Shop(database, engine_server, sandbox) as shop:
            sandbox.pace(PACE)
            found = read_everything(shop, played.orders)
            assert found[f"/v1/orders/{played.orders['plain']}"]["status"] == "completed"
            order = shop.place({shop.product(OAK=1): 1})
            shop.reaches(order, status="completed", timeout=60)


@contextmanager
def upgraded(copy: Database, folder: Path) -> Iterator[Database]:
    assert upgrade(copy.engine, folder) == NEXT
    yield copy


@contextmanager
def as_runtime(copy: Database, folder: Path) -> Iterator[Database]:
    """The tables belong to one user, who upgrades; the processes are another, who may do nothing before that."""
    names = f"owner_{uuid4().hex[:8]}", f"runtime_{uuid4().hex[:8]}"
    address = make_url(copy.url)
    owner, runtime = (address.set(username=name).render_as_string(hide_password=False) for name in names)
    with copy.engine.begin() as connection:
        for name in names:
            connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN")
        connection.exec_driver_sql(f"GRANT CREATE ON SCHEMA public TO {names[0]}")
        for table in inspect(connection).get_table_names():
            connection.exec_driver_sql(f"ALTER TABLE {table} OWNER TO {names[0]}")
    with pytest.raises(Unusable, match=rf"user {names[1]} .*GRANT SELECT.* ON .*\bevents\b.* TO {names[1]}") as refused:
        opened(runtime, 1)
    assert "\n" not in str(refused.value)
    settings = {"DATABASE_URL": runtime, "ORDERS_MIGRATION_DATABASE_URL": owner}
    assert migrate(Settings.from_environment(settings), folder) == NEXT
    of_it = opened(runtime, 40)
    with of_it.connect() as connection, pytest.raises(ProgrammingError, match="InsufficientPrivilege"):
        connection.exec_driver_sql("ALTER TABLE orders ADD COLUMN mine int")
    yield Database(runtime, of_it, engine.sessions(of_it))
    of_it.dispose()
    with copy.engine.begin() as connection:
        connection.exec_driver_sql(f"REVOKE INSERT ON orders FROM {names[1]}")
    with pytest.raises(Unusable, match=rf"run `GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO {names[1]}`$"):
        opened(runtime, 1)


def rows(opened: Engine) -> dict[str, int]:
    with opened.connect() as connection:
        counted = {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in metadata.sorted_tables
        }
    assert counted["orders"] == len(KINDS) and counted["events"] > 100, counted  # noqa: PT018
    return counted


@pytest.mark.both_databases
def test_older_code_is_refused_on_tables_that_lack_what_it_uses(database: Database, tmp_path: Path) -> None:
    folder = planted(tmp_path / "versions", "contracting")
    assert upgrade(database.engine, folder) == require_current(database.engine, folder) == NEXT
    for refused in (require_current, upgrade):
        with pytest.raises(NotCurrent, match=rf"at {NEXT}, and code older than {NEXT} .* this is {CURRENT}: install"):
            refused(database.engine)


@contextmanager
def in_use(opened: Engine) -> Iterator[Callable[[], None]]:
    """Somebody has read an order, and stays in the transaction until this is called."""
    with opened.connect() as connection:
        connection.execute(select(Order.order_id)).all()
        yield connection.commit


def test_while_a_migration_waits_for_a_lock_the_shop_goes_on(new_postgres: Callable[[], str], tmp_path: Path) -> None:
    folder, waits = planted(tmp_path / "versions", "expanding"), list[str]()
    database = engine.create(new_postgres())
    with in_use(database) as let_go:
        with pytest.raises(
            Blocked, match=r"in use: process \d+ of \w+ \(durable-orders\), whose transaction began \d+ s"
        ):
            upgrade(database, folder, patience=QUICK._replace(lock_seconds=0.5, tries=1))
        assert require_current(database) == CURRENT
        waiting = threading.Thread(target=lambda: upgrade(database, folder, patience=QUICK, say=waits.append))
        waiting.start()
        longest, end = 0.0, time.monotonic() + 30
        while not waits or longest < 0.05:
            began = time.monotonic()
            with database.connect() as connection:
                connection.execute(select(Order.order_id)).all()
            longest = max(longest, time.monotonic() - began)
            assert time.monotonic() < end, f"the migration never waited: {waits} {longest}"
        assert longest < 5, "whoever comes after it waits no longer than it does"
        let_go()
        waiting.join(30)
    assert require_current(database) == NEXT
    assert waits[0].startswith("waits: process ")
    database.dispose()


def test_an_index_is_built_beside_the_shops_work_and_what_was_begun_is_repaired(
    new_postgres: Callable[[], str], tmp_path: Path
) -> None:
    folder, waits = planted(tmp_path / "versions", "indexing"), list[str]()
    database = engine.create(new_postgres())
    write = engine.sessions(database)
    with write.begin() as tx:
        tx.add_all([product("MUG"), product("CUP")])
        tx.flush()
        tx.execute(text("UPDATE products SET name = 'Mug'"))
    with pytest.raises(IntegrityError):
        upgrade(database, folder)
    assert valid_index(database) is False, "half of it is left"
    assert require_current(database) == CURRENT
    with write() as first:
        first.execute(text("UPDATE products SET name = 'Cup' WHERE sku = 'CUP'"))
        waiting = threading.Thread(target=lambda: upgrade(database, folder, patience=QUICK, say=waits.append))
        waiting.start()
        end = time.monotonic() + 30
        while not waits:
            assert time.monotonic() < end, "the migration never waited"
            time.sleep(0.05)
        with write.begin() as second:
            second.execute(text("SET LOCAL lock_timeout = '1s'"))
            second.execute(insert(Product).values(sku="POT", name="Pot", weight_g=1, lead_time_days=1))
        first.commit()
        waiting.join(30)
    assert valid_index(database) is True
    assert require_current(database) == NEXT
    database.dispose()


def valid_index(opened: Engine) -> bool | None:
    with opened.connect() as connection:
        asked = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('uq_products_name')"
        return connection.exec_driver_sql(asked).scalar()
