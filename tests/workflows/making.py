"""Productions in the tables and at the factory. `python -m tests.workflows.making` is a worker for them too."""

import os
from collections.abc import Callable, Collection, Sequence
from typing import Any

import httpx
from sqlalchemy import func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from temporalio import activity
from temporalio.common import TypedSearchAttributes

from activities.facts import deadlines, effects, holds
from activities.facts.journal import mark_read
from activities.failures import OutcomeUnknown, Refused
from activities.models import Action, HoldSnapshot, StepPolicy, Subject
from activities.views.snapshot import open_changes
from infra.database.tables import Change, Deadline, Hold
from infra.settings import Settings
from starter.kinds import Kind, Start
from tests.workflows.production import (
    PRODUCTION,
    Entry,
    HoldStep,
    ProductionSnapshot,
    ProductionStep,
    ProductionWorkflow,
    ResolveStep,
    workflow_id,
)
from workers.__main__ import run
from workers.wiring import WORKFLOWS, policy

FACTORY_URL = "FACTORY_URL"


class Base(DeclarativeBase):
    pass


class Production(Base):
    __tablename__ = "productions"

    production_id: Mapped[str] = mapped_column(primary_key=True)
    units: Mapped[int]
    made: Mapped[int]
    late: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int]


class ProductionActivities:
    def __init__(self, sessions: sessionmaker[Session], policy: StepPolicy, factory: str) -> None:
        self.sessions = sessions
        self.policy = policy
        self.factory = factory

    @activity.defn(name="load_production", no_thread_cancel_exception=True)
    def load(self, step: ProductionStep) -> ProductionSnapshot:
        with self.sessions.begin() as tx:
            production = locked(tx, step.production_id)
            mark_read(tx, step.subject)
            return snapshot(tx, production).model_copy(update={"policy": self.policy})

    @activity.defn(name="make_unit", no_thread_cancel_exception=True)
    def make(self, step: ProductionStep) -> ProductionSnapshot:
        with self.sessions.begin() as tx:
            production = locked(tx, step.production_id)
            if production.made == production.units:
                return snapshot(tx, production)
            effect = effects.begin_about(tx, step.subject, f"make:{production.made + 1}")
            effect = effects.call_again(tx, effect)
        try:
            headers = {"Idempotency-Key": effect.key}
            answer = httpx.post(f"{self.factory}/{step.production_id}", headers=headers, timeout=30, trust_env=False)
        except httpx.TransportError:
            raise OutcomeUnknown("factory", "no_answer") from None
        if answer.status_code == 500:
            raise OutcomeUnknown("factory", "http_500")
        with self.sessions.begin() as tx:
            production = locked(tx, step.production_id)
            if answer.status_code == 200:
                production.made, production.version = production.made + 1, production.version + 1
            effects.finish(tx, effect, "done" if answer.status_code == 200 else "nothing_happened")
            now = snapshot(tx, production)
        if answer.status_code == 422:
            raise Refused("factory", "no_material", "Bring the factory what it needs, then retry.")
        return now

    @activity.defn(name="open_production_hold", no_thread_cancel_exception=True)
    def open_hold(self, step: HoldStep) -> ProductionSnapshot:
        with self.sessions.begin() as tx:
            production = locked(tx, step.production_id)
            if not holds.open_about(tx, step.kind, step.subject):
                n = len(all_holds(tx, production)) + 1
                hold_id = f"{production.production_id}-h{n}"
                holds.record(tx, hold_id, step.kind, step.subject, step.at, code=step.code, advice=step.advice)
                production.version += 1
            return snapshot(tx, production)

    @activity.defn(name="pass_production_deadlines", no_thread_cancel_exception=True)
    def pass_deadlines(self, step: ProductionStep) -> ProductionSnapshot:
        with self.sessions.begin() as tx:
            production = locked(tx, step.production_id)
            due = select(Deadline).where(*deadlines.still_open(step.subject), Deadline.at <= step.at)
            for row in tx.scalars(due).all():
                deadlines.close(tx, step.subject, row.kind)
                production.late = production.made < production.units
                production.version += 1
            return snapshot(tx, production)

    @activity.defn(name="resolve_production_hold", no_thread_cancel_exception=True)
    def resolve_hold(self, step: ResolveStep) -> ProductionSnapshot:
        with self.sessions.begin() as tx:
            production = locked(tx, step.production_id)
            hold = tx.get_one(Hold, step.hold_id, with_for_update=True)
            decision = step.model_dump(include={"action", "change_id", "by", "why"})
            if holds.decided(tx, hold, step.at, **decision) and step.action == Action.SKIP:
                production.units = production.made
            production.version += 1
            return snapshot(tx, production)


def locked(tx: Session, production_id: str) -> Production:
    return tx.get_one(Production, production_id, with_for_update=True, populate_existing=True)


def all_holds(tx: Session, production: Production) -> Sequence[Hold]:
    mine = (Hold.subject_kind == "production", Hold.subject_id == production.production_id)
    return tx.scalars(select(Hold).where(*mine)).all()


def snapshot(tx: Session, production: Production) -> ProductionSnapshot:
    tx.flush()
    about = Subject("production", production.production_id)
    return ProductionSnapshot(
        version=production.version,
        units=production.units,
        made=production.made,
        late=production.late,
        changes=open_changes(tx, Change.hold_id.in_(hold.hold_id for hold in all_holds(tx, production))),
        next_deadline=tx.scalar(select(func.min(Deadline.at)).where(*deadlines.still_open(about))),
        holds=tuple(
            HoldSnapshot(hold_id=hold.hold_id, kind=hold.kind, subject=about)
            for hold in all_holds(tx, production)
            if hold.closed_at is None
        ),
    )


def read_productions(tx: Session, ids: Collection[str]) -> dict[str, Start]:
    found = tx.scalars(select(Production).where(Production.production_id.in_(ids)))
    return {
        each.production_id: Start(
            Entry(production_id=each.production_id), TypedSearchAttributes.empty, f"{each.units} units"
        )
        for each in found
    }


KIND = Kind(PRODUCTION, workflow_id, ("news",), read_productions)


def activities(sessions: sessionmaker[Session], settings: Settings) -> Sequence[Callable[..., Any]]:
    ours = policy(settings).model_dump(exclude_unset=True)
    timing = StepPolicy(**{name: value for name, value in ours.items() if name in StepPolicy.model_fields})
    production = ProductionActivities(sessions, timing, os.environ[FACTORY_URL])
    return [production.load, production.make, production.open_hold, production.resolve_hold, production.pass_deadlines]


if __name__ == "__main__":
    run([*WORKFLOWS, ProductionWorkflow], activities)
