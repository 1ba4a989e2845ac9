"""Money set aside, taken, given back."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    cast,
    func,
    select,
    text,
)
from sqlalchemy.orm import Mapped, column_property, mapped_column, validates

from infra.database.tables.base import COUNTER, PERSONAL, REFERENCE, WORD, Base
from infra.words import (
    AuthorizationStatus,
    ChargePurpose,
    ChargeStatus,
    DisputeStatus,
    MoneyMoveKind,
    PaymentMethod,
    RefundStatus,
    TenderDue,
    TenderKind,
)


class Tender(Base):
    """A part of an order's money, and how it is paid. Drawn in order n, each up to its amount."""

    __tablename__ = "tenders"

    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    method: Mapped[PaymentMethod]
    reference: Mapped[str] = mapped_column(REFERENCE, info=PERSONAL)
    """Of a card the method given with the order, of an intent its id, of what was paid elsewhere who was paid."""
    amount: Mapped[int | None] = mapped_column(BigInteger)
    """As it was given; none: the rest."""
    kind: Mapped[TenderKind | None]
    """Of what was paid elsewhere: how, where that is known."""
    due: Mapped[TenderDue]


class MoneyMove(Base):
    """Money moved, or set aside. Never updated: balances are sums."""

    __tablename__ = "money_moves"
    __table_args__ = (
        UniqueConstraint("kind", "reference"),
        Index(
            "ix_money_moves_dispute_id",
            "dispute_id",
            sqlite_where=text("dispute_id IS NOT NULL"),
            postgresql_where=text("dispute_id IS NOT NULL"),
        ),
        CheckConstraint("order_id IS NOT NULL OR payment_id IS NOT NULL", name="of_order_or_payment"),
    )

    move_id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    order_id: Mapped[str | None] = mapped_column(ForeignKey("orders.order_id"), index=True)
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments.payment_id"), index=True)
    charge_id: Mapped[str | None] = mapped_column(ForeignKey("charges.charge_id"))
    """None of what was captured: taken by somebody else, and for no charge yet."""
    dispute_id: Mapped[str | None] = mapped_column(ForeignKey("disputes.dispute_id"))
    kind: Mapped[MoneyMoveKind]
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    reference: Mapped[str] = mapped_column(REFERENCE)
    """Of what we asked for our charge's or refund's id, of what we were told the provider's."""
    effective_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class Payment(Base):
    """One authorization of an order, asked for or made."""

    __tablename__ = "payments"
    __table_args__ = (
        UniqueConstraint("order_id", "n"),
        ForeignKeyConstraint(["order_id", "tender_n"], ["tenders.order_id", "tenders.n"], name="fk_payments_tender"),
        CheckConstraint("client_secret IS NULL OR status = 'action_required'", name="secret_while_asked"),
    )

    payment_id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    order_id: Mapped[str | None] = mapped_column(ForeignKey("orders.order_id"), index=True)
    """None: money of several orders at once, or of none."""
    n: Mapped[int]
    tender_n: Mapped[int | None]
    """Of an order's own; of money of several, none."""
    method: Mapped[str] = mapped_column(REFERENCE, info=PERSONAL)
    """What pays, by the provider's reference; empty of a given intent that was not looked at yet."""
    given: Mapped[str | None] = mapped_column(REFERENCE, info=PERSONAL)
    """The provider's id of an intent that was authorized before it was given to us: ours once it was found to fit."""
    reusable: Mapped[bool]
    """Whether its method pays again without the customer."""
    off_session: Mapped[bool]
    amount: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[AuthorizationStatus]
    intent: Mapped[str | None] = mapped_column(REFERENCE, unique=True, info=PERSONAL)
    """The provider's id for it."""
    captured: Mapped[int] = column_property(
        select(cast(func.coalesce(func.sum(MoneyMove.amount), 0), BigInteger))
        .where(MoneyMove.payment_id == payment_id, MoneyMove.kind == MoneyMoveKind.CAPTURED)
        .correlate_except(MoneyMove)
        .scalar_subquery()
    )
    """The sum of its moves, as of when this was read."""
    multicapture: Mapped[bool]
    capture_before: Mapped[datetime | None]
    decline_code: Mapped[str | None] = mapped_column(WORD)
    action_url: Mapped[str | None] = mapped_column(String(1000), info=PERSONAL)
    client_secret: Mapped[str | None] = mapped_column(REFERENCE, info=PERSONAL)
    """With which the customer's browser confirms it: kept only while it waits for that."""
    recorded_at: Mapped[datetime]

    @validates("status")
    def forget_secret(self, _: str, status: AuthorizationStatus) -> AuthorizationStatus:
        """It is of no use any more, and nobody has to remember to forget it."""
        if status != AuthorizationStatus.ACTION_REQUIRED and self.client_secret:
            self.client_secret = None
        return status

    @property
    def unseen(self) -> bool:
        """A given intent that nobody has looked at: it may be another's."""
        return self.given is not None and self.status == AuthorizationStatus.ASKED


