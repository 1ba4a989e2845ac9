"""Who may speak to the sandbox: programs of this machine, or of the network that `--host` names, and no page in a
browser; its controls need a token besides.

A webhook of the sandbox is as good as a vendor's: who drives it could put units into stock.
"""

import hmac
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
SPOKEN = {"stripe": FORM, "twilio": FORM, "shippo": JSON, "warehouse": JSON, "_sandbox": JSON}
"""By the first segment of the path. What is not what the vendor takes may come from a page that may send no other."""


class Guard:
    def __init__(self, app: ASGIApp, token: str, host: str) -> None:
        self.app = app
        self.names = (*THIS_MACHINE, host)
        self.expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = self.refused(scope["path"], Headers(scope=scope)) if scope["type"] == "http" else None
        if refused is not None:
            await JSONResponse({"error": refused[1]}, refused[0])(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def refused(self, path: str, headers: Headers) -> tuple[int, str] | None:
        """Status and reason, where this may not be answered."""
        host, room = headers.get("host", ""), path.split("/")[1]
        if not self.known(host):  # a name that leads here is how a page reaches what it may not
            return 421, "this is the sandbox: it answers to 127.0.0.1, or as --host says"
        if headers.get("origin", f"http://{host}") != f"http://{host}":
            return 403, "not for the pages of others"
        if room == "_sandbox" and not hmac.compare_digest(headers.get("authorization", "").encode(), self.expected):
            return 401, "the controls need Authorization: Bearer, with ORDERS_SANDBOX_TOKEN"
        spoken = headers.get("content-type", "").partition(";")[0].strip().lower()
        if room in SPOKEN and _has_body(headers) and spoken != SPOKEN[room]:
            return 415, f"expected {SPOKEN[room]}"
        return None

    def known(self, host: str) -> bool:
        try:
            return urlsplit(f"//{host}").hostname in self.names
        except ValueError:
            return False


def _has_body(headers: Headers) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
