"""The API, as commands speak to it: where it is, with which key, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starter.cli.failure import Failed

if TYPE_CHECKING:
    import httpx

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Refused(Failed):
    """The API said no: the status, and each wrong field with its message."""

    def __init__(self, status: int, detail: str, errors: list[tuple[str, str]]) -> None:
        super().__init__(detail)
        self.status, self.errors = status, errors


class Unreachable(Failed):
    """Nobody answers there, or not with our API's voice."""


class Api:
    """Calls of the API. Raises `Refused` and `Unreachable`."""

    def __init__(self, url: str, key: str) -> None:
        import httpx

        self.url = url.rstrip("/")
        self.http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=httpx.Timeout(30, connect=5),
            # a proxy is for the way out, not for the next process
            trust_env=urlsplit(url).hostname not in LOOPBACK,
        )

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", path, query=query)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self.call("POST", path, body=body, headers=headers)

    def put(self, path: str, body: Any) -> Any:
        return self.call("PUT", path, body=body)

    def call(
        self, method: str, path: str, *, query: Any = None, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        return self.read(self.send(method, path, query=query, body=body, headers=headers))

    def send(
        self, method: str, path: str, *, query: Any = None, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        import httpx

        try:
            return self.http.request(
                method,
                path,
                params={name: value for name, value in (query or {}).items() if value is not None},
                json=body,
                headers=dict(headers or {}),
            )
        except (ValueError, httpx.InvalidURL):
            raise Failed("what was given holds characters that cannot be sent: write them anew") from None
        except httpx.TransportError as trouble:
            raise Unreachable(
                f"no API answers at {self.url} ({type(trouble).__name__}): start one with `orders up`, "
                "or set ORDERS_API_URL"
            ) from None

    def read(self, answer: httpx.Response) -> Any:
        """What was answered; a refusal is raised, in the API's own words."""
        if answer.is_success:
            return answer.json()
        if answer.status_code == 401:
            raise Refused(401, f"the API at {self.url} does not know this key: set ORDERS_API_KEY", [])
        try:
            problem = answer.json()
            errors = [(error["field"], error["message"]) for error in problem.get("errors", [])]
            detail = problem.get("detail") or problem["title"]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Unreachable(
                f"what answers at {self.url} is not the orders API (status {answer.status_code})"
            ) from None
        raise Refused(answer.status_code, str(detail), errors)

    def orders(self, limit: int, **wanted: Any) -> Iterator[dict[str, Any]]:
        """Summaries, newest first, over as many pages as needed."""
        cursor: str | None = None
        while limit > 0:
            page = self.get("/v1/orders", limit=min(limit, 200), cursor=cursor, **wanted)
            yield from page["orders"]
            limit -= len(page["orders"])
            cursor = page["next"]
            if cursor is None:
                return


def api() -> Api:
    """The API that settings name, else the one of the stack in ORDERS_HOME."""
    from infra.settings import Settings, SettingsError

    try:
        settings = Settings.from_environment()
    except SettingsError as wrong:
        raise Failed(str(wrong)) from None
    url, key = settings.orders_api_url, settings.orders_api_key.get_secret_value()
    if not (url and key):
        from infra.home import Home, HomeError

        try:
            stack = Home(settings.orders_home).read()
        except HomeError as trouble:
            raise Failed(str(trouble)) from None
        if stack is None and not url:
            raise Failed(nowhere(settings.orders_home))
        if stack is not None and url in ("", stack.api_url):
            url, key = stack.api_url, key or stack.api_key.get_secret_value()
    if not key:
        raise Failed("ORDERS_API_KEY is missing: `orders keys create` makes a key")
    return Api(url, key)


def nowhere(home: Path) -> str:
    from starter.cli.tables import short

    demo = home / "demo"
    or_else = f"ORDERS_HOME={short(demo)} for the demo's" if demo.exists() else "ORDERS_API_URL and ORDERS_API_KEY"
    return f"no stack runs in {short(home)}: start one with `orders up`, or set {or_else}"
