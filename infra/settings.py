"""Every setting, read once from the environment (and `.env`) into one frozen object that is passed in.

`TEMPORAL_*` are not here: `infra.temporal` leaves them to the SDK, which knows them all.
"""

import base64
import json
import os
import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from email.utils import parseaddr
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic import ValidationInfo as Info
from pydantic import field_validator as validates

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
LEAST_BYTES = 24
"""Of a secret that signs webhooks, as Standard Webhooks asks for: a shorter one can be guessed."""
LABEL = "[A-Za-z0-9_-]{1,63}"
POSTGRESQL = re.compile(
    r"postgresql(\+psycopg)?://([^:/@]*(:[^@]*)?@)?"
    rf"(\[[0-9a-fA-F:.]+\]|{LABEL}(\.{LABEL})*\.?)?(:[0-9]{{1,5}})?/[^/?@\s]+(\?[^@]*)?"
)
"""As SQLAlchemy reads it, but for an `@` after the password: it would take the end of a password for the host."""


class SettingsError(Exception):
    """A setting is missing or malformed. One line: its name and what was expected, never its value."""


def _http_url(text: str) -> str:
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.hostname or not _port_fits(parts)):
        raise ValueError
    return text.rstrip("/")


def _smtp_url(text: SecretStr) -> SecretStr:
    parts = urlsplit(text.get_secret_value())
    if text and (parts.scheme not in ("smtp", "smtps") or not parts.hostname or not _port_fits(parts)):
        raise ValueError
    # else what follows an unescaped `/`, `?` or `#` of the password, which is no host
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError
    return text


def _port_fits(parts: SplitResult) -> bool:
    return parts.port is None or parts.port > 0  # what is no number, or too large, is a ValueError already


def _database_url(text: SecretStr) -> SecretStr:
    url = text.get_secret_value()
    if not re.fullmatch(r"sqlite:///[^?]+", url) and POSTGRESQL.fullmatch(url) is None:
        raise ValueError
    return text


def _one_or_two(value: Any) -> Any:
    """`new,old`. More than two would be a rotation that never ends."""
    if not isinstance(value, str):
        return value
    written = [part.strip() for part in value.split(",")]
    if len(written) > 2 or not all(written):
        raise ValueError
    return written


def _long(secret: SecretStr) -> SecretStr:
    if secret and len(secret.get_secret_value().removeprefix("whsec_").encode()) < LEAST_BYTES:
        raise ValueError
    return secret


def _long_base64(secret: SecretStr) -> SecretStr:
    if len(_decoded(secret)) < LEAST_BYTES:
        raise ValueError
    return secret


def _decoded(secret: SecretStr) -> bytes:
    """The same key may be written in more than one way. Malformed: `binascii.Error`, a ValueError."""
    key = secret.get_secret_value().removeprefix("whsec_")
    return base64.b64decode(key + "=" * (-len(key) % 4), validate=True)


def _address_to_listen_at(text: str) -> str:
    """As the SDK takes it: no host name."""
    found = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):([0-9]{1,5})", text)
    if text and (found is None or not 1 <= int(found[3]) <= 65535):
        raise ValueError
    if found:
        IPv6Address(found[1]) if found[1] else IPv4Address(found[2])
    return text


def _sender(text: str) -> str:
    if text and "@" not in parseaddr(text)[1]:
        raise ValueError
    return text


UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def _duration(value: Any) -> Any:
    """`90`, `90s`, `1h30m`, `3d`; what is left (ISO 8601) is pydantic's."""
    if not isinstance(value, str):
        return value
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return timedelta(seconds=float(value))
    if re.fullmatch(r"(\d+(\.\d+)?(ms|s|m|h|d))+", value):
        return timedelta(seconds=sum(float(n) * UNITS[u] for n, u in re.findall(r"([\d.]+)(ms|[smhd])", value)))
    return value


Url = Annotated[str, AfterValidator(_http_url)]
Secrets = Annotated[tuple[Annotated[SecretStr, AfterValidator(_long)], ...], BeforeValidator(_one_or_two)]
"""Those that are good now: we sign with the first, and take what any of them signed."""
WarehouseSecrets = Annotated[
    tuple[Annotated[SecretStr, AfterValidator(_long_base64)], ...], BeforeValidator(_one_or_two)
]
Duration = Annotated[timedelta, BeforeValidator(_duration), Field(gt=timedelta(0))]
PerhapsNone = Annotated[timedelta, BeforeValidator(_duration), Field(ge=timedelta(0))]

