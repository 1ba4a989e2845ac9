"""The engine, as whoever may not do everything meets it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from google.protobuf.message import Message
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode, ServiceClient


class Refusing(ServiceClient):
    """Asks the real server everything but what is refused. (The embedded one knows no permissions.)"""

    def __init__(self, real: ServiceClient, refused: tuple[str, ...]) -> None:
        super().__init__(real.config)
        self.real = real
        self.refused = refused

    async def _rpc_call(
        self,
        rpc: str,
        req: Message,
        resp_type: Any,
        *,
        service: str,
        retry: bool,
        metadata: Mapping[str, str | bytes],
        timeout: timedelta | None,  # noqa: ASYNC109 - the SDK's own
    ) -> Any:
        if rpc in self.refused:
            raise RPCError("Request unauthorized.", RPCStatusCode.PERMISSION_DENIED, b"")
        return await self.real._rpc_call(
            rpc, req, resp_type, service=service, retry=retry, metadata=metadata, timeout=timeout
        )

    @property
    def worker_service_client(self) -> Any:
        return self.real.worker_service_client

    def update_rpc_metadata(self, metadata: Mapping[str, str | bytes]) -> None:
        self.real.update_rpc_metadata(metadata)

    def update_api_key(self, api_key: str | None) -> None:
        self.real.update_api_key(api_key)


def refusing(client: Client, *rpcs: str) -> Client:
    """The same client, where these are not allowed."""
    config = client.config()
    config["service_client"] = Refusing(client.service_client, rpcs)
    return Client(**config)
