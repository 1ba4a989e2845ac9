"""How an order is paid: in one way; or by several tenders, each with its amount, one of them with the rest."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, StringConstraints
from pydantic_core import PydanticCustomError

from activities.intake.charge_limits import largest, smallest
from activities.intake.fields import INTENT, METHOD, Text
from activities.intake.people import Asked
from infra.words import PaymentMethod, TenderDue, TenderKind

MOST_TENDERS = 20
DUE = {
    PaymentMethod.CARD: TenderDue.BEFORE_RELEASE,
    PaymentMethod.PAYMENT_INTENT: TenderDue.BEFORE_RELEASE,
    PaymentMethod.EXTERNAL: TenderDue.ELSEWHERE,
}


class CardPayment(Asked):
    method: Literal["card"]
    payment_method: Annotated[str, StringConstraints(pattern=METHOD)]

    @property
    def paid_by(self) -> str:
        return self.payment_method


class IntentPayment(Asked):
    """Authorized on the shop's own page, to be captured by hand: for all that it is to pay, and for no other order."""

    method: Literal["payment_intent"]
    reference: Annotated[str, StringConstraints(pattern=INTENT)]

    @property
    def paid_by(self) -> str:
        return self.reference


class ExternalPayment(Asked):
    """Already paid, at a till or a marketplace, or with a voucher that was sold elsewhere; or to be paid at the store
    that hands it over."""

    method: Literal["external"]
    reference: Text
    due: Annotated[Literal["at_hand_over"] | None, Field(description="Of a pickup: paid as it is handed over")] = None
    kind: TenderKind | None = None
    """Of a till: what is paid in cash goes back in cash."""

    @property
    def paid_by(self) -> str:
        return self.reference


PartOfTotal = Annotated[
    int | None,
    Field(ge=1, le=10**12, strict=True, description="Minor units; left out, by one of them: what the others leave"),
]


class CardTender(CardPayment):
    amount: PartOfTotal = None


class IntentTender(IntentPayment):
    amount: PartOfTotal = None


class ExternalTender(ExternalPayment):
    amount: PartOfTotal = None


AskedPayment = Annotated[CardPayment | IntentPayment | ExternalPayment, Field(discriminator="method")]
GivenTender = Annotated[CardTender | IntentTender | ExternalTender, Field(discriminator="method")]


class AskedTender(NamedTuple):
    """A tender, and what it is to pay of the total."""

    n: int
    method: PaymentMethod
    reference: str
    amount: int | None
    """As it was given."""
    pays: int
    field: str
    at_hand_over: bool = False
    kind: TenderKind | None = None

    @property
    def due(self) -> TenderDue:
        return TenderDue.AT_HAND_OVER if self.at_hand_over else DUE[self.method]


def tenders_of(payment: AskedPayment | None, payments: Sequence[GivenTender], total: int) -> tuple[AskedTender, ...]:
    """Raises where they do not make the total, or where one is more than is supported yet."""
    if payments and payment:
        raise wrong("payments", "and payment are given: give one of them")
    if payment:
        method, later = PaymentMethod(payment.method), is_due_later(payment)
        one = AskedTender(1, method, payment.paid_by, None, total, "payment", later, kind_of(payment))
        return checked([one])
    if not payments:
        raise wrong("payment", "is missing")
    given = sum(tender.amount or 0 for tender in payments)
    rests = [n for n, tender in enumerate(payments) if tender.amount is None]
    if len(rests) > 1:
        raise wrong(f"payments[{rests[1]}].amount", "is missing: one of them may pay the rest, not two")
    if given > total or (given < total and not rests):
        raise wrong("payments", f"make {given}, but the total is {total}")
    tenders = []
    for n, each in enumerate(payments):
        pays = total - given if each.amount is None else each.amount
        tenders.append(
            AskedTender(
                n + 1,
                PaymentMethod(each.method),
                each.paid_by,
                each.amount,
                pays,
                f"payments[{n}]",
                is_due_later(each),
                kind_of(each),
            )
        )
    return checked(tenders)


def is_due_later(payment: AskedPayment | GivenTender) -> bool:
    return isinstance(payment, ExternalPayment) and payment.due is not None


def kind_of(payment: AskedPayment | GivenTender) -> TenderKind | None:
    return payment.kind if isinstance(payment, ExternalPayment) else None


def checked(tenders: list[AskedTender]) -> tuple[AskedTender, ...]:
    seen: set[tuple[PaymentMethod, str]] = set()
    for tender in tenders:
        if (tender.method, tender.reference) in seen:
            name = "payment_method" if tender.method == PaymentMethod.CARD else "reference"
            raise wrong(f"{tender.field}.{name}", "is named twice: give it once, with both amounts")
        seen.add((tender.method, tender.reference))
    later = [tender for tender in tenders if tender.at_hand_over]
    if later and len(tenders) > 1:
        raise wrong(f"{later[0].field}.due", "is not supported yet beside others: all of it is paid at the store")
    charged = [tender for tender in tenders if tender.due == TenderDue.BEFORE_RELEASE]
    if len(charged) > 1:
        raise wrong(f"{charged[1].field}.method", "is not supported yet: one card or payment intent, beside others")
    return tuple(tenders)


def chargeable(tender: AskedTender, currency: str) -> None:
    """What goes to a card is neither too small nor too large for one. A rest of nothing goes to none."""
    if tender.due != TenderDue.BEFORE_RELEASE or (tender.method == PaymentMethod.CARD and not tender.pays):
        return
    low, high = smallest(currency), largest(currency)
    if low <= tender.pays <= high:
        return
    bound = f"at least {low}" if tender.pays < low else f"at most {high}"
    if tender.field == "payment":
        raise wrong("total", f"must be {bound} to go to a card")
    raise wrong(f"{tender.field}.amount", f"is {tender.pays}, and must be {bound} to go to a card")


def meaning(tenders: Sequence[AskedTender], payments: Sequence[GivenTender]) -> dict[str, Any]:
    """What counts of a list: the same amounts, written out or not, are the same; one for all is the one payment."""
    if not payments:
        return {}
    parts = [
        tender.model_dump(mode="json", exclude={"amount"}, exclude_defaults=True)
        | ({} if len(payments) == 1 else {"amount": of.pays})
        for tender, of in zip(payments, tenders, strict=True)
    ]
    return {"payment": parts[0]} if len(parts) == 1 else {"payments": parts}


def wrong(field: str, why: str) -> PydanticCustomError:
    return PydanticCustomError("payments", "{why}", {"field": field, "why": why})
