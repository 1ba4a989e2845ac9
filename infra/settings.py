"""Every setting, read once from the environment (and `.env`) into one frozen object that is passed in.

`TEMPORAL_*` are not here: `infra.temporal` leaves them to the SDK, which knows them all.
"""

import json
import os
from collections.abc import Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic import ValidationInfo as Info
from pydantic import field_validator as validates

from infra.formats import (
    CHANCE,
    DURATION,
    LENGTH,
    ROTATING,
    URL,
    Address,
    DatabaseUrl,
    Duration,
    OwnSecret,
    OwnSecrets,
    PerhapsNone,
    Secrets,
    Sender,
    SmtpUrl,
    Url,
    WarehouseSecrets,
    decoded,
)
from infra.words import OWN

WORKER_NEEDS = (
    "stripe_api_key",
    "shippo_api_token",
    "twilio_account_sid",
    "twilio_auth_token",
    "twilio_from",
    "smtp_url",
    "mail_from",
    "warehouses",
)
API_NEEDS = ("stripe_webhook_secret", "shippo_webhook_secret", "twilio_auth_token", "warehouses")
NOTHING = SecretStr("")
SECRETS_OF_THE_ENGINE = ("TEMPORAL_API_KEY", "TEMPORAL_TLS_CLIENT_KEY_DATA")


class SettingsError(Exception):
    """A setting is missing or malformed. One line: its name and what was expected, never its value."""


