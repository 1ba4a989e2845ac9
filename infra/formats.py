"""What a setting may look like, and how it is read. A validator raises ValueError where it is malformed."""

import base64
import re
from datetime import timedelta
from email.utils import parseaddr
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated, Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_core import PydanticCustomError

LEAST_BYTES = 24
"""Of a secret that signs webhooks, as Standard Webhooks asks for: a shorter one can be guessed."""
LABEL = "[A-Za-z0-9_-]{1,63}"
POSTGRESQL = re.compile(
    r"postgresql(\+psycopg)?://((?P<user>[^:/@]*)(:(?P<password>[^@]*))?@)?"
    rf"(?P<host>\[[0-9a-fA-F:.]+\]|{LABEL}(\.{LABEL})*\.?)?(:[0-9]{{1,5}})?/[^/?@\s]+(\?(?P<query>[^@]*))?"
)
"""As SQLAlchemy reads it, but for an `@` after the password: it would take the end of a password for the host."""
GUESSED_FIRST = {"postgres", "password", "temporal", "orders", "changeme"}
"""As passwords of a database; and so is its user's name."""
LEAST_VARIETY = 8
"""Different bytes in a secret of our own choice: fewer are a word or two again and again, and never chance."""


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
    if re.fullmatch(r"sqlite:///[^?]+", url):
        return text
    found = POSTGRESQL.fullmatch(url)
    if found is None:
        raise ValueError
    # what libpq is told after the `?` goes before the rest
    given = {name: [unquote(value or "")] for name, value in found.groupdict().items() if name != "query"}
    given |= parse_qs(found["query"] or "")
    hosts = [re.sub(r"(?<=[^:]):\d+$", "", host) for host in ",".join(given["host"]).split(",")]
    guessed = GUESSED_FIRST | {user.casefold() for user in given["user"]}
    if not all(map(loopback, hosts)) and any(password.casefold() in guessed - {""} for password in given["password"]):
        raise PydanticCustomError("guessed", "a password that is guessed first, on another machine than this")
    return text


def loopback(host: str) -> bool:
    """Whether nobody reaches it from another machine. A folder, or nothing, is where PostgreSQL's socket is."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host in ("", "localhost") or host.startswith(("/", "@"))


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


def _chosen(secret: SecretStr) -> SecretStr:
    if secret and not _like_chance(secret.get_secret_value().encode()):
        raise ValueError
    return secret


def _chosen_base64(secret: SecretStr) -> SecretStr:
    if not _like_chance(decoded(secret)):
        raise ValueError
    return secret


def _like_chance(secret: bytes) -> bool:
    return len(secret) >= LEAST_BYTES and len(set(secret)) >= LEAST_VARIETY


def decoded(secret: SecretStr) -> bytes:
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
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]
SmtpUrl = Annotated[SecretStr, AfterValidator(_smtp_url)]
Address = Annotated[str, AfterValidator(_address_to_listen_at)]
Sender = Annotated[str, AfterValidator(_sender)]
OwnSecret = Annotated[SecretStr, AfterValidator(_chosen)]
OwnSecrets = Annotated[tuple[OwnSecret, ...], BeforeValidator(_one_or_two)]
Secrets = Annotated[tuple[Annotated[SecretStr, AfterValidator(_long)], ...], BeforeValidator(_one_or_two)]
"""Those that are good now: we sign with the first, and take what any of them signed."""
WarehouseSecrets = Annotated[
    tuple[Annotated[SecretStr, AfterValidator(_chosen_base64)], ...], BeforeValidator(_one_or_two)
]
Duration = Annotated[timedelta, BeforeValidator(_duration), Field(gt=timedelta(0))]
PerhapsNone = Annotated[timedelta, BeforeValidator(_duration), Field(ge=timedelta(0))]

URL = "a URL, http://… or https://…"
DURATION = "a duration, as 20s, 15m, 3d or ISO 8601"
ROTATING = "while rotating two: NEW,OLD"
LENGTH = f"at least {LEAST_BYTES} bytes"
CHANCE = f"at least {LEAST_BYTES} random bytes"
