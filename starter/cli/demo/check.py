"""Whether a scenario ended as it must: the order's own statuses, and the sandbox's books, each figure."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from starter.cli.demo.steps import Books, End, Scenario, View

CHANNELS = ("email", "sms")
OVERTAKEN = "out_for_delivery"
"""Carriers' webhooks come in any order: when this one comes after the delivery, it is no news any more."""
FIGURES = ("authorizations", "captures", "refunds", "disputes", "labels", "label_refunds")


@dataclass(frozen=True)
class Result:
    """One row of the demo's last table."""

    scenario: Scenario
    reached: End | None
    counted: dict[str, int]
    """As the sandbox counted them, with `email` and `sms`."""
    wrong: tuple[str, ...]
    """What differs from what was expected; empty: all is well."""
    seconds: float | None

    @property
    def good(self) -> bool:
        return not self.wrong

    def as_json(self) -> dict[str, Any]:
        return {
            "order_id": self.scenario.order_id,
            "scenario": self.scenario.title,
            "expected": str(self.scenario.end),
            "reached": str(self.reached) if self.reached else None,
            "counted": self.counted,
            "wrong": list(self.wrong),
            "seconds": self.seconds,
        }


def judged(scenario: Scenario, view: View | None, books: dict[str, Any], seconds: float | None, why: str) -> Result:
    counted = {name: int(books[name]) for name in FIGURES} | {"email": int(books["emails"]), "sms": int(books["sms"])}
    if view is None:
        return Result(scenario, None, counted, (why or "was not placed",), seconds)
    reached = end_of(view)
    wrong = [why] if why else []
    if reached != scenario.end:
        wrong.append(f"ended {reached}, not {scenario.end}")
    wrong += [
        *wrong_figures(scenario.books, counted),
        *wrong_money(scenario, view, books),
        *wrong_messages(scenario, view, counted),
    ]
    return Result(scenario, reached, counted, tuple(wrong), seconds)


def end_of(view: View) -> End:
    reason = view["cancel_reason"] if view["status"] == "cancelled" else None
    return End(view["status"], view["payment_status"], view["fulfillment_status"], reason)


def wrong_figures(expected: Books, counted: dict[str, int]) -> list[str]:
    return [
        f"{counted[name]} {name.replace('_', ' ')}, not {getattr(expected, name)}"
        for name in FIGURES
        if counted[name] != getattr(expected, name)
    ]


def wrong_money(scenario: Scenario, view: View, books: dict[str, Any]) -> list[str]:
    """Ours and the bank's: the same sums, and in the end what was sent and not given back is paid for, or nothing."""
    kept = books["captured"] - books["refunded"] - books["disputed"] + books["dispute_returned"]
    due = view["total"] - scenario.books.less if view["status"] == "completed" else 0
    payment = view["payment"]
    ours = payment["captured"] - payment["refunded"] - payment["disputed"]
    return [f"{kept} was kept, not {due} ({ours} by our tables)"] if not kept == due == ours else []


def wrong_messages(scenario: Scenario, view: View, counted: dict[str, int]) -> list[str]:
    """By each channel every piece of news once; and no more messages went out than we know of. News that came at once
    went in one message."""
    wrong = []
    for channel in CHANNELS:
        sent = [
            e["data"]["kinds"]
            for e in view["timeline"]
            if e["event"] == "message_sent" and e["data"]["channel"] == channel
        ]
        found, expected = Counter(kind for kinds in sent for kind in kinds), Counter(scenario.books.messages)
        expected[OVERTAKEN] = min(expected[OVERTAKEN], sum(e["event"] == OVERTAKEN for e in view["timeline"]))
        if found != expected:
            names = ", ".join(sorted({*(found - expected), *(expected - found)}))
            wrong.append(f"{channel} differs in {names}")
        if counted[channel] != len(sent):
            wrong.append(f"{counted[channel]} {channel} messages, not {len(sent)}")
    return wrong
