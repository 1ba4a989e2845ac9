"""What a warehouse does: accept, pick, pack, hand over, and stop when asked in time. By pace, or when told to.

`status`: requested → accepted → picking → packed → handed_over, or refused, cancelled, empty (all units were missing).
What is to be picked up: … → picking → ready → picked_up, when a customer comes: nothing of that happens by itself.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from infra.sandbox import clock, webhooks
from infra.sandbox.shippo import tracks
from infra.sandbox.world import Document, World

KIND: Final = "warehouse_fulfillment"
LEFT = frozenset({"handed_over", "picked_up"})
OVER = LEFT | {"refused", "cancelled", "empty"}
SHORT, REFUSE, SILENT, TWO_BOXES, TOO_LATE = "SHORT-", "REFUSE-", "SILENT-", "TWOBOX-", "TOOLATE-"

MANNER: Final = "warehouse_manner"
"""How a location treats what it is asked for, by itself: of all orders, or of one."""

BOX_GRAMS, UNIT_GRAMS, HEAVIEST_GRAMS = 150, 150, 60_000
UNIT_MM, LOWEST_MM, HIGHEST_MM = 50, 50, 600


def take(world: World, request: Document) -> None:
    """A new request."""
    id = request["fulfillment_id"]
    doc = {
        "id": id,
        "order_id": request["order_id"],
        "request": request,
        "lines": request["lines"],
        "status": "requested",
        "released": None,
        "recalled": False,
        "recall_answered": False,
    }
    world.put(KIND, id, doc)
    world.count("warehouse_request", request["order_id"], id)
    _go_on(world, doc)


def release(world: World, doc: Document, parcels: list[Document]) -> None:
    world.put(KIND, doc["id"], doc | {"released": parcels})
    world.count("release", doc["order_id"], doc["id"])
    _go_on(world, doc | {"released": parcels})


def recall(world: World, doc: Document) -> None:
    world.put(KIND, doc["id"], doc | {"recalled": True})
    world.count("recall", doc["order_id"], doc["id"])
    if not _is_silent(world, doc):
        clock.schedule(world, "warehouse.answer_recall", {"id": doc["id"]}, paces=1, order_id=doc["order_id"])


def accept(world: World, doc: Document, details: Document) -> None:
    _become(world, doc, "accepted", "accepted")


def pick(world: World, doc: Document, details: Document) -> None:
    _become(world, doc, "picking", "picking")


def pack(world: World, doc: Document, details: Document) -> None:
    """All that was asked for, unless other contents are wanted, or parcels exactly as they are to be reported."""
    packed = details.get("contents") or contents(doc["lines"])
    boxes = details.get("parcels") or [parcel(units) for units in packed]
    _become(world, doc, "packed", "packed", parcels=boxes)


def ready(world: World, doc: Document, details: Document) -> None:
    """To be picked up: all that was asked for and found."""
    [inside] = details.get("contents") or contents(doc["lines"], boxes=1)
    listed = [{"sku": sku, "quantity": quantity} for sku, quantity in inside.items()]
    _become(world, doc, "ready", "ready", contents=listed)


def short_pick(world: World, doc: Document, details: Document) -> None:
    """Units are missing: one of the first line, unless told. What is left is packed next."""
    missing = details.get("lines") or [{"sku": doc["lines"][0]["sku"], "missing": 1}]
    gone, left = Counter({line["sku"]: line["missing"] for line in missing}), []
    for line in doc["lines"]:
        short = min(gone[line["sku"]], line["quantity"])
        gone[line["sku"]] -= short
        if line["quantity"] > short:
            left.append(line | {"quantity": line["quantity"] - short})
    _become(world, doc | {"lines": left}, "picking" if left else "empty", "short_picked", lines=missing)


def refuse(world: World, doc: Document, details: Document) -> None:
    why = {"code": details["code"]} if "code" in details else {}
    _become(world, doc, "refused", "refused", **why)


def hand_over(world: World, doc: Document, details: Document) -> None:
    """Not asked whether it was released: a control call makes the mistake that a warehouse can make."""
    world.count("hand_over", doc["order_id"], doc["id"])
    _become(world, doc, "handed_over", "handed_over")
    tracks.parcels_left(world, [parcel["tracking_number"] for parcel in doc["released"] or ()])


def pick_up(world: World, doc: Document, details: Document) -> None:
    """All that is left of it, or some units; by somebody of the store."""
    taken = Counter(details["units"]) if "units" in details else all_of(doc["lines"])
    left = all_of(doc["lines"]) - taken
    news = {name: details[name] for name in ("by",) if name in details}
    if "units" in details:
        news["units"] = [{"sku": sku, "quantity": quantity} for sku, quantity in taken.items()]
    world.count("hand_over", doc["order_id"], doc["id"])
    lines = [{"sku": sku, "quantity": quantity} for sku, quantity in left.items()]
    _become(world, doc | {"lines": lines}, "ready" if left else "picked_up", "picked_up", **news)


def all_of(lines: list[Document]) -> Counter[str]:
    units: Counter[str] = Counter()
    for line in lines:
        units[line["sku"]] += line["quantity"]
    return units


def cancel(world: World, doc: Document, details: Document) -> None:
    _become(world, doc | {"recall_answered": True}, "cancelled", "cancelled")


def refuse_cancel(world: World, doc: Document, details: Document) -> None:
    """Too late; the work goes on."""
    _become(world, doc | {"recall_answered": True}, doc["status"], "cancel_refused")


STEPS: dict[str, Callable[[World, Document, Document], None]] = {
    "accept": accept,
    "pick": pick,
    "pack": pack,
    "ready": ready,
    "short_pick": short_pick,
    "refuse": refuse,
    "hand_over": hand_over,
    "pick_up": pick_up,
    "cancel": cancel,
    "refuse_cancel": refuse_cancel,
}


@clock.action("warehouse.next")
def work(world: World, subject: Document) -> None:
    """The next step by itself, unless something else came between."""
    doc = world.get(KIND, subject["id"])
    if doc is not None and doc["status"] == subject["from"]:
        step = _next(world, doc)
        if step is not None:
            STEPS[step](world, doc, {})


@clock.action("warehouse.answer_recall")
def answer_recall(world: World, subject: Document) -> None:
    doc = world.get(KIND, subject["id"])
    if doc is not None and not doc["recall_answered"]:
        too_late = doc["status"] in LEFT or _has(doc, TOO_LATE)
        (refuse_cancel if too_late else cancel)(world, doc, {})


def contents(lines: list[Document], *, boxes: int = 2) -> list[dict[str, int]]:
    """Units by SKU of each parcel: all in one, in two where a SKU says so."""
    units = [line["sku"] for line in lines for _ in range(line["quantity"])]
    two = len(units) > 1 < boxes and any(sku.startswith(TWO_BOXES) for sku in units)
    half = len(units) - len(units) // 2 if two else len(units)
    return [dict(Counter(share)) for share in (units[:half], units[half:]) if share]


def parcel(units: dict[str, int]) -> Document:
    """A box that fits these units, by SKU."""
    count = sum(units.values())
    return {
        "weight_g": min(BOX_GRAMS + UNIT_GRAMS * count, HEAVIEST_GRAMS),
        "length_mm": 200,
        "width_mm": 150,
        "height_mm": min(max(UNIT_MM * count, LOWEST_MM), HIGHEST_MM),
        "contents": [{"sku": sku, "quantity": quantity} for sku, quantity in units.items()],
    }


def _next(world: World, doc: Document) -> str | None:
    """What the warehouse would do now, if anything."""
    waits = doc["recalled"] and not doc["recall_answered"]
    if waits or doc["status"] in OVER or _is_silent(world, doc):
        return None
    match doc["status"]:
        case "requested":
            return "refuse" if _has(doc, REFUSE) or "refuses" in _manners(world, doc) else "accept"
        case "accepted":
            return "pick"
        case "picking":
            done = "ready" if doc["request"].get("pickup") else "pack"
            return "short_pick" if _runs_short(world, doc) else done
        case "ready":
            return None
        case _:
            return "hand_over" if doc["released"] is not None else None


def _runs_short(world: World, doc: Document) -> bool:
    """Once per order and SKU: what was missing is asked for again, and then it is there."""
    for line in doc["lines"]:
        once = f"{doc['order_id']} {line['sku']}"
        if line["sku"].startswith(SHORT) and world.get("warehouse_short", once) is None:
            world.put("warehouse_short", once, {})
            doc["lines"] = [line, *(other for other in doc["lines"] if other is not line)]
            return True
    return False


def _become(world: World, doc: Document, status: str, news: str, **data: Any) -> None:
    doc = doc | {"status": status}
    world.put(KIND, doc["id"], doc)
    tell(world, f"fulfillment.{news}", {"fulfillment_id": doc["id"], **data})
    _go_on(world, doc)


def _go_on(world: World, doc: Document) -> None:
    """Whether there is anything to do is looked at when its time has come."""
    if doc["status"] not in OVER:
        subject = {"id": doc["id"], "from": doc["status"]}
        clock.schedule(world, "warehouse.next", subject, paces=1, order_id=doc["order_id"])


def tell(world: World, news: str, data: Document, timestamp: str | None = None) -> None:
    now = world.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    webhooks.send(world, "warehouse", {"type": news, "timestamp": timestamp or now, "data": data})


def behave(world: World, location: str, manner: str, order_id: str) -> None:
    world.put(MANNER, f"{location} {order_id}", {"manner": manner})


def _manners(world: World, doc: Document) -> set[str]:
    location = doc["request"]["location"]
    known = (world.get(MANNER, f"{location} {order_id}") for order_id in ("", doc["order_id"]))
    return {each["manner"] for each in known if each is not None}


def _is_silent(world: World, doc: Document) -> bool:
    return _has(doc, SILENT) or "silent" in _manners(world, doc)


def _has(doc: Document, prefix: str) -> bool:
    return any(line["sku"].startswith(prefix) for line in doc["lines"])
