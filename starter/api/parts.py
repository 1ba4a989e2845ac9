"""What the endpoints stand on, made once per process and found through the request."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.orm import Session, sessionmaker

from infra.settings import Settings
from starter.api.problems import Refusal
from starter.keys import Caller, Scope, caller
from starter.orders import Orders
from starter.relay import RelayWorker


@dataclass
class Parts:
    """`reading` sessions never wait for a writer. `orders` and `relay` live with the running app."""

    settings: Settings
    sessions: sessionmaker[Session]
    reading: sessionmaker[Session]
    orders: Orders
    relay: RelayWorker


def parts(request: Request) -> Parts:
    found: Parts = request.app.state.parts
    return found


Here = Annotated[Parts, Depends(parts)]
bearer = HTTPBearer(auto_error=False, description="An API key, as `orders keys create` prints it.")


def allowed(*scopes: Scope) -> Callable[[Parts, HTTPAuthorizationCredentials | None], Caller]:
    """A dependency: who calls, if their key has any of these scopes."""

    def check(here: Here, given: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]) -> Caller:
        with here.reading() as tx:
            who = caller(tx, given.credentials) if given else None
        if who is None:
            detail = "an API key is needed: Authorization: Bearer …" if given is None else "this API key is not known"
            raise Refusal(401, detail, headers={"WWW-Authenticate": "Bearer"})
        if not who.may(*scopes):
            raise Refusal(403, f"this API key lacks the scope {' or '.join(scopes)}")
        return who

    return check


Reader = Annotated[Caller, Depends(allowed("orders:read"))]
Writer = Annotated[Caller, Depends(allowed("orders:write"))]
Operator = Annotated[Caller, Depends(allowed("orders:operate"))]
Stocker = Annotated[Caller, Depends(allowed("stock:write"))]
StockReader = Annotated[Caller, Depends(allowed("orders:read", "stock:write"))]
