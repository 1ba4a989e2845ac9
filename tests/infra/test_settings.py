"""Settings stop a process at start with a name and what was expected."""

import base64
import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url

from infra.settings import API_NEEDS, WORKER_NEEDS, Settings, SettingsError, environment


def b64(key: bytes) -> str:
    return base64.b64encode(key).decode()


LONG, OTHER = b64(b"a secret of many bytes, one"), b64(b"a secret of many bytes, two")


def two(name: str, secret: str, other: str) -> str:
    """WAREHOUSES with these secrets."""
    named = {name: {"url": "https://one.example", "secret": secret}}
    return json.dumps(named | {"another": {"url": "https://other.example", "secret": other}})


def test_nothing_set_means_the_embedded_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_environment({})
    assert settings.orders_home == tmp_path / ".orders"
    assert settings.database_url.get_secret_value() == f"sqlite:///{tmp_path}/.orders/orders.db"
    assert settings.public_url == "http://127.0.0.1:8080"
    assert settings.orders_step_patience == timedelta(minutes=15)


def test_empty_means_not_set() -> None:
    assert Settings.from_environment({"ORDERS_API_PORT": ""}).orders_api_port == 8080


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("90", timedelta(seconds=90)),
        ("0.5s", timedelta(seconds=0.5)),
        ("250ms", timedelta(milliseconds=250)),
        ("15m", timedelta(minutes=15)),
        ("1h30m", timedelta(minutes=90)),
        ("3d", timedelta(days=3)),
        ("PT20S", timedelta(seconds=20)),
        ("P5D", timedelta(days=5)),
    ],
)
def test_durations(written: str, meant: timedelta) -> None:
    assert Settings.from_environment({"ORDERS_STEP_PATIENCE": written}).orders_step_patience == meant


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ORDERS_API_PORT", "eighty"),
        ("ORDERS_API_PORT", "70000"),
        ("STRIPE_API_BASE", "stripe.example"),
        ("DATABASE_URL", "mysql://user:sesame@host/name"),
        ("DATABASE_URL", "postgresql://user:ses@me@host/name"),
        ("DATABASE_URL", "postgresql://user:pass@host:sesame/name"),
        ("DATABASE_URL", "postgresql://user:pass@host..sesame/name"),
        ("DATABASE_URL", "postgresql://user:pass@[sesame]/name"),
        ("DATABASE_URL", "postgresql://user:pass@sesame"),
        ("DATABASE_URL", "postgresql://user:pass@host/name@sesame"),
        ("DATABASE_URL", "sqlite://sesame"),
        ("DATABASE_URL", "sqlite:///orders.db?sesame=1"),
        ("ORDERS_MIGRATION_DATABASE_URL", "postgresql://owner:sesame@host/name"),
        ("SMTP_URL", "user:sesame@mail.example"),
        ("SMTP_URL", "smtp://user:12/sesame@mail.example"),
        ("SMTP_URL", "smtp://user:ses/ame@mail.example"),
        ("SMTP_URL", "smtp://user:12#sesame@mail.example"),
        ("SMTP_URL", "smtp://user:pass@mail.example:sesame"),
        ("MAIL_WITHOUT_TLS", "sesame"),
        ("WAREHOUSE_URL", "https://user:pass@host:sesame"),
        ("MAIL_FROM", "nobody"),
        ("TWILIO_ACCOUNT_SID", "sesame"),
        ("WAREHOUSE_SECRET", "sesame, open!"),
        ("WAREHOUSE_SECRET", b64(b"sesame: of 23 bytes....")),
        ("WAREHOUSE_SECRET", f"{LONG},{b64(b'sesame')}"),
        ("WAREHOUSE_SECRET", b64(b"sesame" * 5)),
        ("ORDERS_SANDBOX_TOKEN", "sesame-of-23-bytes....."),
        ("ORDERS_SANDBOX_TOKEN", "sesame" * 5),
        ("STRIPE_WEBHOOK_SECRET", "whsec_sesame-of-23-bytes....."),
        ("SHIPPO_WEBHOOK_SECRET", "sesame-of-23-bytes....."),
        ("SHIPPO_WEBHOOK_SECRET", ",".join(["sesame-of-twenty-four-bytes"] * 3)),
        ("TWILIO_AUTH_TOKEN", "sesame-of-23-bytes....."),
        ("TWILIO_AUTH_TOKEN", "sesame-of-twenty-four-bytes,"),
        ("WAREHOUSES", f'{{"OAK": {{"url": "https://oak.example", "secret": "{b64(b"sesame")}"}}}}'),
        ("WAREHOUSES", two("sesame", LONG, LONG)),
        ("WAREHOUSES", two("sesame", f"{OTHER},{LONG}", LONG)),
        ("WAREHOUSES", "{sesame"),
        ("WAREHOUSES", '{"OAK": {"url": "https://oak.example", "secret": "sesame, open!"}}'),
        ("WAREHOUSES", '{"OAK": {"url": "https://oak.example"}}'),
        ("ORDERS_METRICS_ADDRESS", "9464"),
        ("ORDERS_METRICS_ADDRESS", "localhost:9464"),
        ("ORDERS_METRICS_ADDRESS", "127.0.0.1:0"),
        ("ORDERS_METRICS_ADDRESS", "127.0.0.1:65536"),
        ("ORDERS_METRICS_ADDRESS", "127.0.0.256:9464"),
        ("ORDERS_METRICS_ADDRESS", "[127.0.0.1]:9464"),
        ("ORDERS_HEALTH_ADDRESS", "localhost:8081"),
        ("ORDERS_STEP_PATIENCE", "a while"),
        ("ORDERS_STEP_PATIENCE", "-1s"),
        ("ORDERS_STEP_PATIENCE", "0"),
        ("ORDERS_CONTINUE_AT_EVERY_WAIT", "perhaps"),
    ],
)
def test_a_malformed_setting_is_named_without_its_value(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({name: value})
    message = str(refused.value)
    assert message.startswith(f"setting {name} is malformed: expected ")
    assert "\n" not in message
    assert "sesame" not in message


@pytest.mark.parametrize("address", ["127.0.0.1:9464", "0.0.0.0:1", "[::1]:65535"])
def test_metrics_are_served_at_an_address(address: str) -> None:
    assert Settings.from_environment({"ORDERS_METRICS_ADDRESS": address}).orders_metrics_address == address


def test_every_wrong_setting_is_told_at_once() -> None:
    with pytest.raises(SettingsError, match=r"ORDERS_API_PORT.*STRIPE_API_BASE"):
        Settings.from_environment({"ORDERS_API_PORT": "x", "STRIPE_API_BASE": "y"})


def test_a_malformed_setting_that_others_derive_from_is_told_alone() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({"ORDERS_API_PORT": "x"})
    assert "PUBLIC_URL" not in str(refused.value)


@pytest.mark.parametrize("needs", [WORKER_NEEDS, API_NEEDS])
def test_what_a_process_cannot_do_without_is_named(needs: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({}, needs=needs)
    for name in needs:
        assert f"setting {name.upper()} is missing: expected " in str(refused.value)


def test_the_engine_must_not_give_up_a_call_before_the_call_itself_does() -> None:
    with pytest.raises(SettingsError, match="ORDERS_START_TO_CLOSE"):
        Settings.from_environment({"ORDERS_HTTP_TIMEOUT": "30s"})


def test_one_warehouse_is_named_default_and_stands_beside_the_others() -> None:
    settings = Settings.from_environment(
        {
            "WAREHOUSE_URL": "https://one.example/",
            "WAREHOUSE_SECRET": f"whsec_{LONG}",
            "WAREHOUSES": f'{{"OAK": {{"url": "https://oak.example", "secret": "{OTHER}"}}}}',
        }
    )
    assert {name: each.url for name, each in settings.warehouses.items()} == {
        "default": "https://one.example",
        "OAK": "https://oak.example",
    }


def test_the_default_warehouse_too_has_a_secret_of_its_own() -> None:
    one = {"WAREHOUSE_URL": "https://one.example", "WAREHOUSE_SECRET": f"whsec_{LONG}"}
    with pytest.raises(SettingsError, match=r"^setting WAREHOUSES is malformed: .* each with a secret of its own"):
        Settings.from_environment(one | {"WAREHOUSES": two("oak", OTHER, LONG)})


@pytest.mark.parametrize(
    "name", ["STRIPE_WEBHOOK_SECRET", "SHIPPO_WEBHOOK_SECRET", "TWILIO_AUTH_TOKEN", "WAREHOUSE_SECRET"]
)
def test_two_secrets_are_good_while_rotating(name: str) -> None:
    settings = Settings.from_environment({name: f"{LONG}, {OTHER}"})
    assert [secret.get_secret_value() for secret in getattr(settings, name.lower())] == [LONG, OTHER]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://host/name",
        "postgresql://user:p%40ss@host:5432/name?sslmode=require",
        "postgresql+psycopg://user:12/3?4#5@10.0.0.7/name",
        "postgresql://user@[::1]:5432/name",
        "postgresql:///name?host=/var/run/postgresql",
        "sqlite:////var/lib/orders.db",
        "sqlite:///orders.db",
    ],
)
def test_what_sqlalchemy_reads_as_meant_is_taken(url: str) -> None:
    assert Settings.from_environment({"DATABASE_URL": url}).database_url.get_secret_value() == url
    make_url(url)


