"""What every kind of hold has: why something waits for a person, and what may be decided."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Self


class Action(StrEnum):
    """What an operator decides."""

    RETRY = "retry"
    SKIP = "skip"
    DONE = "done"
    CANCEL = "cancel"
    REPLAN = "replan"
    RESHIP = "reship"
    REFUND = "refund"


class HoldReason(StrEnum):
    """What kinds of holds have in common: shown in lists, metrics and `OrderAttention`."""

    PAYMENT_ACTION = "payment_action"
    STEP_FAILED = "step_failed"
    NO_PROGRESS = "no_progress"
    DISPUTE = "dispute"
    WAREHOUSE = "warehouse"
    DELIVERY = "delivery"
    LABEL_REFUND = "label_refund"
    RECONCILIATION = "reconciliation"
    BACKORDER_OVERDUE = "backorder_overdue"
    OPERATOR = "operator"


DECLARED: "dict[str, AnyHoldKind]" = {}
"""By its word: those of orders, and of every other workflow whose kinds this process has read."""


class AnyHoldKind(StrEnum):
    """A kind of hold, of any workflow: each declares its own in a class of its own, under words that no other uses.
    There is one open hold of a kind about a subject."""

    reason: HoldReason
    advice: str
    """What to do, where the failure itself does not say it."""
    actions: Mapping[Action, str]
    """What may be decided, and what that does."""
    ends_with_order: bool
    """Keeps the order from going on: needless once that ends. The others are about what was done, and outlive it."""

    def __new__(
        cls,
        word: str,
        reason: HoldReason,
        advice: str,
        actions: Mapping[Action, str],
        ends_with_order: bool = False,
    ) -> Self:
        if word in DECLARED:
            raise ValueError(f"there is a kind of hold called {word}")
        kind = str.__new__(cls, word)
        kind._value_ = word
        kind.reason, kind.advice, kind.actions, kind.ends_with_order = reason, advice, actions, ends_with_order
        DECLARED[word] = kind
        return kind
