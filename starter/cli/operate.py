"""`orders cancel`, `resolve`: what an operator asks of an order."""

import json
from typing import Annotated, Any, Literal

import typer

from infra.words import CancelReason
from starter.cli.failure import Failed
from starter.cli.read import AsJson, OrderId, path

By = Annotated[str | None, typer.Option(help="Who decides, beside the key's name.")]


def cancel(
    order_id: OrderId,
    reason: Annotated[CancelReason, typer.Option(help="Whose wish it is.")] = CancelReason.CUSTOMER,
    why: Annotated[str, typer.Option(help="Stands in the order.")] = "",
    as_json: AsJson = False,
) -> None:
    """Ask for an order to be cancelled. The order decides what can still be stopped."""
    from starter.cli.client import api

    where = path(order_id, "/cancellation")
    order = api().post(where, {"reason": reason, "why": why})
    answer(order, as_json, f"{order_id}: cancellation {order.get('cancellation', 'asked')}")


def resolve(
    order_id: OrderId,
    action: Annotated[Literal["retry", "skip", "cancel"], typer.Option(help="One that the hold offers.")],
    why: Annotated[str, typer.Option(help="Stands in the order.")],
    hold: Annotated[str | None, typer.Option(help="The hold; may be left out when only one is open.")] = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Decide an open hold: the order goes on from there."""
    from starter.cli.client import api

    where, client = path(order_id), api()
    if hold is None:
        hold = only_open(client.get(where))
    body = {"hold": hold, "action": action, "why": why} | ({"by": by} if by else {})
    order = client.post(f"{where}/resolution", body)
    answer(order, as_json, f"{order_id}: {action} asked for {hold}")


def only_open(order: dict[str, Any]) -> str:
    found = [hold for hold in order["holds"] if hold["closed_at"] is None]
    if len(found) == 1:
        return str(found[0]["hold"])
    if not found:
        raise Failed(f"{order['order_id']} has no open hold")
    raise Failed(f"{order['order_id']} has several open holds, name one with --hold: " + ", ".join(map(named, found)))


def named(hold: dict[str, Any]) -> str:
    return f"{hold['hold']} ({hold['kind']}, {hold['subject_kind']} {hold['subject_id']})"


def answer(order: dict[str, Any], as_json: bool, message: str) -> None:
    print(json.dumps(order) if as_json else f"{message}; `orders watch {order['order_id']}` shows what becomes of it")
