"""What must hold of the tables, whatever happened: each question's answer is what breaks it.

A question is one statement, so it sees one moment, and the database does the sums: a table may be of any length.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from infra.database.tables import Effect

QUESTIONS = {
    "captured more than was authorized": """
        SELECT order_id, payment_id FROM money_moves WHERE payment_id IS NOT NULL GROUP BY order_id, payment_id
        HAVING SUM(CASE kind WHEN 'captured' THEN amount ELSE 0 END)
             > SUM(CASE kind WHEN 'authorized' THEN amount ELSE 0 END)""",
    "an authorization neither captured nor given back, or both": """
        SELECT m.order_id, m.payment_id FROM money_moves m JOIN orders o ON o.order_id = m.order_id
        WHERE o.status IN ('completed', 'cancelled') AND m.payment_id IS NOT NULL GROUP BY m.order_id, m.payment_id
        HAVING SUM(CASE kind WHEN 'authorized' THEN amount WHEN 'captured' THEN -amount WHEN 'voided' THEN -amount
                   ELSE 0 END) <> 0""",
    "refunded more than was captured": """
        SELECT order_id, payment_id FROM money_moves GROUP BY order_id, payment_id
        HAVING SUM(CASE kind WHEN 'refunded' THEN amount WHEN 'refund_failed' THEN -amount ELSE 0 END)
             > SUM(CASE WHEN kind IN ('captured', 'assigned') THEN amount ELSE 0 END)""",
    "more came back of a dispute than the bank took": """
        SELECT dispute_id FROM money_moves WHERE dispute_id IS NOT NULL GROUP BY dispute_id
        HAVING SUM(CASE kind WHEN 'dispute_returned' THEN amount ELSE -amount END) > 0""",
    "a person is asked about a dispute that was decided": """
        SELECT h.order_id, h.hold_id FROM holds h JOIN disputes d ON d.dispute_id = h.subject_id
        WHERE h.kind = 'dispute' AND h.closed_at IS NULL AND d.status IN ('won', 'lost')""",
    "charged more than the order costs": """
        SELECT o.order_id, o.total, SUM(CASE m.kind WHEN 'captured' THEN m.amount ELSE 0 END) AS captured
        FROM orders o JOIN money_moves m ON m.order_id = o.order_id GROUP BY o.order_id, o.total
        HAVING SUM(CASE WHEN m.kind = 'captured' AND m.charge_id IS NOT NULL THEN m.amount ELSE 0 END) > o.total""",
    "taken elsewhere, and neither given back nor told to a person": """
        SELECT o.order_id, o.total FROM orders o JOIN money_moves m ON m.order_id = o.order_id
        WHERE NOT EXISTS (SELECT 1 FROM holds h WHERE h.order_id = o.order_id AND h.kind = 'captured_unknown')
        AND NOT EXISTS (SELECT 1 FROM refunds r WHERE r.order_id = o.order_id AND r.status IN ('asked', 'given_up'))
        GROUP BY o.order_id, o.total
        HAVING SUM(CASE m.kind WHEN 'captured' THEN m.amount WHEN 'refunded' THEN -m.amount ELSE 0 END) > o.total""",
    "kept for units that were never sent": """
        SELECT o.order_id, SUM(kept) AS kept, SUM(sent) AS sent FROM orders o JOIN (
            SELECT order_id, 0 AS sent, CASE WHEN kind IN ('captured', 'dispute_returned') THEN amount
                WHEN kind = 'disputed' THEN -amount ELSE 0 END AS kept FROM money_moves UNION ALL
            SELECT order_id, 0, credited - amount FROM refunds WHERE status <> 'failed' OR EXISTS (
                SELECT 1 FROM holds h WHERE h.kind = 'refund_failed' AND h.subject_id = refund_id
                AND h.closed_at IS NULL) UNION ALL
            SELECT r.order_id, u.total * (
                CASE WHEN r.first_unit + r.quantity < u.first_unit + u.quantity THEN r.first_unit + r.quantity
                    ELSE u.first_unit + u.quantity END
                - CASE WHEN r.first_unit > u.first_unit THEN r.first_unit ELSE u.first_unit END), 0
            FROM reservations r JOIN unit_amounts u ON u.order_id = r.order_id AND u.line_no = r.line_no
            AND u.first_unit < r.first_unit + r.quantity AND r.first_unit < u.first_unit + u.quantity
            WHERE r.status = 'consumed') AS each ON each.order_id = o.order_id
        WHERE o.status IN ('completed', 'cancelled')
        AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.order_id = o.order_id AND h.kind = 'captured_unknown')
        GROUP BY o.order_id HAVING SUM(kept) > SUM(sent)""",
    "reserved for nobody, or not for whom it is": """
        SELECT sku, location_id, SUM(reserved) AS reserved, SUM(held) AS held FROM (
            SELECT sku, location_id, reserved, 0 AS held FROM stock UNION ALL
            SELECT sku, location_id, 0, quantity FROM reservations WHERE status = 'held') AS each
        GROUP BY sku, location_id HAVING SUM(reserved) <> SUM(held)""",
    "held by a checkout otherwise than it says": """
        SELECT c.claim_id, c.status, c.units, COALESCE(SUM(r.quantity), 0) AS held
        FROM claims c LEFT JOIN reservations r ON r.claim_id = c.claim_id GROUP BY c.claim_id, c.status, c.units
        HAVING c.status = 'held' AND COALESCE(SUM(r.quantity), 0) <> c.units
            OR c.status = 'expired' AND COALESCE(SUM(r.quantity), 0) > c.units
            OR c.status IN ('used', 'released') AND COUNT(r.quantity) > 0""",
    "stock that its moves do not explain": """
        SELECT sku, location_id, SUM(on_hand) AS on_hand_too_much, SUM(reserved) AS reserved_too_much,
            SUM(blocked) AS blocked_too_much FROM (
            SELECT sku, location_id, on_hand, reserved, blocked FROM stock UNION ALL
            SELECT sku, location_id, -on_hand, -reserved, -blocked FROM stock_moves) AS each
        GROUP BY sku, location_id HAVING SUM(on_hand) <> 0 OR SUM(reserved) <> 0 OR SUM(blocked) <> 0""",
    "a count that the moves do not bear out": """
        SELECT l.count_id, l.sku, l.counted + l.packed AS counted, COALESCE(SUM(m.on_hand), 0) AS moves_say
        FROM count_lines l JOIN counts c ON c.count_id = l.count_id
        LEFT JOIN stock_moves m ON m.sku = l.sku AND m.location_id = c.location_id AND m.occurred_at <= l.counted_at
        WHERE l.status = 'accepted' AND NOT EXISTS (
            SELECT 1 FROM count_lines o JOIN counts p ON p.count_id = o.count_id
            WHERE o.sku = l.sku AND o.status = 'accepted' AND o.counted_at = l.counted_at
            AND p.location_id = c.location_id AND o.count_id <> l.count_id)
        GROUP BY l.count_id, l.sku, l.counted, l.packed HAVING COALESCE(SUM(m.on_hand), 0) <> l.counted + l.packed""",
    "stock held by a closed order": """
        SELECT o.order_id, r.reservation_id FROM orders o JOIN reservations r ON r.order_id = o.order_id
        WHERE o.status IN ('completed', 'cancelled') AND r.status IN ('held', 'displaced')""",
    "a place in the queue held by a closed order": """
        SELECT o.order_id, b.backorder_id FROM orders o JOIN backorders b ON b.order_id = o.order_id
        WHERE o.status IN ('completed', 'cancelled') AND b.status IN ('waiting', 'asked')""",
    "an authorization held by a closed order": """
        SELECT o.order_id, p.payment_id FROM orders o JOIN payments p ON p.order_id = o.order_id
        WHERE o.status IN ('completed', 'cancelled')
        AND (p.status IN ('action_required', 'authorized') OR p.status = 'asked' AND p.intent IS NOT NULL)""",
    "an unused label held by a closed order": """
        SELECT o.order_id, p.fulfillment_id, p.n AS parcel FROM orders o
        JOIN fulfillments f ON f.order_id = o.order_id JOIN parcels p ON p.fulfillment_id = f.fulfillment_id
        WHERE o.status IN ('completed', 'cancelled') AND p.label_status IN ('buying', 'bought', 'refund_requested')""",
    "a message that waits, and nothing that ends it": """
        SELECT m.order_id, m.message_id FROM messages m WHERE m.due_at IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM deadlines d
            WHERE d.order_id = m.order_id AND d.kind = 'parcels_told' AND d.done_at IS NULL)""",
    "a wish to cancel that a closed order never answered": """
        SELECT o.order_id, c.n FROM orders o JOIN line_cancellations c ON c.order_id = o.order_id
        WHERE o.status IN ('completed', 'cancelled') AND c.status = 'asked'""",
    "units cancelled twice": """
        SELECT a.order_id, a.line_no, a.n, b.n AS again FROM line_cancellations a JOIN line_cancellations b
        ON b.order_id = a.order_id AND b.line_no = a.line_no AND b.n > a.n
        WHERE a.status <> 'refused' AND b.status <> 'refused'
        AND a.first_unit < b.first_unit + b.quantity AND b.first_unit < a.first_unit + a.quantity""",
    "units sold and not accounted for": """
        SELECT l.order_id, l.line_no FROM order_lines l JOIN orders o ON o.order_id = l.order_id
        WHERE o.status IN ('completed', 'cancelled') AND l.quantity - (
            SELECT COALESCE(SUM(c.quantity), 0) FROM line_cancellations c
            WHERE c.order_id = l.order_id AND c.line_no = l.line_no AND c.status = 'done') <> (
            SELECT COALESCE(SUM(r.quantity), 0) FROM reservations r
            WHERE r.order_id = l.order_id AND r.line_no = l.line_no AND r.status = 'consumed')""",
    "a line that lists show at another time than its order": """
        SELECT l.order_id, l.line_no FROM order_lines l JOIN orders o ON o.order_id = l.order_id
        WHERE l.placed_at <> o.placed_at""",
    "a unit in two places, or none that was ordered": """
        SELECT order_id, line_no, first_unit, quantity FROM (
            SELECT u.order_id, u.line_no, u.first_unit, u.quantity, l.quantity AS ordered,
                MAX(u.first_unit + u.quantity) OVER (PARTITION BY u.order_id, u.line_no
                    ORDER BY u.first_unit ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS taken_to
            FROM (
                SELECT order_id, line_no, first_unit, quantity FROM reservations
                WHERE status <> 'released' AND order_id IS NOT NULL UNION ALL
                SELECT order_id, line_no, first_unit, quantity FROM backorders
                WHERE status IN ('waiting', 'asked') UNION ALL
                SELECT order_id, line_no, first_unit, quantity FROM line_cancellations WHERE status = 'done') AS u
            LEFT JOIN order_lines l ON l.order_id = u.order_id AND l.line_no = u.line_no) AS each
        WHERE taken_to > first_unit OR ordered IS NULL OR first_unit < 0 OR first_unit + quantity > ordered""",
    "picked up, and no hand-over tells of it, or the other way round": """
        SELECT f.fulfillment_id, f.order_id, SUM(gone) AS gone, SUM(told) AS told FROM fulfillments f JOIN (
            SELECT fulfillment_id, quantity AS gone, 0 AS told FROM reservations WHERE status = 'consumed' UNION ALL
            SELECT fulfillment_id, 0, quantity FROM hand_overs) AS each ON each.fulfillment_id = f.fulfillment_id
        WHERE f.method = 'pickup' GROUP BY f.fulfillment_id, f.order_id HAVING SUM(gone) <> SUM(told)""",
    "a charge that its units do not make": """
        SELECT c.charge_id, c.amount, SUM(u.quantity * u.amount) AS of_units
        FROM charges c LEFT JOIN charge_units u ON u.charge_id = c.charge_id
        GROUP BY c.charge_id, c.amount HAVING COALESCE(SUM(u.quantity * u.amount), 0) <> c.amount""",
    "charged more for a line than it costs": """
        SELECT order_id, line_no, SUM(costs) AS costs, SUM(charged) AS charged FROM (
            SELECT order_id, line_no, quantity * total AS costs, 0 AS charged FROM unit_amounts UNION ALL
            SELECT u.order_id, u.line_no, 0, u.quantity * u.amount FROM charge_units u
            JOIN charges c ON c.charge_id = u.charge_id WHERE c.status <> 'cancelled') AS each
        GROUP BY order_id, line_no HAVING SUM(charged) > SUM(costs)""",
    "received for a charge otherwise than its status says": """
        SELECT charge_id, status, amount, SUM(received) AS received, SUM(credited) AS credited FROM (
            SELECT c.charge_id, c.status, c.amount, m.amount AS received, 0 AS credited FROM charges c
            JOIN money_moves m ON m.charge_id = c.charge_id AND m.kind IN ('captured', 'assigned') UNION ALL
            SELECT c.charge_id, c.status, c.amount, 0, r.credited FROM charges c
            JOIN refunds r ON r.charge_id = c.charge_id UNION ALL
            SELECT charge_id, status, amount, 0, 0 FROM charges) AS each
        GROUP BY charge_id, status, amount
        HAVING status = 'paid' AND SUM(received) + SUM(credited) <> amount
            OR status = 'cancelled' AND SUM(received) <> 0 OR SUM(received) > amount""",
    "given back of a charge more than was received for it": """
        SELECT charge_id FROM money_moves WHERE charge_id IS NOT NULL GROUP BY charge_id
        HAVING SUM(CASE kind WHEN 'refunded' THEN amount WHEN 'refund_failed' THEN -amount ELSE 0 END)
             > SUM(CASE WHEN kind IN ('captured', 'assigned') THEN amount ELSE 0 END)""",
    "tenders that do not make the order's total": """
        SELECT o.order_id, o.total, SUM(t.amount) AS given FROM orders o LEFT JOIN tenders t ON t.order_id = o.order_id
        GROUP BY o.order_id, o.total HAVING COUNT(t.n) = 0 OR SUM(t.amount) > o.total
            OR COUNT(t.amount) = COUNT(t.n) AND SUM(t.amount) <> o.total""",
    "drawn more of a tender than it was to pay": """
        SELECT t.order_id, t.n, t.amount, SUM(m.amount) AS drawn FROM tenders t
        JOIN charges c ON c.order_id = t.order_id AND c.tender_n = t.n
        JOIN money_moves m ON m.charge_id = c.charge_id AND m.kind IN ('captured', 'assigned')
        GROUP BY t.order_id, t.n, t.amount HAVING SUM(m.amount) > t.amount""",
    "a charge that another tender has paid": """
        SELECT c.charge_id, p.payment_id FROM money_moves m JOIN charges c ON c.charge_id = m.charge_id
        JOIN payments p ON p.payment_id = m.payment_id AND p.order_id = c.order_id
        WHERE p.tender_n <> c.tender_n""",
    "a refund of which its moves tell otherwise": """
        SELECT refund_id, status, amount, SUM(moved) AS moved FROM (
            SELECT r.refund_id, r.status, r.amount - r.credited AS amount,
                CASE m.kind WHEN 'refunded' THEN m.amount WHEN 'refund_failed' THEN -m.amount ELSE 0 END AS moved
            FROM refunds r LEFT JOIN money_moves m
            ON m.reference = r.refund_id AND m.kind IN ('refunded', 'refund_failed')) AS each
        GROUP BY refund_id, status, amount
        HAVING status IN ('pending', 'succeeded') AND SUM(moved) <> amount
            OR status IN ('asked', 'failed') AND SUM(moved) <> 0""",
    "money assigned from nowhere": """
        SELECT MIN(order_id) AS order_id, payment_id FROM money_moves WHERE kind = 'assigned'
        GROUP BY payment_id HAVING SUM(amount) <> 0""",
    "a unit that came back and was not away": """
        SELECT b.order_id, b.line_no, b.first_unit FROM return_units b WHERE b.quantity <> (
            SELECT COALESCE(SUM(
                CASE WHEN r.first_unit + r.quantity < b.first_unit + b.quantity THEN r.first_unit + r.quantity
                    ELSE b.first_unit + b.quantity END
                - CASE WHEN r.first_unit > b.first_unit THEN r.first_unit ELSE b.first_unit END), 0)
            FROM reservations r WHERE r.order_id = b.order_id AND r.line_no = b.line_no AND r.status = 'consumed'
            AND r.first_unit < b.first_unit + b.quantity AND b.first_unit < r.first_unit + r.quantity)
        UNION ALL SELECT a.order_id, a.line_no, a.first_unit FROM return_units a JOIN return_units b
        ON b.order_id = a.order_id AND b.line_no = a.line_no AND b.first_unit > a.first_unit
        WHERE b.first_unit < a.first_unit + a.quantity""",
    "money in another currency than its order": """
        SELECT m.order_id, m.move_id FROM money_moves m JOIN orders o ON o.order_id = m.order_id
        WHERE m.currency <> o.currency""",
    "unit amounts that are not the order's total": """
        SELECT o.order_id, o.total, COALESCE(SUM(a.quantity * a.total), 0) AS of_units
        FROM orders o LEFT JOIN unit_amounts a ON a.order_id = o.order_id
        GROUP BY o.order_id, o.total HAVING COALESCE(SUM(a.quantity * a.total), 0) <> o.total""",
}


TOTALS = """
    SELECT order_id, SUM(captured), SUM(refunded), SUM(labels), SUM(written_off) FROM (
        SELECT order_id, CASE kind WHEN 'captured' THEN amount ELSE 0 END AS captured,
            CASE kind WHEN 'refunded' THEN amount WHEN 'refund_failed' THEN -amount ELSE 0 END AS refunded,
            0 AS labels, 0 AS written_off
        FROM money_moves WHERE order_id IS NOT NULL AND payment_id IS NOT NULL UNION ALL
        SELECT order_id, 0, 0, 1, 0 FROM events WHERE type = 'label_bought' UNION ALL
        SELECT f.order_id, 0, 0, 0, 1 FROM parcels p JOIN fulfillments f ON f.fulfillment_id = p.fulfillment_id
        WHERE p.label_id IS NULL AND p.label_status = 'refund_rejected') AS each
    WHERE CAST(:one AS VARCHAR) IS NULL OR order_id = :one
    GROUP BY order_id"""

PAGED = {"yield_per": 500}
"""Rows in memory at once."""


class Breach(NamedTuple):
    what: str
    ids: dict[str, Any]
    """Ids of ours and figures: nothing of a person."""

    def __str__(self) -> str:
        return f"{self.what}: {', '.join(f'{name} {value}' for name, value in self.ids.items())}"


OF_STOCK = [
    "reserved for nobody, or not for whom it is",
    "stock that its moves do not explain",
    "a count that the moves do not bear out",
    "stock held by a closed order",
    "a unit in two places, or none that was ordered",
]


def breaches(tx: Session, which: Iterable[str] = QUESTIONS) -> Iterator[Breach]:
    """All of them, as the database finds them; or those of some questions."""
    for what in which:
        question = QUESTIONS[what]
        for row in tx.execute(text(question), execution_options=PAGED).mappings():
            yield Breach(what, {name: whole(value) for name, value in row.items()})


def whole(value: Any) -> Any:
    """PostgreSQL's sums of numbers are decimals."""
    return int(value) if isinstance(value, Decimal) else value


class Totals(NamedTuple):
    """What the providers did for one order, by our tables; minor units and labels."""

    order_id: str
    captured: int = 0
    refunded: int = 0
    labels: int = 0
    """That were bought, whatever became of them."""
    labels_written_off: int = 0
    """Of which nobody here knows whether they were bought."""


def totals(tx: Session, order_id: str | None = None) -> Iterator[Totals]:
    """Of each order for which anything was done, by the order of its id's characters; or of one."""
    in_order = '"C"' if tx.get_bind().dialect.name == "postgresql" else "BINARY"
    found = tx.execute(
        text(f"{TOTALS} ORDER BY order_id COLLATE {in_order}"), {"one": order_id}, execution_options=PAGED
    )
    for row in found:
        yield Totals(row.order_id, *map(whole, row[1:]))


def undecided(tx: Session, order_id: str) -> bool:
    """Whether a call for this order is under way, or nobody knows yet what became of it."""
    open_ones = select(Effect.effect_id).where(Effect.order_id == order_id, Effect.finished_at.is_(None))
    return tx.scalars(open_ones.limit(1)).first() is not None
