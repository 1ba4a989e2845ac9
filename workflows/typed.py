"""What people send in the web UI, as they write it: understood where it is clear, refused in words where it is not."""

from temporalio.exceptions import ApplicationError

from activities.models import Action, CancelReason, WantedLine
from workflows.messages import Cancel, CancelLines, HoldOrder, RefundMoney, Resolve

MARK = " (web UI)"
"""Whoever reaches the engine's port may call themselves anything: what comes from there says where it came from."""
OF_LINES = ("reason", "request_id")
OF_MONEY = ("lines", "amount", "shipping")
ACTIONS = tuple(action.value for action in Action)


def harmless(text: str, length: int) -> str:
    """Without what moves a terminal's cursor or turns the reading direction; not longer than the tables hold."""
    return "".join(c for c in text if c.isprintable() or c == "\n")[:length].strip()


def one_line(value: object) -> str:
    return harmless(" ".join(str(value).split()), 100)


def from_web_ui(by: str) -> str:
    return (harmless(by, 100 - len(MARK)) or "operator") + MARK


def cancellation(args: tuple[object, ...]) -> Cancel | None:
    """Sent to `cancel`, nothing, a text, or fields that say no more than who and why mean cancel. Anything else may be
    about something else, a part of the order for one: nothing."""
    given = args[0] if args else None
    fields = {"why": given} if isinstance(given, str) else given or {}
    if len(args) > 1 or not isinstance(fields, dict) or given is False or not fields.keys() <= {"by", "why", "reason"}:
        return None
    if not all(value is None or isinstance(value, str) for value in fields.values()):
        return None
    by, why, reason = (fields.get(name) or "" for name in ("by", "why", "reason"))
    known = reason in list(CancelReason)
    if reason and not known:
        why = f"{why} ({reason})" if why else reason
    return Cancel(
        by=from_web_ui(by),
        why=harmless(why, 500),
        reason=CancelReason(reason) if known else CancelReason.OPERATOR,
    )


def lines(args: tuple[object, ...]) -> CancelLines:
    """Which lines, how many of each; the rest are fields of text."""
    fields = args[0] if len(args) == 1 else None
    if not isinstance(fields, dict) or not isinstance(fields.get("lines"), list) or not fields["lines"]:
        raise unclear('send one JSON object: {"lines": [{"line": 2, "quantity": 1}], "by": "…", "why": "…"}')
    given = read(({key: value for key, value in fields.items() if key != "lines"},), ("by", "why"), OF_LINES)
    if given.get("reason", CancelReason.OPERATOR) not in list(CancelReason):
        raise unclear(f"reason must be {', '.join(CancelReason)}, or left out")
    return CancelLines(
        lines=wanted_lines(fields["lines"]),
        by=from_web_ui(given["by"]),
        why=harmless(given["why"], 500),
        reason=CancelReason(given.get("reason", CancelReason.OPERATOR)),
        request_id=given.get("request_id", "")[:255],
    )


def refund(args: tuple[object, ...]) -> RefundMoney:
    """One of `lines`, `amount` and `shipping`, or none of them; the rest are fields of text."""
    fields = args[0] if len(args) == 1 and isinstance(args[0], dict) else {}
    what = {name: fields[name] for name in OF_MONEY if fields.get(name) is not None}
    given = read(
        ({name: value for name, value in fields.items() if name not in OF_MONEY},), ("by", "why"), ("request_id",)
    )
    if len(what) > 1:
        raise unclear("give one of lines, amount and shipping, or none of them: all that can be refunded")
    if "lines" in what and not (isinstance(what["lines"], list) and what["lines"]):
        raise unclear('lines must be [{"line": 2, "quantity": 1}], with at least one')
    if "amount" in what and not (type(what["amount"]) is int and 0 < what["amount"] <= 2**53):
        raise unclear("amount must be a whole number from 1 on, in minor units")
    if "shipping" in what and what["shipping"] is not True:
        raise unclear("shipping must be true, or left out")
    return RefundMoney(
        lines=wanted_lines(what["lines"]) if "lines" in what else None,
        amount=what.get("amount"),
        shipping="shipping" in what,
        by=from_web_ui(given["by"]),
        why=harmless(given["why"], 500),
        request_id=given.get("request_id", "")[:255],
    )


def wanted_lines(lines: list[object]) -> tuple[WantedLine, ...]:
    return tuple(wanted_line(n, line) for n, line in enumerate(lines))


def wanted_line(n: int, line: object) -> WantedLine:
    fields = line if isinstance(line, dict) and line.keys() <= {"line", "quantity"} else {}
    number, quantity = fields.get("line"), fields.get("quantity")
    if type(number) is not int or not (quantity is None or type(quantity) is int) or min(number, quantity or 1) < 1:
        raise unclear(f'lines[{n}] must be {{"line": 2, "quantity": 1}}, with whole numbers from 1 on')
    return WantedLine(line=number, quantity=quantity)


def resolution(args: tuple[object, ...]) -> Resolve:
    fields = read(args, ("hold", "action", "by", "why"))
    action = fields["action"]
    if action not in ACTIONS:
        raise unclear(f"action must be {', '.join(ACTIONS[:-1])} or {ACTIONS[-1]}")
    return Resolve(hold=fields["hold"], action=action, by=from_web_ui(fields["by"]), why=harmless(fields["why"], 500))


def stop(args: tuple[object, ...]) -> HoldOrder:
    fields = read(args, ("by", "why"), ("fulfillment",))
    return HoldOrder(
        by=from_web_ui(fields["by"]), why=harmless(fields["why"], 300), fulfillment=fields.get("fulfillment")
    )


def read(args: tuple[object, ...], needed: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, str]:
    """Fields of text, each with something in it; an optional one may be left out."""
    fields = args[0] if args else None
    if len(args) > 1 or not isinstance(fields, dict):
        example = ", ".join(f'"{name}": "…"' for name in needed)
        raise unclear(f"send one JSON object: {{{example}}}")
    if not fields.keys() <= {*needed, *optional}:
        raise unclear(f"there are fields that are not known; known are {', '.join((*needed, *optional))}")
    given = {name: value for name, value in fields.items() if value is not None}
    for name, value in given.items():
        if not isinstance(value, str):
            raise unclear(f"{name} must be text")
    for name in needed:
        if not harmless(given.get(name, ""), 500):
            raise unclear(f"{name} is missing: {MEANING[name]}")
    return given


MEANING = {
    "hold": "which hold is decided; the open ones stand in the current details",
    "action": f"what is to be done: {', '.join(ACTIONS[:-1])} or {ACTIONS[-1]}",
    "by": "who decides",
    "why": "for what reason",
}


def unclear(message: str) -> ApplicationError:
    return ApplicationError(message, type="NotUnderstood")
