"""The sandbox's state: documents in one SQLite file, written through, so that a killed process forgets no answer.

One thread, one event loop. A transaction never awaits: requests are atomic and happen one after the other.

A vendor is a package `infra/sandbox/{vendor}` that exposes

    TRIGGERS: list[tuple[str, str]]                  what to use, and what then happens (for the index page)
    routes(world) -> list[Route]                     with full paths: `/shippo/transactions`, `/_sandbox/shippo/…`
    running(world) -> async context manager          optional: entered while the process serves (a second listener, …)

An endpoint is a plain function `handler(call) -> Answer`, wrapped by `endpoint.endpoint`, which see. Inside it:

    world.put("transaction", id, doc, under=rate_id)          world.all("transaction", under=rate_id)
    world.count("label", order_id, reference=id, amount=…)    once per effect that happened, never for a replay
    webhooks.send(world, "shippo", {"event": …, "data": …})   kept with the documents, signed at each sending
    clock.schedule(world, "shippo.refund", {"id": id}, paces=2, order_id=order_id)
    `@clock.action("shippo.refund")`                          runs it later

All of it is in the one transaction of the request: it happens together or not at all.
"""

import json
import secrets
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

Document = dict[str, Any]

Effect = Literal[
    "authorization",
    "capture",
    "void",
    "expiry",
    "refund",
    "refund_failed",
    "dispute",
    "dispute_withdrawn",
    "dispute_returned",
    "label",
    "label_refund",
    "email",
    "sms",
    "warehouse_request",
    "release",
    "recall",
    "hand_over",
]

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, under TEXT NOT NULL, doc TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS documents_id ON documents (id, kind);
CREATE INDEX IF NOT EXISTS documents_under ON documents (kind, under, seq);
CREATE TABLE IF NOT EXISTS books (
    seq INTEGER PRIMARY KEY, effect TEXT NOT NULL, order_id TEXT NOT NULL, reference TEXT NOT NULL, amount INTEGER,
    elsewhere INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS books_order ON books (order_id);
CREATE TABLE IF NOT EXISTS timers (
    id INTEGER PRIMARY KEY, due REAL, paces REAL, customer TEXT NOT NULL, order_id TEXT NOT NULL, action TEXT NOT NULL,
    subject TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS timers_due ON timers (due);
CREATE INDEX IF NOT EXISTS timers_customer ON timers (customer);
CREATE TABLE IF NOT EXISTS outbox (  -- AUTOINCREMENT: what another webhook follows is named by a number used once
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, sender TEXT NOT NULL, body TEXT NOT NULL, url TEXT,
    due REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0, copies INTEGER NOT NULL, follows INTEGER);
CREATE INDEX IF NOT EXISTS outbox_due ON outbox (due);
CREATE TABLE IF NOT EXISTS delivered (one INTEGER PRIMARY KEY, n INTEGER NOT NULL);
INSERT OR IGNORE INTO delivered VALUES (1, 0);
"""


PARTS = ("stripe", "shippo", "twilio", "mail", "warehouse")


@dataclass(frozen=True)
class Credentials:
    """What the vendors share with us: they sign webhooks and check calls with it. Of a real part it knows nothing."""

    stripe_webhook_secret: str = "whsec_of_the_sandbox_and_no_secret"  # noqa: S105
    shippo_webhook_secret: str = "shippo_sandbox_and_no_secret"  # noqa: S105
    twilio_account_sid: str = "AC" + "0" * 32
    twilio_auth_token: str = "twilio_sandbox"  # noqa: S105
    warehouse_secret: str = "whsec_d2FyZWhvdXNlIG9mIHRoZSBzYW5kYm94"  # noqa: S105
    public_url: str | None = None


@dataclass
class World:
    """Documents by kind and id, the books, and what the process was told at start."""

    state: Path | None = None
    """Folder of the SQLite file; None keeps everything in memory."""
    credentials: Credentials = field(default_factory=Credentials)
    parts: Collection[str] = PARTS
    """What is played here; the others are real."""
    token: str = field(default_factory=secrets.token_urlsafe)
    """What opens the controls."""
    default_pace: float | None = None
    host: str = "127.0.0.1"
    """Where this sandbox listens, and by what name it is called."""
    url: str = "http://127.0.0.1"
    """The same, for links in answers."""
    smtp_port: int = 0
    requests: deque[Document] = field(default_factory=lambda: deque(maxlen=5000))
    """The last calls as they came in, for contract tests. Not kept."""
    after_commit: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.state is not None:
            self.state.mkdir(parents=True, exist_ok=True)
        file = ":memory:" if self.state is None else str(self.state / "sandbox.sqlite")
        self._depth = 0
        self._elsewhere = False
        self.sql = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self.sql.execute("PRAGMA journal_mode=WAL")
        # The file must survive a killed process, not a power cut: the kernel has every committed page already.
        self.sql.execute("PRAGMA synchronous=OFF")
        self.sql.executescript(SCHEMA)

    def close(self) -> None:
        self.sql.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Inside another transaction it is a part of that one, which can be undone alone."""
        begin, commit, undo = ("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK")
        if self._depth:
            name = f"part_{self._depth}"
            begin, commit, undo = (f"SAVEPOINT {name}", f"RELEASE {name}", f"ROLLBACK TO {name}")
        self.sql.execute(begin)
        self._depth += 1
        try:
            yield
        except BaseException:
            self.sql.execute(undo)
            raise
        else:
            self.sql.execute(commit)
        finally:
            self._depth -= 1
        if not self._depth:
            for wake in self.after_commit:
                wake()

    @contextmanager
    def elsewhere(self) -> Iterator[None]:
        """What is counted inside was not asked for by us: a person at a dashboard did it, a shop's page, the vendor."""
        before, self._elsewhere = self._elsewhere, True
        try:
            yield
        finally:
            self._elsewhere = before

    def put(self, kind: str, id: str, doc: Document, *, under: str | None = None) -> Document:
        """Writes a document. `under` is what it is listed by (the intents of a customer); it stays when left out."""
        self.sql.execute(
            "INSERT INTO documents (kind, id, under, doc) VALUES (?, ?, ?, ?) ON CONFLICT (id, kind) DO UPDATE "
            "SET doc = excluded.doc, under = CASE WHEN ? THEN under ELSE excluded.under END",
            (kind, id, under or "", json.dumps(doc), under is None),
        )
        return doc

    def get(self, kind: str, id: str) -> Document | None:
        row = self.sql.execute("SELECT doc FROM documents WHERE id = ? AND kind = ?", (id, kind)).fetchone()
        return None if row is None else json.loads(row[0])

    def all(self, kind: str, *, under: str | None = None, newest_first: bool = False) -> list[Document]:
        """Every document of a kind, in the order in which they were first put."""
        if under is None:
            rows = self.sql.execute("SELECT doc FROM documents WHERE kind = ? ORDER BY seq", (kind,))
        else:
            rows = self.sql.execute(
                "SELECT doc FROM documents WHERE kind = ? AND under = ? ORDER BY seq", (kind, under)
            )
        found = [json.loads(row[0]) for row in rows]
        return found[::-1] if newest_first else found

    def delete(self, kind: str, id: str) -> bool:
        return self.sql.execute("DELETE FROM documents WHERE id = ? AND kind = ?", (id, kind)).rowcount > 0

    def delete_all(self, kind: str) -> None:
        self.sql.execute("DELETE FROM documents WHERE kind = ?", (kind,))

    def texts(self, id: str) -> list[str]:
        """The raw JSON of whatever has this id, of any kind."""
        return [row[0] for row in self.sql.execute("SELECT doc FROM documents WHERE id = ?", (id,))]

    def new_id(self, prefix: str) -> str:
        return prefix + secrets.token_hex(12)

    def now(self, customer: str | None = None) -> datetime:
        """The time, on the clock of one of our customers where one is named."""
        clock = self.get("clock", customer) if customer else None
        return datetime.fromtimestamp(time.time() + (clock["offset"] if clock else 0.0), UTC)

    @property
    def pace(self) -> float | None:
        """Seconds between two steps of a world that moves by itself; None: it stands still."""
        pace = self.get("setting", "pace")
        return pace["seconds"] if pace else self.default_pace

    def pace_of(self, order_id: str) -> float | None:
        """An order's own pace, where it was given one."""
        pace = self.get("pace", order_id)
        return pace["seconds"] if pace else self.pace

    def count(self, effect: Effect, order_id: str, reference: str, amount: int | None = None) -> None:
        """Books an effect that happened, in the transaction that makes it happen."""
        self.sql.execute(
            "INSERT INTO books (effect, order_id, reference, amount, elsewhere) VALUES (?, ?, ?, ?, ?)",
            (effect, order_id, reference, amount, self._elsewhere),
        )
