"""Whether news waits for what is being written: asked with what is read there anyway, it costs no statement."""

from sqlalchemy import ColumnElement, exists, false

from infra.database.tables import News


def waits(*about: str) -> ColumnElement[bool]:
    return exists().where(News.open_since.is_not(None), News.about.in_(about)) if about else false()


def waits_for_fulfillments(order_id: str) -> ColumnElement[bool]:
    """Of this order; or of one whose id begins like them."""
    begins = News.about.startswith(f"fulfillment {order_id}-", autoescape=True)
    return exists().where(News.open_since.is_not(None), begins)
