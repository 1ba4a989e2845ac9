"""Product's invariants 1, 3 and 4, asked of the tables: each question's answer is what breaks them."""

from sqlalchemy import text
from sqlalchemy.orm import Session

QUESTIONS = {
    "captured more than was authorized": """
        SELECT order_id, payment_id FROM money_moves WHERE payment_id IS NOT NULL GROUP BY order_id, payment_id
        HAVING SUM(CASE kind WHEN 'captured' THEN amount ELSE 0 END)
             > SUM(CASE kind WHEN 'authorized' THEN amount ELSE 0 END)""",
    "refunded more than was captured": """
        SELECT order_id, payment_id FROM money_moves WHERE payment_id IS NOT NULL GROUP BY order_id, payment_id
        HAVING SUM(CASE kind WHEN 'refunded' THEN amount WHEN 'refund_failed' THEN -amount ELSE 0 END)
             > SUM(CASE kind WHEN 'captured' THEN amount ELSE 0 END)""",
    "charged more than the order costs": """
        SELECT o.order_id, SUM(m.amount) FROM orders o JOIN money_moves m ON m.order_id = o.order_id
        WHERE m.kind = 'captured' GROUP BY o.order_id, o.total HAVING SUM(m.amount) > o.total""",
    "reserved outside what is on hand": "SELECT sku, location_id FROM stock WHERE reserved < 0 OR reserved > on_hand",
    "reserved for nobody, or not for whom it is": """
        SELECT s.sku, s.location_id, s.reserved FROM stock s WHERE s.reserved <> (
            SELECT COALESCE(SUM(r.quantity), 0) FROM reservations r
            WHERE r.sku = s.sku AND r.location_id = s.location_id AND r.status = 'held')""",
    "stock that its moves do not explain": """
        SELECT s.sku, s.location_id FROM stock s WHERE (s.on_hand, s.reserved) <> (
            SELECT COALESCE(SUM(m.on_hand), 0), COALESCE(SUM(m.reserved), 0) FROM stock_moves m
            WHERE m.sku = s.sku AND m.location_id = s.location_id)""",
    "stock held by a closed order": """
        SELECT o.order_id, r.reservation_id FROM orders o JOIN reservations r ON r.order_id = o.order_id
        WHERE o.status IN ('completed', 'cancelled') AND r.status = 'held'""",
    "a place in the queue held by a closed order": """
        SELECT o.order_id, b.backorder_id FROM orders o JOIN backorders b ON b.order_id = o.order_id
        WHERE o.status IN ('completed', 'cancelled') AND b.status = 'waiting'""",
    "an authorization held by a closed order": """
        SELECT o.order_id, p.intent FROM orders o JOIN payments p ON p.order_id = o.order_id
        WHERE o.status IN ('completed', 'cancelled') AND p.status IN ('asked', 'action_required', 'authorized')""",
    "an unused label held by a closed order": """
        SELECT o.order_id, p.label_id FROM orders o JOIN fulfillments f ON f.order_id = o.order_id
        JOIN parcels p ON p.fulfillment_id = f.fulfillment_id
        WHERE o.status IN ('completed', 'cancelled') AND p.label_status IN ('buying', 'bought', 'refund_requested')""",
    "a message that waits, and nothing that ends it": """
        SELECT m.order_id, m.message_id FROM messages m WHERE m.due_at IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM deadlines d
            WHERE d.order_id = m.order_id AND d.kind = 'parcels_told' AND d.done_at IS NULL)""",
    "a wish to cancel that a closed order never answered": """
        SELECT o.order_id, c.n FROM orders o JOIN line_cancellations c ON c.order_id = o.order_id
        WHERE o.status IN ('completed', 'cancelled') AND c.status = 'asked'""",
    "units cancelled twice": """
        SELECT a.order_id, a.line_no FROM line_cancellations a JOIN line_cancellations b
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
}


def broken(tx: Session) -> list[str]:
    """What is wrong in these tables; nothing, if all is well."""
    return [f"{what}: {tuple(row)}" for what, question in QUESTIONS.items() for row in tx.execute(text(question))]
