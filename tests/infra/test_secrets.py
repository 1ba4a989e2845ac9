"""Secrets may stand in files, and none is taken that others guess."""

import re
from pathlib import Path

import pytest

from infra.settings import SECRETS_OF_THE_ENGINE, Settings, SettingsError, environment, secret_names
from tests.infra.test_settings import LONG, OTHER, two
from tests.sandbox import ROOT

TWO_ARE_GOOD = ("STRIPE_WEBHOOK_SECRET", "SHIPPO_WEBHOOK_SECRET", "TWILIO_AUTH_TOKEN")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:postgres@db.example/name",
        "postgresql://ann:pass%77ord@10.0.0.7:5432/name?sslmode=require",
        "postgresql+psycopg://ann:Temporal@db/name",
        "postgresql://ann:orders@[2001:db8::7]:5432/name",
        "postgresql://ann:ann@db/name",
        "postgresql:///name?host=db&user=ann&password=ANN",
        "postgresql://ann:changeme@/name?host=127.0.0.1,db:5433",
    ],
)
def test_a_password_that_is_guessed_first_is_refused_where_others_reach_the_database(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({"DATABASE_URL": url})
    message = "setting DATABASE_URL has a password that is guessed first, on another machine than this"
    assert str(refused.value) == message


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://orders:orders@127.0.0.1:5432/orders",
        "postgresql://orders:orders@localhost/orders",
        "postgresql://orders:orders@[::1]:5432/orders",
        "postgresql://orders:orders@/orders?host=/var/run/postgresql",
        "postgresql://postgres@db/orders",
        "postgresql://orders:of-words-and-numbers-77@db/orders",
    ],
)
def test_on_this_machine_or_better_chosen_it_is_taken(url: str) -> None:
    assert Settings.from_environment({"DATABASE_URL": url}).database_url.get_secret_value() == url


def test_every_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    written = {
        "DATABASE_URL": "postgresql://ann:pass@db/name",
        "ORDERS_MIGRATION_DATABASE_URL": "postgresql://ann:pass@db/name",
        "SMTP_URL": "smtp://user:pass@mail.example",
        "WAREHOUSES": two("oak", LONG, OTHER),
    } | dict.fromkeys(TWO_ARE_GOOD, f"{LONG},{OTHER}")
    plain = {name: written.get(name, LONG) for name in secret_names()}
    for name, value in plain.items():
        (tmp_path / name).write_text(f"{value}\n")
    by_files = Settings.from_environment({f"{name}_FILE": str(tmp_path / name) for name in plain})
    assert by_files == Settings.from_environment(plain)
    # what hides itself is a secret
    hidden = {name.upper() for name, value in by_files if "SecretStr" in repr(value)}
    assert {*plain} == {*hidden, *SECRETS_OF_THE_ENGINE}


def test_the_runbook_lists_them() -> None:
    text = (ROOT / "docs/operating.md").read_text().split("**Secrets in files.**")[1].split("\n\n")[0]
    listed = re.findall(r"`([A-Z_]+)`", text)
    assert {*listed} == {*secret_names(), "NAME_FILE", "TEMPORAL_TLS_CLIENT_KEY_PATH"}


@pytest.mark.parametrize(
    ("content", "more", "message"),
    [
        (b"sesame", {"STRIPE_API_KEY": "sesame"}, "settings STRIPE_API_KEY and STRIPE_API_KEY_FILE are both given"),
        (b"\n", {}, "setting STRIPE_API_KEY_FILE: expected a file that is not empty"),
        (None, {}, "setting STRIPE_API_KEY_FILE: expected a file that can be read (FileNotFoundError)"),
        (b"\xff\xfe", {}, "setting STRIPE_API_KEY_FILE: expected a file that can be read (UnicodeDecodeError)"),
    ],
)
def test_a_file_that_gives_no_secret_is_named(
    tmp_path: Path, content: bytes | None, more: dict[str, str], message: str
) -> None:
    file = tmp_path / "sesame"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({"STRIPE_API_KEY_FILE": str(file)} | more)
    assert str(refused.value).startswith(message)
    assert "sesame" not in str(refused.value)


def test_of_a_secret_in_a_file_only_the_last_newline_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_text(" of\nlines \n\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORDERS_ENV_FILE", "")
    monkeypatch.setenv("STRIPE_API_KEY_FILE", "key")
    assert environment()["STRIPE_API_KEY"] == " of\nlines \n"
    assert "STRIPE_API_KEY_FILE" not in environment(), "who is given both refuses"
