"""Metrics for Prometheus: counts and times, by words of our own. No id and no person is in any label."""

from collections.abc import Iterator
from contextvars import ContextVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, or_, select
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Scope

from activities.models import CLOSED, OrderStatus
from activities.news import WITHOUT_MATCH
from infra.clock import wall_clock
from infra.database import counting
from infra.database.tables import Backorder, Hold, News, Order, Relay
from infra.words import BackorderStatus, NewsOutcome
from starter.http.dependencies import Dependencies
from starter.relay import WAITS

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""A caller may send any word: each would be a series of its own."""

REQUEST: ContextVar[Scope | None] = ContextVar("request", default=None)
"""What is being answered."""


def source() -> str:
    """Who asks the database: the route being answered; the relay answers nobody."""
    request = REQUEST.get()
    return f"{method(request)} {route(request)}" if request else "relay"


def route(request: Scope) -> str:
    """As declared, once the request was routed: no id is in it."""
    return str(getattr(request.get("route"), "path", "none"))


def method(request: Scope) -> str:
    return str(request["method"]) if request["method"] in METHODS else "other"


class Metrics:
    def __init__(self, parts: Dependencies) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "orders_http_requests", "Requests answered", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram("orders_http_seconds", "Time to answer", ("method", "route"), registry=self.registry)
        self.webhooks = Counter(
            "orders_webhooks", "Webhooks, by what became of them", ("sender", "outcome"), registry=self.registry
        )
        self.statements = Counter(
            counting.STATEMENTS, "Statements asked of the database", (counting.SOURCE,), registry=self.registry
        )
        self.transactions = Counter(
            counting.TRANSACTIONS, "Transactions that they were in", (counting.SOURCE,), registry=self.registry
        )
        self.engine_up = Gauge("orders_engine_up", "Whether the engine answers", registry=self.registry)
        self.registry.register(Tables(parts))

    def count_transaction(self, statements: int) -> None:
        self.statements.labels(source()).inc(statements)
        self.transactions.labels(source()).inc()

    def text(self) -> tuple[bytes, str]:
        return generate_latest(self.registry), CONTENT_TYPE_LATEST


class Tables(Collector):
    """What the tables say now. Away with the database: then only these numbers are missing."""

    def __init__(self, parts: Dependencies) -> None:
        self.parts = parts

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily("orders_relay_sent", "Starts and nudges taken by the engine", self.parts.relay.sent)
        try:
            yield from self.counted()
        except SQLAlchemyError:
            return

    def counted(self) -> Iterator[Metric]:
        with self.parts.reading() as tx:
            # of those that are closed there are ever more
            still_open = Order.status.in_([status for status in OrderStatus if status not in CLOSED])
            by_status = dict(
                tx.execute(select(Order.status, func.count()).where(still_open).group_by(Order.status)).all()
            )
            open_holds = tx.execute(
                select(Hold.reason, func.count(), func.min(Hold.opened_at))
                .where(Hold.closed_at.is_(None))
                .group_by(Hold.reason)
            ).all()
            waiting = (
                tx.scalar(select(func.sum(Backorder.quantity)).where(Backorder.status == BackorderStatus.WAITING)) or 0
            )
            due, oldest = tx.execute(
                # one that is worked on is due again by then; only deadlines that are still to come are due later
                select(func.count(), func.min(Relay.recorded_at).filter(Relay.kind != "deadline")).where(
                    Relay.done_at.is_(None),
                    Relay.due_at <= wall_clock() + WAITS[-1],
                    or_(Relay.kind != "deadline", Relay.attempts > 0),
                )
            ).one()
            open_news = dict(
                tx.execute(
                    select(News.outcome, func.count()).where(News.open_since.is_not(None)).group_by(News.outcome)
                ).all()
            )
        orders = GaugeMetricFamily("orders_by_status", "Orders that are not closed", labels=("status",))
        for status in OrderStatus:
            if status not in CLOSED:
                orders.add_metric((status,), by_status.get(status, 0))
        yield orders
        holds = GaugeMetricFamily("orders_open_holds", "Holds that wait for a person", labels=("reason",))
        age_of = GaugeMetricFamily("orders_oldest_hold_seconds", "Age of the oldest open hold", labels=("reason",))
        for reason, count, opened_at in open_holds:
            holds.add_metric((reason,), count)
            age_of.add_metric((reason,), max((wall_clock() - opened_at).total_seconds(), 0.0))
        yield holds
        yield age_of
        yield GaugeMetricFamily("orders_backordered_units", "Units that placed orders wait for", int(waiting))
        yield GaugeMetricFamily("orders_relay_due", "Starts and nudges that no order has read yet", due)
        unmatched = sum(open_news.get(outcome, 0) for outcome in WITHOUT_MATCH)
        yield GaugeMetricFamily("orders_unmatched_news", "News about what is not known here", unmatched)
        findings = open_news.get(NewsOutcome.FINDING, 0)
        yield GaugeMetricFamily("orders_news_findings", "News at odds with what the same id told before", findings)
        age = (wall_clock() - oldest).total_seconds() if oldest else 0.0
        yield GaugeMetricFamily("orders_relay_oldest_seconds", "Age of the oldest of them", max(age, 0.0))