class Charge(Base):
    """What is asked for units. Its amount never changes: other units mean that it is cancelled, and another written."""

    __tablename__ = "charges"
    __table_args__ = (
        UniqueConstraint("order_id", "n"),
        ForeignKeyConstraint(["order_id", "tender_n"], ["tenders.order_id", "tenders.n"], name="fk_charges_tender"),
    )

    charge_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    """`{order_id}-c{n}`"""
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"))
    n: Mapped[int]
    tender_n: Mapped[int]
    purpose: Mapped[ChargePurpose]
    amount: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[ChargeStatus]
    recorded_at: Mapped[datetime]


class ChargeUnits(Base):
    """`quantity` units of a line from `first_unit` on, which a charge asks `amount` each for."""

    __tablename__ = "charge_units"
    __table_args__ = (Index(None, "order_id", "line_no"),)

    charge_id: Mapped[str] = mapped_column(ForeignKey("charges.charge_id"), primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"))
    line_no: Mapped[int] = mapped_column(primary_key=True)
    first_unit: Mapped[int] = mapped_column(primary_key=True)
    quantity: Mapped[int]
    amount: Mapped[int] = mapped_column(BigInteger)


class Refund(Base):
    """Money to be given back, of one charge and the payment that paid it: none, where nobody can pay it back for us."""

    __tablename__ = "refunds"
    __table_args__ = (UniqueConstraint("order_id", "n"), UniqueConstraint("change_id", "charge_id", "payment_id"))

    refund_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    """`{order_id}-r{n}`"""
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"))
    n: Mapped[int]
    charge_id: Mapped[str | None] = mapped_column(ForeignKey("charges.charge_id"))
    """None: somebody gave it back at the provider, of no charge that is known."""
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments.payment_id"))
    amount: Mapped[int] = mapped_column(BigInteger)
    credited: Mapped[int] = mapped_column(BigInteger)
    """The part of it that lowered the charge before that was paid, and moves nothing."""
    reference: Mapped[str | None] = mapped_column(REFERENCE, unique=True)
    status: Mapped[RefundStatus]
    change_id: Mapped[int | None] = mapped_column(ForeignKey("changes.change_id"))
    recorded_at: Mapped[datetime]


class RefundUnits(Base):
    """The units that a refund is for, as `ChargeUnits`: none, where only an amount was named."""

    __tablename__ = "refund_units"

    refund_id: Mapped[str] = mapped_column(ForeignKey("refunds.refund_id"), primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"), index=True)
    line_no: Mapped[int] = mapped_column(primary_key=True)
    first_unit: Mapped[int] = mapped_column(primary_key=True)
    quantity: Mapped[int]
    amount: Mapped[int] = mapped_column(BigInteger)


class Dispute(Base):
    """The customer's bank asks money of a payment back, or has taken it."""

    __tablename__ = "disputes"

    dispute_id: Mapped[str] = mapped_column(REFERENCE, primary_key=True)
    """The provider's."""
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.payment_id"), index=True)
    amount: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(WORD)
    """The provider's word."""
    due_by: Mapped[datetime | None]
    """Until when it takes our evidence."""
    answered: Mapped[bool]
    """It has our evidence."""
    status: Mapped[DisputeStatus]
    effective_at: Mapped[datetime]
    """Of the last news that changed it."""
    recorded_at: Mapped[datetime]
