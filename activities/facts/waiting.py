"""Whether news waits for what is being written: asked with what is read there anyway, it costs no statement."""

from sqlalchemy import bindparam, exists

from infra.database.tables import News

WAITS = exists().where(News.open_since.is_not(None), News.about.in_(bindparam("about", expanding=True)))
"""For any of what it is `about`."""
WAITS_FOR_FULFILLMENTS = exists().where(
    News.open_since.is_not(None), News.about.startswith(bindparam("fulfillments", type_=News.about.type), escape="/")
)
"""Of an order (`fulfillments_of`); or of one whose id begins like them."""


def fulfillments_of(order_id: str) -> str:
    """What all that is said of them begins with."""
    begins = f"fulfillment {order_id}-"
    for special in "/%_":
        begins = begins.replace(special, f"/{special}")
    return begins
