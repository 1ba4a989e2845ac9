"""While a secret is rotated two are good: news signed with either is taken, what we sign ourselves has the first."""

from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio.client import Client

from infra.settings import Settings
from tests.fixtures_database import Database
from tests.sandbox import SECRETS
from tests.starter.door import Api, running
from tests.starter.senders import PUBLIC, Senders
from workers.wiring import providers

NEW = {
    "STRIPE_WEBHOOK_SECRET": "whsec_and-the-next-secret-of-stripe",
    "SHIPPO_WEBHOOK_SECRET": "the-next-secret-of-shippo",
    "TWILIO_AUTH_TOKEN": "the-next-token-of-twilio",
    "WAREHOUSE_SECRET": "whsec_dGhlIG5leHQgc2VjcmV0IG9mIHRoZSB3YXJlaG91c2U=",
}
OLD = {name: SECRETS[name] for name in NEW}
STRANGE = dict.fromkeys(NEW, "whsec_c29tZWJvZHkgZWxzZSBpcyB0aGUgc2VuZGVy")


@pytest.fixture
def settings() -> Settings:
    both = {name: f"{NEW[name]},{OLD[name]}" for name in NEW}
    elsewhere = {"PUBLIC_URL": PUBLIC, "WAREHOUSE_URL": "http://127.0.0.1:9/warehouse"}
    more = {"STRIPE_API_KEY": "sk_test_x", "TWILIO_ACCOUNT_SID": "AC1", "TWILIO_FROM": "+15005550006"}
    return Settings.from_environment(both | elsewhere | more | {"MAIL_FROM": "a@b.example", "SMTP_URL": "smtp://[::1]"})


@pytest.fixture
async def api(settings: Settings, shop: Database, engine_away: Client) -> AsyncIterator[Api]:
    async with running(settings, shop, engine_away) as api:
        yield api


async def answers(senders: Senders, secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The statuses that news of each sender, signed with these, is answered with."""
    for name, secret in secrets.items():
        monkeypatch.setitem(SECRETS, name, secret)
    sent = [
        await senders.stripe("customer.created", {"id": "cus_1"}),
        await senders.shippo("batch_created", {}),
        await senders.twilio("SM1", "sent"),
        await senders.warehouse("fulfillment.odd", {}, secret=secrets["WAREHOUSE_SECRET"]),
    ]
    return [answer.status_code for answer in sent]


@pytest.mark.parametrize(("secrets", "status"), [(NEW, 200), (OLD, 200), (STRANGE, 401)])
async def test_either_signs_news(
    api: Api, monkeypatch: pytest.MonkeyPatch, secrets: dict[str, str], status: int
) -> None:
    assert await answers(Senders(api.client), secrets, monkeypatch) == [status] * 4


def test_what_we_sign_has_the_first(settings: Settings) -> None:
    outside: Any = providers(settings)
    assert outside.texts._client.password == NEW["TWILIO_AUTH_TOKEN"]
    _, webhook = outside.warehouses._warehouses["default"]
    assert f"whsec_{b64encode(webhook._whsecret).decode()}" == NEW["WAREHOUSE_SECRET"]
    outside.close()
    assert outside.warehouses._client.is_closed
