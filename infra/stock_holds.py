"""What of stock waits for a person, and belongs to no order."""

from infra.hold_kinds import SEEN_TO
from infra.holds import Action, AnyHoldKind, HoldReason

COUNT = "count"
"""The kind of subject."""


class StockHoldKind(AnyHoldKind):
    COUNTED_BELOW_PACKED = (
        "counted_below_packed",
        HoldReason.RECONCILIATION,
        "Fewer units were counted than are packed for orders: see whether the parcels were counted too. Where they are "
        "not there, report a short pick of each; then skip.",
        {Action.SKIP: SEEN_TO},
    )
