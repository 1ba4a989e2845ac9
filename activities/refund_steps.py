"""What is given to the activities that give money back on somebody's wish."""

from activities.models import OrderStep, WantedLine


class AskRefundStep(OrderStep):
    """Money is to be given back: of `lines`, an `amount`, the `shipping` alone; none of them: all that can be."""

    lines: tuple[WantedLine, ...] | None = None
    amount: int | None = None
    shipping: bool = False
    request_id: str = ""
    by: str = ""
    why: str = ""
