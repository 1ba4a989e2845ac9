"""`@opens(kind)` on a test: the hold is opened there by its real cause, or the test fails."""

from collections.abc import Generator

import pytest
from sqlalchemy import func, select

from infra.database.tables import Hold
from infra.hold_kinds import HoldKind
from tests.shop import Shop


def opens(kind: HoldKind) -> pytest.MarkDecorator:
    return pytest.mark.opens(kind)


def ever_opened(shop: Shop, kind: HoldKind) -> int:
    with shop.database.sessions() as tx:
        return tx.scalar(select(func.count()).where(Hold.kind == kind)) or 0


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Function) -> Generator[None]:
    mark = item.get_closest_marker("opens")
    if mark is None:
        return (yield)
    [kind] = mark.args
    [shop] = {value for value in item.funcargs.values() if isinstance(value, Shop)}
    before = ever_opened(shop, kind)
    yield
    assert ever_opened(shop, kind) > before, f"this test is to open a hold {kind}"
