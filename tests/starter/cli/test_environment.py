"""What of a stack is embedded: whatever has no real settings, and nothing else."""

import socket
from pathlib import Path

import pytest
from pydantic import SecretStr

from infra.home import Home, Stack
from infra.settings import Settings
from starter.cli.stack import environment
from starter.cli.stack.stack import prepared
from tests.starter.door import EAST_SECRET

PORT = dict(zip(environment.PORTS, range(20001, 20007), strict=True))
SECRET = environment.made_secrets(None)


@pytest.mark.parametrize(
    ("given", "real"),
    [
        ({}, set()),
        ({"STRIPE_API_KEY": "sk_live_x"}, {"stripe"}),
        ({"STRIPE_API_KEY": "", "WAREHOUSES": ""}, set()),
        ({"SMTP_URL": "smtps://mail.example.com", "TWILIO_ACCOUNT_SID": "AC1"}, {"mail", "twilio"}),
        ({"WAREHOUSES": '{"east": {}}'}, {"warehouse"}),
        ({"SHIPPO_API_TOKEN": "x", "WAREHOUSE_URL": "https://wms.example.com"}, {"shippo", "warehouse"}),
    ],
)
def test_real_settings_replace_their_part_alone(given: dict[str, str], real: set[str], tmp_path: Path) -> None:
    embedded = environment.embedded(given, Home(tmp_path), PORT, SECRET)
    assert set(embedded) == {"stripe", "shippo", "twilio", "mail", "warehouse"} - real
    assert not {name for part in embedded.values() for name in part if given.get(name)}


def test_all_processes_have_their_settings(tmp_path: Path) -> None:
    made = prepared(Home(tmp_path), {})
    settings = Settings.from_environment(made.environ)
    assert set(settings.warehouses) == {"default"}
    assert settings.public_url == made.stack.api_url
    assert str(settings.orders_home) == str(tmp_path)


def test_with_every_part_real_nothing_is_embedded(tmp_path: Path) -> None:
    real = {
        "STRIPE_API_KEY": "sk_live_x",
        "SHIPPO_API_TOKEN": "x",
        "TWILIO_ACCOUNT_SID": "AC1",
        "SMTP_URL": "smtps://mail.example.com",
        "WAREHOUSE_URL": "https://wms.example.com",
        "WAREHOUSE_SECRET": "dGhlIHNlY3JldCBvZiBhIHdhcmVob3VzZSBlYXN0",
        "TEMPORAL_ADDRESS": "engine.example.com:7233",
        "ORDERS_API_HOST": "0.0.0.0",
        "ORDERS_API_PORT": "8088",
    }
    made = prepared(Home(tmp_path), real)
    assert set(made.stack.ports) == {"api", "metrics"}
    assert made.sandbox is None
    assert made.stack.api_url == "http://127.0.0.1:8088"
    assert made.environ["TEMPORAL_ADDRESS"] == "engine.example.com:7233"


def test_the_sandbox_is_told_of_the_parts_that_it_plays_alone(tmp_path: Path) -> None:
    real = {
        "WAREHOUSES": f'{{"east": {{"url": "https://wms.example.com", "secret": "{EAST_SECRET}"}}}}',
        "STRIPE_API_KEY": "sk_live_x",
        "STRIPE_WEBHOOK_SECRET": "whsec_the-true-secret-of-stripe",
        "DATABASE_URL": "postgresql://u:p@h/x",
    }
    made = prepared(Home(tmp_path), real)
    given = environment.environment_of_sandbox(made.environ, made.sandboxed, made.sandbox_token)
    assert set(made.sandboxed) == set(made.stack.sandboxed) == {"shippo", "twilio", "mail"}
    assert not {value for value in real.values() if value in given.values()}
    assert not {name for name in given if name.startswith(("STRIPE_", "WAREHOUSE", "DATABASE_URL"))}
    settings = Settings.from_environment(given, needs=("orders_sandbox_token", "shippo_webhook_secret"))
    assert settings.public_url == made.stack.api_url
    assert environment.SANDBOX_TOKEN not in made.environ, "nobody else needs it"


def test_a_stack_for_play_reaches_nobody_outside() -> None:
    here = {"PATH": "/bin", "STRIPE_API_KEY": "sk_live_x", "DATABASE_URL": "postgresql://x", "TEMPORAL_ADDRESS": "x"}
    here |= {"DATABASE_URL_FILE": "x", "STRIPE_API_KEY_FILE": "x", "TEMPORAL_API_KEY_FILE": "x"}
    assert environment.without_real_parts(here) == {"PATH": "/bin"}


def test_ports_and_secrets_of_last_time_are_kept_unless_they_are_taken() -> None:
    first = environment.ports(None)
    before = Stack(api_url="", api_key=SecretStr(""), ports=first, secrets={"SHIPPO_WEBHOOK_SECRET": SecretStr("kept")})
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", first["api"]))
        somebody.listen()
        again = environment.ports(before)
    assert {name for name in first if again[name] == first[name]} == set(first) - {"api"}
    assert environment.made_secrets(before)["SHIPPO_WEBHOOK_SECRET"] == "kept"
