"""Every table. Statuses (`status` and its kin) are written only by `activities.facts`, in the transaction of the fact.

Amounts are BIGINT minor units; instants are UTC. Names, addresses and numbers of people live in `contacts` and
`customers` alone.
"""

from infra.database.tables.base import COUNTER, ID, PERSONAL, REFERENCE, SERVICE, WORD, Base, metadata
from infra.database.tables.catalogue import Location, Product, ProductReference, Till
from infra.database.tables.counts import Count, CountLine, CountSession
from infra.database.tables.customers import Customer, SavedMethod
from infra.database.tables.events import Event
from infra.database.tables.fulfillments import Fulfillment, HandOver, Parcel, ParcelContent
from infra.database.tables.keys import ApiKey
from infra.database.tables.messages import Message, News
from infra.database.tables.money import Charge, ChargeUnits, Dispute, MoneyMove, Payment, Refund, RefundUnits, Tender
from infra.database.tables.orders import Contact, LineCancellation, Order, OrderLine, TaxLine, UnitAmount
from infra.database.tables.process import Change, Deadline, Effect, Hold, Migration, Relay
from infra.database.tables.sales import Return, ReturnUnits, Sale
from infra.database.tables.stock import Backorder, Claim, Reservation, Restock, Stock, StockMove

__all__ = [
    "COUNTER",
    "ID",
    "PERSONAL",
    "REFERENCE",
    "SERVICE",
    "WORD",
    "ApiKey",
    "Backorder",
    "Base",
    "Change",
    "Charge",
    "ChargeUnits",
    "Claim",
    "Contact",
    "Count",
    "CountLine",
    "CountSession",
    "Customer",
    "Deadline",
    "Dispute",
    "Effect",
    "Event",
    "Fulfillment",
    "HandOver",
    "Hold",
    "LineCancellation",
    "Location",
    "Message",
    "Migration",
    "MoneyMove",
    "News",
    "Order",
    "OrderLine",
    "Parcel",
    "ParcelContent",
    "Payment",
    "Product",
    "ProductReference",
    "Refund",
    "RefundUnits",
    "Relay",
    "Reservation",
    "Restock",
    "Return",
    "ReturnUnits",
    "Sale",
    "SavedMethod",
    "Stock",
    "StockMove",
    "TaxLine",
    "Tender",
    "Till",
    "UnitAmount",
    "metadata",
]
