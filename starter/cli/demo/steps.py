"""What a scenario of the demo is made of: acts that are done to an order, one after the other; its end; its books."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from infra.sandbox.client import Mode, Provider

View = dict[str, Any]
"""An order as the API shows it."""
Condition = Callable[[View], bool]


@dataclass(frozen=True)
class Break:
    """The sandbox fails calls about this order: the next `times`, or (None) until `Mend`."""

    saying: str
    provider: Provider
    operation: str
    mode: Mode
    times: int | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Mend:
    """Whatever was broken for this order works again."""

    saying: str


@dataclass(frozen=True)
class Place:
    saying: str = ""


@dataclass(frozen=True)
class Await:
    """Waits until the order is there."""

    saying: str
    until: Condition


@dataclass(frozen=True)
class Pass:
    """Days pass, for this order and its customer's bank alone: until their clocks are so far ahead."""

    saying: str
    seconds: int


@dataclass(frozen=True)
class Receive:
    """The warehouse reports goods that arrived, by its own webhook."""

    saying: str
    location: str
    sku: str
    quantity: int


@dataclass(frozen=True)
class PayBy:
    saying: str
    payment_method: str


@dataclass(frozen=True)
class CheckOut:
    """The customer pays on the shop's own page, and confirms it at her bank: the payment intent is the order's."""

    saying: str


@dataclass(frozen=True)
class Cancel:
    """The whole order, or this line of it."""

    saying: str
    line: int | None = None


@dataclass(frozen=True)
class Refund:
    """An operator gives so many units of a line back."""

    saying: str
    line: int
    quantity: int
    cause: str


@dataclass(frozen=True)
class Dispute:
    """The customer's bank takes the payment back; done when the order knows."""

    saying: str


@dataclass(frozen=True)
class Decide:
    """We give evidence, and the bank decides; done when the order knows."""

    saying: str
    outcome: Literal["won", "lost"]


@dataclass(frozen=True)
class Resolve:
    """An operator decides the open hold."""

    saying: str
    action: str


@dataclass(frozen=True)
class KillWorker:
    """SIGKILL as soon as the broken call has had its effect and not yet its answer; then another worker is started."""

    saying: str


Act = (
    Break
    | Mend
    | Place
    | Await
    | Pass
    | Receive
    | PayBy
    | CheckOut
    | Cancel
    | Refund
    | Dispute
    | Decide
    | Resolve
    | KillWorker
)


@dataclass(frozen=True)
class End:
    """How the order stands in the end, by its statuses; and why, when it was cancelled."""

    status: Literal["completed", "cancelled"]
    payment: str
    fulfillment: str
    reason: str | None = None

    def __str__(self) -> str:
        whole = f"{self.status} ({self.reason})" if self.reason else self.status
        return f"{whole}, {self.payment}".replace("_", " ")


@dataclass(frozen=True)
class Books:
    """What the order caused outside, as the sandbox counts it. `messages`: by mail and by SMS. `less`: so much of a
    completed order's total is not ours in the end."""

    authorizations: int
    captures: int
    refunds: int = 0
    disputes: int = 0
    labels: int = 0
    label_refunds: int = 0
    messages: tuple[str, ...] = ()
    less: int = 0


@dataclass(frozen=True)
class Scenario:
    order_id: str
    title: str
    order: dict[str, Any]
    end: End
    books: Books
    acts: tuple[Act, ...] = field(default=(Place(),))
    first: bool = False
    """Played before the others begin, until its last act is done: it ends what they would stand on."""
