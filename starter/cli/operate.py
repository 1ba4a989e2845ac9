"""`orders cancel`, `refund`, `resolve`: what an operator asks of an order."""

import json
from typing import Annotated, Any

import typer

from infra.holds import Action
from infra.words import CancelReason
from starter.cli.failure import Failed, Misused
from starter.cli.read import AsJson, OrderId, path

By = Annotated[str | None, typer.Option(help="Who decides, beside the key's name.")]


def cancel(
    order_id: OrderId,
    reason: Annotated[CancelReason, typer.Option(help="Whose wish it is.")] = CancelReason.CUSTOMER,
    why: Annotated[str, typer.Option(help="Stands in the order.")] = "",
    line: Annotated[list[int] | None, typer.Option(help="Of this line only; more than once: of these.")] = None,
    quantity: Annotated[
        list[int] | None, typer.Option(help="So many units of the line; left out: all that are left.")
    ] = None,
    request_id: Annotated[str | None, typer.Option(help="The same again is the same request.")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask for an order, or for units of it, to be cancelled. The order decides what can still be stopped."""
    from starter.cli.client import api

    asked: dict[str, Any] = {"reason": reason, "why": why}
    asked |= {"cancellation_request_id": request_id} if request_id else {}
    asked |= {"lines": lines_of("cancel", line, quantity)} if line or quantity else {}
    order = api().post(path(order_id, "/cancellation"), asked)
    what = "of units asked" if line else order.get("cancellation", "asked")
    answer(order, as_json, f"{order_id}: cancellation {what}")


def refund(
    order_id: OrderId,
    line: Annotated[list[int] | None, typer.Option(help="Units of this line only; more than once: of these.")] = None,
    quantity: Annotated[
        list[int] | None, typer.Option(help="So many units of the line; left out: all that were paid and not refunded.")
    ] = None,
    amount: Annotated[int | None, typer.Option(help="So much, in minor units: 18.00 is 1800.", min=1)] = None,
    shipping: Annotated[bool, typer.Option("--shipping", help="What shipping cost, alone.")] = False,
    cause: Annotated[str | None, typer.Option(help="Why, by a code of your own: damaged.")] = None,
    why: Annotated[str, typer.Option(help="Why, in words.")] = "",
    request_id: Annotated[str | None, typer.Option(help="The same again is the same request.")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask for money to be given back: all that can be, units, an amount, or the shipping. Also after delivery."""
    from starter.cli.client import api

    if sum((bool(line or quantity), amount is not None, shipping)) > 1:
        raise Misused("refund: give --line, --amount or --shipping, not several of them")
    asked: dict[str, Any] = {"why": why}
    asked |= {name: given for name, given in (("cause", cause), ("refund_request_id", request_id)) if given}
    asked |= {"lines": lines_of("refund", line, quantity)} if line or quantity else {}
    asked |= {"amount": amount} if amount is not None else {}
    asked |= {"shipping": True} if shipping else {}
    order = api().post(path(order_id, "/refunds"), asked)
    answer(order, as_json, f"{order_id}: refund asked")


def lines_of(command: str, lines: list[int] | None, quantities: list[int] | None) -> list[dict[str, int]]:
    if quantities and len(quantities) != len(lines or []):
        raise Misused(f"{command}: give as many --quantity as --line, or none")
    return [{"line": line} | ({"quantity": quantities[n]} if quantities else {}) for n, line in enumerate(lines or [])]


def resolve(
    order_id: OrderId,
    action: Annotated[Action, typer.Option(help="One that the hold offers.")],
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