URL = "a URL, http://… or https://…"
DURATION = "a duration, as 20s, 15m, 3d or ISO 8601"
ROTATING = "while rotating two: NEW,OLD"
LENGTH = f"at least {LEAST_BYTES} bytes"


class Warehouse(BaseModel):
    """One warehouse system: where requests go, and what signs them and its webhooks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Url
    secret: WarehouseSecrets = Field(min_length=1)


class Settings(BaseModel):
    """An attribute is the setting's name in lower case; its description is what the setting must be."""

    model_config = ConfigDict(frozen=True, validate_default=True, hide_input_in_errors=True)

    orders_home: Annotated[Path, AfterValidator(Path.absolute)] = Field(Path(".orders"), description="a folder")
    database_url: Annotated[SecretStr, AfterValidator(_database_url)] = Field(
        default_factory=lambda known: SecretStr(f"sqlite:///{known['orders_home'] / 'orders.db'}"),
        description="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME; @ and % in a password are %40 and %25",
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
    orders_metrics_address: Annotated[str, AfterValidator(_address_to_listen_at)] = Field(
        "", description="IP:PORT to listen at, as 127.0.0.1:9464"
    )

    orders_sandbox_token: Annotated[SecretStr, AfterValidator(_long)] = Field(
        NOTHING, description=f"what opens the sandbox's controls, of your own choice, {LENGTH}"
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
    smtp_url: Annotated[SecretStr, AfterValidator(_smtp_url)] = Field(
        NOTHING, description="smtp://[USER:PASSWORD@]HOST[:PORT], or smtps://…; / in a password is %2F"
    )
    mail_without_tls: Literal["", "allowed"] = Field(
        "", description="allowed, where mail may travel in the clear to a host that offers no TLS"
    )
    mail_from: Annotated[str, AfterValidator(_sender)] = Field("", description="an address, may be NAME <ADDRESS>")
    warehouse_url: Url = Field("", description=URL)
    warehouse_secret: WarehouseSecrets = Field((), description=f"base64 of {LENGTH}, may begin with whsec_; {ROTATING}")
    warehouses: dict[str, Warehouse] = Field(
        {},
        description='JSON {"NAME": {"url": …, "secret": …}, …}, each with a secret of its own (as WAREHOUSE_SECRET), '
        "or WAREHOUSE_URL and WAREHOUSE_SECRET for one",
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
    orders_handling_days: int = Field(2, ge=0, le=365, description="days from the order to its hand-over")
    orders_transit_days: dict[str, dict[str, Annotated[int, Field(ge=0, le=365)]]] = Field(
        {"*": {"*": 7}}, description='JSON {"COUNTRY": {"SERVICE": DAYS, …}, …}; * is any other, and must be there'
    )
    orders_continue_at_every_wait: bool = Field(False, description="true or false")

    @validates("orders_start_to_close")
    @classmethod
    def _outlasts_the_call(cls, value: timedelta, info: Info) -> timedelta:
        # else the engine gives up, and repeats, a call that may still have its effect
        if value <= info.data.get("orders_http_timeout", timedelta(0)):
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
        known = [_decoded(each) for one in every.values() for each in one.secret]
        if len(known) != len(set(known)):  # else each could speak for the goods of the other
            raise ValueError
        return every

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None, *, needs: Collection[str] = ()) -> Self:
        """The settings of this process; `needs` names those which it cannot do without. Raises `SettingsError`."""
        given = environment() if environ is None else environ
        values = {name: given[name.upper()] for name in cls.model_fields if given.get(name.upper())}
        try:
            settings = cls.model_validate(values)
        except ValidationError as error:
            wrong = [str(e["loc"][0]) for e in error.errors() if e["type"] != "default_factory_not_called"]
            raise SettingsError(cls._say("malformed", wrong)) from None
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
    return {name: value for name, value in written.items() if value is not None} | dict(os.environ)