def test_secrets_do_not_show() -> None:
    written = {
        "STRIPE_API_KEY": "sesame",
        "SMTP_URL": "smtp://user:sesame@mail.example",
        "DATABASE_URL": "postgresql://user:sesame@host/name",
    }
    assert "sesame" not in repr(Settings.from_environment(written))


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("STRIPE_API_KEY=from$file\nMAIL_FROM='Shop <shop@example.com>'\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ORDERS_ENV_FILE", raising=False)
    monkeypatch.setenv("STRIPE_API_KEY", "from environment")
    assert environment()["STRIPE_API_KEY"] == "from environment"
    assert environment()["MAIL_FROM"] == "Shop <shop@example.com>"
    monkeypatch.delenv("STRIPE_API_KEY")
    assert environment()["STRIPE_API_KEY"] == "from$file"
    monkeypatch.setenv("ORDERS_ENV_FILE", "")
    assert "MAIL_FROM" not in environment()


@pytest.mark.parametrize("days", ["7", "{}", '{"US": {"*": 4}}', '{"*": {"fastest": 3}}', '{"*": {"*": -1}}', "{"])
def test_days_of_transit_say_how_long_any_other_takes(days: str) -> None:
    with pytest.raises(SettingsError, match="ORDERS_TRANSIT_DAYS is malformed"):
        Settings.from_environment({"ORDERS_TRANSIT_DAYS": days})


def test_days_of_transit_are_by_country_and_service() -> None:
    settings = Settings.from_environment({"ORDERS_TRANSIT_DAYS": '{"US": {"fastest": 2}, "*": {"*": 9}}'})
    assert settings.orders_transit_days == {"US": {"fastest": 2}, "*": {"*": 9}}
