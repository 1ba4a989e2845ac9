"""The dashboard: money moved by somebody else than us, as the API would move it. No fault strikes it."""

from collections.abc import Mapping
from typing import Any

from infra.sandbox.endpoint import Call, Problem
from infra.sandbox.params import Field, Invalid, check
from infra.sandbox.stripe import capture, parameters, refunds
from infra.sandbox.stripe.calls import Do
from infra.sandbox.stripe.errors import Refusal
from infra.sandbox.world import Document, World

MOVES: dict[str, tuple[Mapping[str, Field], Do]] = {
    "capture": (parameters.CAPTURE, capture.capture),
    "cancel": (parameters.CANCEL, capture.cancel),
    "refund": (parameters.CREATE_REFUND, refunds.create),
}


def move(world: World, intent: str, word: str, given: dict[str, Any]) -> Document:
    """With the parameters of Stripe's API; what it answers. ValueError: what Stripe says against it."""
    declared, do = MOVES[word]
    given = given | ({"payment_intent": intent} if word == "refund" else {})
    call = Call(word, "POST", f"/dashboard/{intent}/{word}", {"id": intent}, "", {}, b"")
    try:
        with world.elsewhere():
            moved: Document = do(world, call, check(declared, given, text=False)).body
            return moved
    except (Refusal, Problem) as refused:
        error = refused.answer.body["error"]
        raise ValueError(f"{error.get('code', error['type'])}: {error['message']}") from None
    except Invalid as wrong:
        raise ValueError(str(wrong)) from None