class Warehouse(BaseModel):
    """One warehouse system: where requests go, and what signs them and its webhooks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Url
    secret: WarehouseSecrets = Field(min_length=1)


class Settings(BaseModel):
    """An attribute is the setting's name in lower case; its description is what the setting must be."""

    model_config = ConfigDict(frozen=True, validate_default=True, hide_input_in_errors=True)

    orders_home: Annotated[Path, AfterValidator(Path.absolute)] = Field(Path(".orders"), description="a folder")
    database_url: DatabaseUrl = Field(
        default_factory=lambda known: SecretStr(f"sqlite:///{known['orders_home'] / 'orders.db'}"),
        description="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME; @ and % in a password are %40 and %25",
    )
    orders_migration_database_url: DatabaseUrl = Field(
        default_factory=lambda known: known["database_url"],
        description="postgresql://USER:PASSWORD@HOST/NAME, for `orders db upgrade`: the user who owns the tables",
    )

    orders_installation: str = Field(
        "orders",
        pattern="^[a-z0-9-]{1,40}$",
        description="at most 40 small letters, digits and hyphens; another for each installation in one Stripe account",
    )
    orders_api_host: str = Field("127.0.0.1", min_length=1, description="a host name or address to listen on")
    orders_api_port: int = Field(8080, ge=1, le=65535, description="a port, 1 to 65535")
    public_url: Url = Field(
        default_factory=lambda known: f"http://{known['orders_api_host']}:{known['orders_api_port']}", description=URL
    )
    orders_api_url: Url = Field("", description=URL)
    orders_api_key: SecretStr = Field(NOTHING, description="an API key, as `orders keys create` prints it")
    orders_metrics_address: Address = Field("", description="IP:PORT to listen at, as 127.0.0.1:9464")
    orders_health_address: Address = Field("", description="IP:PORT to listen at, as 127.0.0.1:8081; the worker's")

    orders_pickup_key: OwnSecrets = Field(
        (), description=f"what codes for pickups are derived from, of your own choice, {CHANCE}; {ROTATING}"
    )
    orders_sandbox_token: OwnSecret = Field(
        NOTHING, description=f"what opens the sandbox's controls, of your own choice, {CHANCE}"
    )

    stripe_api_key: SecretStr = Field(NOTHING, description="a secret key of Stripe, sk_…")
    stripe_api_base: Url = Field("https://api.stripe.com", description=URL)
    stripe_webhook_secret: Secrets = Field(
        (), description=f"the signing secret of the Stripe endpoint, whsec_…, {LENGTH}; {ROTATING}"
    )
    shippo_api_token: SecretStr = Field(NOTHING, description="an API token of Shippo")
    shippo_api_base: Url = Field("https://api.goshippo.com", description=URL)
    shippo_webhook_secret: Secrets = Field(
        (), description=f"the secret that Shippo signs webhooks with, {LENGTH}; {ROTATING}"
    )
    twilio_account_sid: str = Field("", pattern="^(AC.+)?$", description="an account SID of Twilio, AC…")
    twilio_auth_token: Secrets = Field((), description=f"the auth token of that Twilio account, {LENGTH}; {ROTATING}")
    twilio_from: str = Field("", description="a number like +14155550100, or a messaging service MG…")
    twilio_api_base: Url = Field("https://api.twilio.com", description=URL)
    smtp_url: SmtpUrl = Field(
        NOTHING, description="smtp://[USER:PASSWORD@]HOST[:PORT], or smtps://…; / in a password is %2F"
    )
    mail_without_tls: Literal["", "allowed"] = Field(
        "", description="allowed, where mail may travel in the clear to a host that offers no TLS"
    )
    mail_from: Sender = Field("", description="an address, may be NAME <ADDRESS>")
    warehouse_url: Url = Field("", description=URL)
    warehouse_secret: WarehouseSecrets = Field((), description=f"base64 of {CHANCE}, may begin with whsec_; {ROTATING}")
    warehouses: dict[str, Warehouse] = Field(
        {},
        description='JSON {"NAME": {"url": …, "secret": …}, …}, each with a secret of its own (as WAREHOUSE_SECRET), '
        "none of them named own; or WAREHOUSE_URL and WAREHOUSE_SECRET for one",
    )

    orders_http_timeout: Duration = Field(timedelta(seconds=20), description=DURATION)
    orders_start_to_close: Duration = Field(
        timedelta(seconds=25), description=f"{DURATION}; longer than ORDERS_HTTP_TIMEOUT"
    )
    orders_step_patience: Duration = Field(timedelta(minutes=15), description=DURATION)
    orders_held_retry: Duration = Field(timedelta(minutes=5), description=DURATION)
    orders_label_settle: Duration = Field(timedelta(seconds=60), description=DURATION)
    orders_payment_deadline: Duration = Field(timedelta(days=3), description=DURATION)
    orders_patience_for_packing: Duration = Field(timedelta(days=5), description=DURATION)
    orders_parcels_told_within: PerhapsNone = Field(timedelta(hours=1), description=f"{DURATION}; 0s: each at once")
    orders_pickup_window: Duration = Field(timedelta(days=7), description=DURATION)
    orders_pickup_capture: Literal["ready", "handover"] = Field(
        "ready", description="ready or handover: when the money of a pickup is taken"
    )
    orders_reservation_time: Duration = Field(
        timedelta(minutes=10), description=f"{DURATION}: how long a checkout has its units, from its last step"
    )
    orders_reservations: int = Field(
        1_000, ge=1, le=1_000_000, description="how many reservations of checkouts one API key may have at once"
    )
    orders_reserved_units: int = Field(
        10_000, ge=1, le=1_000_000_000, description="how many units in them, all together"
    )
    orders_handling_days: int = Field(2, ge=0, le=365, description="days from the order to its hand-over")
    orders_transit_days: dict[str, dict[str, Annotated[int, Field(ge=0, le=365)]]] = Field(
        {"*": {"*": 7}}, description='JSON {"COUNTRY": {"SERVICE": DAYS, …}, …}; * is any other, and must be there'
    )
    orders_retention: Duration = Field(
        timedelta(days=400), description=f"{DURATION}: what is younger of an order, `orders db trim` leaves"
    )
    orders_patches: str = Field(
        "", pattern=r"^(\*|[a-z0-9-]+(,[a-z0-9-]+)*)?$", description="ids of patches that are awake, one,two; * is all"
    )
    orders_continue_at_every_wait: bool = Field(False, description="true or false")

    @validates("orders_start_to_close")
    @classmethod
    def _outlasts_the_call(cls, value: timedelta, info: Info) -> timedelta:
        # else the engine gives up, and repeats, a call that may still have its effect
        if value <= info.data.get("orders_http_timeout", timedelta(0)):
            raise ValueError
        return value

    @validates("orders_migration_database_url")
    @classmethod
    def _of_the_same_kind(cls, value: SecretStr, info: Info) -> SecretStr:
        known: SecretStr = info.data.get("database_url", value)
        if value.get_secret_value()[:6] != known.get_secret_value()[:6]:
            raise ValueError
        return value

    @validates("orders_transit_days")
    @classmethod
    def _any_other(cls, value: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
        if "*" not in value.get("*", {}):
            raise ValueError
        return value

    @validates("warehouses", "orders_transit_days", mode="before")
    @classmethod
    def _read_json(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value

    @validates("warehouses")
    @classmethod
    def _with_default(cls, named: dict[str, Warehouse], info: Info) -> dict[str, Warehouse]:
        url, secret = info.data.get("warehouse_url"), info.data.get("warehouse_secret")
        every = {"default": Warehouse(url=url, secret=secret), **named} if url and secret else named
        known = [decoded(each) for one in every.values() for each in one.secret]
        # else each could speak for the goods of the other, or for places that have no system
        if len(known) != len(set(known)) or OWN in every:
            raise ValueError
        return every

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None, *, needs: Collection[str] = ()) -> Self:
        """The settings of this process; `needs` names those which it cannot do without. Raises `SettingsError`."""
        given = environment() if environ is None else with_files(environ)
        values = {name: given[name.upper()] for name in cls.model_fields if given.get(name.upper())}
        try:
            settings = cls.model_validate(values)
        except ValidationError as error:
            wrong = {str(e["loc"][0]): e for e in error.errors() if e["type"] != "default_factory_not_called"}
            guessed = [f"setting {name.upper()} has {e['msg']}" for name, e in wrong.items() if e["type"] == "guessed"]
            malformed = [name for name, e in wrong.items() if e["type"] != "guessed"]
            raise SettingsError("; ".join(guessed) or cls._say("malformed", malformed)) from None
        if missing := [name for name in needs if not getattr(settings, name)]:
            raise SettingsError(cls._say("missing", missing))
        return settings

    @classmethod
    def _say(cls, what: str, names: list[str]) -> str:
        expected = {name: cls.model_fields[name].description for name in names}
        return "; ".join(f"setting {name.upper()} is {what}: expected {text}" for name, text in expected.items())


def environment() -> dict[str, str]:
    """The process's environment over what `.env` (or the file that `ORDERS_ENV_FILE` names, empty: none) says."""
    from dotenv import dotenv_values

    file = os.environ.get("ORDERS_ENV_FILE", ".env")
    # no interpolation: a `$` in a password is a `$`
    written = dotenv_values(file, interpolate=False) if file else {}
    return with_files({name: value for name, value in written.items() if value is not None} | dict(os.environ))


def secret_names() -> list[str]:
    """Of the settings that hold a secret, and so may be given by a file."""
    ours = [name.upper() for name, field in Settings.model_fields.items() if _holds_secret(field.annotation)]
    return [*ours, *SECRETS_OF_THE_ENGINE]


def _holds_secret(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return any(_holds_secret(field.annotation) for field in annotation.model_fields.values())
    return annotation is SecretStr or any(map(_holds_secret, get_args(annotation)))


def with_files(given: Mapping[str, str]) -> dict[str, str]:
    """`given`, with each secret that a `NAME_FILE` names as NAME. Raises `SettingsError`."""
    found = dict(given)
    for name in secret_names():
        file = found.pop(f"{name}_FILE", "")
        if not file:
            continue
        if found.get(name):
            raise SettingsError(f"settings {name} and {name}_FILE are both given: leave one out")
        try:
            found[name] = Path(file).read_text().removesuffix("\n")
        except (OSError, ValueError) as trouble:
            why = type(trouble).__name__
            raise SettingsError(f"setting {name}_FILE: expected a file that can be read ({why})") from None
        if not found[name]:
            raise SettingsError(f"setting {name}_FILE: expected a file that is not empty")
    return found
