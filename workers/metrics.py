"""Metrics for Prometheus beside the SDK's own, at the same address: what each activity asks of the database."""

from collections.abc import Callable

from temporalio import activity
from temporalio.common import MetricMeter

from infra.database.counting import SOURCE, STATEMENTS, TRANSACTIONS


def transactions_counted(meter: MetricMeter) -> Callable[[int], None]:
    statements = meter.create_counter(STATEMENTS, "Statements asked of the database")
    transactions = meter.create_counter(TRANSACTIONS, "Transactions that they were in")

    def count_transaction(asked: int) -> None:
        source = {SOURCE: activity.info().activity_type if activity.in_activity() else "worker"}
        statements.add(asked, source)
        transactions.add(1, source)

    return count_transaction
