"""What the vendors tell us: an outbox kept with the documents, sent until it is taken. At least once, in any order."""

import asyncio
import contextlib
import json
import random
import time
from typing import Any, Literal
from urllib.parse import urlencode

import httpx

from infra.sandbox.signatures import headers
from infra.sandbox.world import Document, World

Sender = Literal["stripe", "shippo", "twilio", "warehouse"]
AT_ONCE = 8
FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0


def send(
    world: World,
    sender: Sender,
    body: Document,
    *,
    id: str | None = None,
    url: str | None = None,
    follows: int | None = None,
) -> int:
    """Queues a webhook in the present transaction. JSON, for Twilio a form. `url` is where this one goes instead of
    PUBLIC_URL/webhooks/{sender}; `id` is the sender's id for it, else one is made. What it answers names it as the one
    that another `follows`: that one waits until this one was taken."""
    id = id or world.new_id("msg_")
    text = urlencode(body) if sender == "twilio" else json.dumps(body)
    setting = settings(world)
    due = time.time() + (random.uniform(0, 0.4) if setting["shuffle"] else 0)
    queued = world.sql.execute(
        "INSERT INTO outbox (id, sender, body, url, due, copies, follows) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (id, sender, text, url, due, 2 if setting["duplicate"] else 1, follows),
    )
    return int(queued.lastrowid or 0)


def settings(world: World) -> dict[str, Any]:
    """Where webhooks go and how badly: as last told, else as at start."""
    return world.get("setting", "webhooks") or {
        "url": world.credentials.public_url,
        "duplicate": False,
        "shuffle": False,
    }


def tell(world: World, **changes: Any) -> dict[str, Any]:
    with world.transaction():
        return world.put("setting", "webhooks", settings(world) | changes)


def queue_lengths(world: World, to: str = "") -> dict[str, int]:
    """Of all that is to be sent, or of what goes to this address."""
    mine = "SELECT count(*) FROM outbox WHERE ? = '' OR url IS NULL OR substr(url, 1, length(?)) = ?"
    pending, delivered = world.sql.execute(f"SELECT ({mine}), n FROM delivered", (to, to, to)).fetchone()  # noqa: S608
    return {"pending": pending, "delivered": delivered}


async def deliver(world: World) -> None:
    """Sends what is due, for ever."""
    changed = asyncio.Event()
    world.after_commit.append(changed.set)
    under_way: dict[int, asyncio.Task[None]] = {}
    async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
        while True:
            changed.clear()
            under_way = {seq: task for seq, task in under_way.items() if not task.done()}
            base = settings(world)["url"]
            waiting = [hook for hook in _waiting(world, base) if hook["seq"] not in under_way]
            room = AT_ONCE - len(under_way)
            for hook in [hook for hook in waiting if hook["due"] <= time.time()][:room]:
                under_way[hook["seq"]] = asyncio.create_task(_try(world, client, hook, base))
            # A finished try commits, which wakes us: only what is not due yet needs a time.
            later = [hook["due"] - time.time() for hook in waiting if hook["due"] > time.time()]
            # not `wait_for`: Python 3.11's loses a cancellation that comes together with the event
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.01, min(later, default=60.0))):
                    await changed.wait()


def _waiting(world: World, base: str | None) -> list[Document]:
    """None of a part that has become real since: its true secret is not ours."""
    names = ("seq", "id", "sender", "body", "url", "due", "tries")
    rows = world.sql.execute(
        "SELECT seq, id, sender, body, url, due, tries FROM outbox WHERE (? OR url IS NOT NULL) "
        "AND sender IN (SELECT value FROM json_each(?)) "
        "AND NOT EXISTS (SELECT 1 FROM outbox before WHERE before.seq = outbox.follows) ORDER BY due LIMIT ?",
        (bool(base), json.dumps(list(world.parts)), 2 * AT_ONCE),
    )
    return [dict(zip(names, row, strict=True)) for row in rows]


async def _try(world: World, client: httpx.AsyncClient, hook: Document, base: str | None) -> None:
    url = hook["url"] or f"{str(base).rstrip('/')}/webhooks/{hook['sender']}"
    raw = hook["body"].encode()
    signed = headers(world.credentials, hook["sender"], hook["id"], url, raw)
    try:
        answer = await client.post(url, content=raw, headers=signed)
        taken = answer.is_success
    except (httpx.HTTPError, httpx.InvalidURL):
        taken = False
    with world.transaction():
        if taken:
            world.sql.execute("UPDATE outbox SET copies = copies - 1 WHERE seq = ?", (hook["seq"],))
            world.sql.execute("UPDATE delivered SET n = n + 1")
            world.sql.execute("DELETE FROM outbox WHERE seq = ? AND copies <= 0", (hook["seq"],))
        else:
            due = time.time() + min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(hook["tries"], 10))
            world.sql.execute("UPDATE outbox SET tries = tries + 1, due = ? WHERE seq = ?", (due, hook["seq"]))
