"""Of outside clocks, the earlier of theirs and ours is believed, and never before what it follows."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from activities import facts
from infra.database.tables import Event, Fulfillment
from infra.words import EventType
from tests.starter import stages
from tests.starter.door import Api
from tests.starter.senders import Senders, order

BOX = stages.BOX.model_dump()
BEHIND, AHEAD = "2001-02-03T04:05:06.789Z", "2056-01-01T00:00:00Z"


@pytest.mark.parametrize("warehouse", [BEHIND, AHEAD])
@pytest.mark.parametrize("carrier", [BEHIND, AHEAD])
async def test_a_parcel_is_packed_gone_and_arrived_in_that_order_and_by_now(
    api: Api, senders: Senders, warehouse: str, carrier: str
) -> None:
    body = {"fulfillment_id": stages.requested(api.database)}
    await senders.warehouse("fulfillment.packed", body | {"parcels": [BOX]}, at=warehouse)
    stages.bought(api.database)
    await senders.warehouse("fulfillment.handed_over", body, at=warehouse)
    await senders.track("92W-1001", "TRANSIT", at=carrier)
    await senders.track("92W-1001", "DELIVERED", at=carrier)
    with api.database.sessions() as tx:
        f = tx.scalars(select(Fulfillment)).one()
        story = dict(tx.execute(select(Event.type, Event.occurred_at)).all())
    instants = [at for at in (f.requested_at, f.packed_at, f.shipped_at, f.delivered_at, datetime.now(UTC)) if at]
    assert (len(instants), instants) == (5, sorted(instants))
    assert (story[EventType.PACKED], story[EventType.SHIPPED]) == (f.packed_at, f.shipped_at)
    assert story[EventType.SHIPPED] <= story[EventType.IN_TRANSIT] <= story[EventType.DELIVERED] == f.delivered_at


async def test_instants_are_whole_seconds(api: Api, senders: Senders) -> None:
    with api.database.sessions.begin() as tx:
        facts.reserving.reserved(tx, "W-1001", stages.now())
    sent = datetime.now(UTC)
    body = {"fulfillment_id": "W-1001-1", "parcels": [BOX]}
    await senders.warehouse("fulfillment.packed", body, at=sent.isoformat())
    with api.database.sessions() as tx:
        assert tx.scalars(select(Fulfillment.packed_at)).one() == sent.replace(microsecond=0)


async def test_what_went_missing_is_believed_by_the_carriers_own_clock(api: Api, senders: Senders) -> None:
    """It is days behind: its later word counts all the same, and an earlier one does not."""
    stages.shipped(api.database)
    for day, status, outcome in ((5, "TRANSIT", "taken"), (4, "FAILURE", "unchanged"), (6, "FAILURE", "taken")):
        answer = await senders.track("92W-1001", status, at=f"2001-01-0{day}T00:00:00Z")
        assert answer.json() == {"outcome": outcome}


async def test_the_banks_clock_is_not_believed_when_it_is_ahead(api: Api, senders: Senders) -> None:
    stages.authorized(api.database)
    lapsed = {"id": "pi_1", "status": "canceled", "cancellation_reason": "automatic"}
    await senders.stripe("payment_intent.canceled", lapsed, created=int(datetime(2056, 1, 1, tzinfo=UTC).timestamp()))
    with api.database.sessions() as tx:
        ended = select(Event.occurred_at).where(Event.type == "authorization_ended")
        assert tx.scalars(ended).one() <= datetime.now(UTC)


async def test_nothing_was_before_the_order_was_placed(api: Api, senders: Senders) -> None:
    stages.authorized(api.database)
    lapsed = {"id": "pi_1", "status": "canceled", "cancellation_reason": "automatic"}
    await senders.stripe("payment_intent.canceled", lapsed, created=int(datetime(2001, 1, 1, tzinfo=UTC).timestamp()))
    timeline = (await order(api))["timeline"]
    assert timeline[-1]["event"] == "authorization_ended"
    assert min(entry["at"] for entry in timeline) == timeline[0]["at"]
