"""What tills sold, and what came back over a counter."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from infra.database.tables.base import ID, Base
from infra.words import Condition, RefundWay


class Sale(Base):
    """Of an order that a till has sold: where, and when. What of it left over the counter is a fulfillment."""

    __tablename__ = "sales"

    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"), primary_key=True)
    till_id: Mapped[str] = mapped_column(ForeignKey("tills.till_id"), index=True)
    location_id: Mapped[str] = mapped_column(ForeignKey("locations.location_id"))
    shift: Mapped[str | None] = mapped_column(ID)
    sold_at: Mapped[datetime]


class Return(Base):
    """Units that somebody brought back, with what they were given for it. Asked for, and known again, as a change."""

    __tablename__ = "returns"

    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    change_id: Mapped[int] = mapped_column(ForeignKey("changes.change_id"), unique=True)
    location_id: Mapped[str] = mapped_column(ForeignKey("locations.location_id"))
    till_id: Mapped[str | None] = mapped_column(ForeignKey("tills.till_id"))
    shift: Mapped[str | None] = mapped_column(ID)
    refund: Mapped[RefundWay]
    void: Mapped[bool]
    """The sale is undone by the till that made it, on its day."""
    sale_id: Mapped[str | None] = mapped_column(ForeignKey("orders.order_id"), unique=True)
    """What was taken in exchange."""
    exchanged: Mapped[int] = mapped_column(BigInteger)
    """What of their worth pays for that."""
    received_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class ReturnUnits(Base):
    """Units of one line that came back."""

    __tablename__ = "return_units"
    __table_args__ = (ForeignKeyConstraint(["order_id", "n"], ["returns.order_id", "returns.n"]),)

    order_id: Mapped[str] = mapped_column(ID, primary_key=True)
    line_no: Mapped[int] = mapped_column(primary_key=True)
    first_unit: Mapped[int] = mapped_column(primary_key=True)
    n: Mapped[int]
    quantity: Mapped[int]
    condition: Mapped[Condition]
