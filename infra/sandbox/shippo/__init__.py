"""Shippo, as much of it as orders use: rates, labels, refunds, tracking (API 2018-02-08)."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.sandbox.control import control
from infra.sandbox.endpoint import Handler, endpoint
from infra.sandbox.shippo import conversation, labels, pages, shipments, tracks
from infra.sandbox.world import World

TRIGGERS = [
    ("destination zip 00000", "the address cannot be found: no rates"),
    ("destination zip 00001", "buying answers ERROR for good (insufficient_funds)"),
    ("destination zip 00002", "buying a parcel's label answers ERROR once (carrier_timeout), then works"),
    ("destination zip 00003", "the label is bought, and the answer is one that the SDK cannot parse"),
    ("destination zip 00004", "the label's refund is rejected"),
    ("destination zip 00005", "the parcel is returned to its sender"),
    ("destination zip 00006", "the parcel is lost"),
    ("destination zip 00007", "no rates, as no carrier answers"),
    ("destination zip 00008", "buying answers ERROR with a code that nobody knows (E-4711)"),
    ("destination zip 00009", "no rates once, then a carrier answers"),
    ("another country, no customs declaration", "no rates (countries of the European customs union excepted)"),
    ("more than 68 kg", "no rates"),
    ("a token with `invalid` in it", "401"),
    ("carrier `shippo`, SHIPPO_TRANSIT …", "tracking of the vendor's test numbers"),
    ('POST /_sandbox/clock {"customer": "shippo", …}', "Shippo's own clock: rates older than seven days are refused"),
]


def routes(world: World) -> list[Route]:
    def api(method: str, path: str, operation: str, handler: Handler) -> Route:
        spoken = conversation.speaking(handler)
        answer = endpoint(world, "shippo", operation, spoken, failure=conversation.failure)
        return Route(f"/shippo{path}", answer, methods=[method])

    return [
        api("POST", "/shipments", "rates", shipments.create_shipment),
        api("GET", "/shipments/{id}", "retrieve", shipments.get_shipment),
        api("GET", "/rates/{id}", "retrieve", shipments.get_rate),
        api("POST", "/transactions", "buy", labels.buy),
        api("GET", "/transactions", "list", labels.list_transactions),
        api("GET", "/transactions/{id}", "retrieve", labels.get_transaction),
        api("POST", "/refunds", "refund", labels.refund),
        api("GET", "/refunds/{id}", "retrieve", labels.get_refund),
        api("POST", "/tracks", "track", tracks.register),
        api("GET", "/tracks/{carrier}/{number}", "track", tracks.get_track),
        *_pages(world),
        *_controls(world),
    ]


def _pages(world: World) -> list[Route]:
    def label(request: Request) -> Response:
        return pages.label(world, request)

    def parcel(request: Request) -> Response:
        return pages.parcel(world, request)

    return [Route("/shippo/labels/{id}.pdf", label), Route("/shippo/parcels/{carrier}/{number}", parcel)]


def _controls(world: World) -> list[Route]:
    def move(world: World, request: Request, given: object) -> object:
        with world.transaction():
            number, status = request.path_params["number"], request.path_params["status"]
            return tracks.given(world, number) if status == "handed_over" else tracks.move(world, number, status)

    def decide(world: World, request: Request, given: object) -> object:
        answers = {"refund": True, "reject_refund": False}
        with world.transaction():
            granted = answers[request.path_params["answer"]]
            return labels.decide_refund(world, request.path_params["id"], granted=granted)

    return [
        Route("/_sandbox/shippo/tracks/{number}/{status}", control(world, move), methods=["POST"]),
        Route("/_sandbox/shippo/labels/{id}/{answer}", control(world, decide), methods=["POST"]),
    ]
