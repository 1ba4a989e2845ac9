"""A second workflow: a production asks a factory for its units, one after another. Small, and on everything that an
order's run stands on: a maker's own would be written like this."""

from datetime import datetime

from pydantic import BaseModel
from temporalio import workflow

from activities.models import (
    Action,
    AnyHoldKind,
    ChangeSnapshot,
    DeclaredHoldKind,
    HoldReason,
    HoldSnapshot,
    Step,
    StepPolicy,
    Subject,
    Value,
)
from infra.hold_kinds import AT_ONCE
from workflows.call import Call
from workflows.progress import Progress
from workflows.run import Run

PRODUCTION = "Production"


def workflow_id(production_id: str) -> str:
    return f"production-{production_id}"


class ProductionHold(AnyHoldKind):
    MAKE_FAILED = (
        "make_unit_failed",
        HoldReason.STEP_FAILED,
        "See what the factory says, then retry.",
        {Action.RETRY: AT_ONCE, Action.SKIP: "does without the units that are not made"},
    )
    NO_PROGRESS = (
        "factory_makes_nothing",
        HoldReason.NO_PROGRESS,
        "The factory takes the order and makes nothing: ask it, then retry.",
        {Action.RETRY: AT_ONCE},
    )


class Entry(BaseModel):
    production_id: str


class ProductionSnapshot(Value):
    version: int
    units: int
    made: int
    late: bool = False
    next_deadline: datetime | None = None
    holds: tuple[HoldSnapshot, ...] = ()
    changes: tuple[ChangeSnapshot, ...] = ()
    policy: StepPolicy | None = None


class ProductionStep(Step):
    production_id: str

    @property
    def subject(self) -> Subject:
        return Subject("production", self.production_id)


class HoldStep(ProductionStep):
    kind: DeclaredHoldKind
    code: str
    advice: str


class ResolveStep(ProductionStep):
    hold_id: str
    action: Action | None
    change_id: int | None
    by: str
    why: str


LOAD = Call("load_production", ProductionStep, ProductionSnapshot, local=True)
OPEN_HOLD = Call("open_production_hold", HoldStep, ProductionSnapshot, local=True)
RESOLVE_HOLD = Call("resolve_production_hold", ResolveStep, ProductionSnapshot, local=True)
PASS = Call("pass_production_deadlines", ProductionStep, ProductionSnapshot, local=True)
MAKE = Call("make_unit", ProductionStep, ProductionSnapshot, fails_as=ProductionHold.MAKE_FAILED)
CALLS = (LOAD, OPEN_HOLD, RESOLVE_HOLD, PASS, MAKE)


class ProductionProgress(Progress[ProductionSnapshot]):
    no_progress = ProductionHold.NO_PROGRESS

    def __init__(self, production_id: str) -> None:
        super().__init__(Subject("production", production_id))
        self.policy = StepPolicy()
        self.production = ProductionSnapshot(version=-1, units=0, made=0)

    @property
    def step(self) -> ProductionStep:
        return ProductionStep(production_id=self.subject.id, at=self.at)

    @property
    def loaded(self) -> bool:
        return self.production.version >= 0

    @property
    def holds(self) -> tuple[HoldSnapshot, ...]:
        return self.production.holds

    called_off = False

    def learn(self, news: ProductionSnapshot) -> None:
        if news.version >= self.production.version:
            self.production = news
        self.policy = news.policy or self.policy

    async def look(self) -> None:
        await self.may_begin()
        self.nudged = False
        self.learn(await self.attempt(LOAD, self.step))

    def known(self, about: Subject) -> object:
        return self.production.made

    def stopping(self, about: Subject) -> bool:
        return False

    async def open_hold(self, kind: AnyHoldKind, held: Subject, code: str, advice: str) -> None:
        step = HoldStep(production_id=self.subject.id, at=self.at, kind=kind, code=code, advice=advice)
        self.learn(await self.attempt(OPEN_HOLD, step))

    async def close_hold(
        self, hold_id: str, action: Action | None, *, by: str, why: str, change_id: int | None = None
    ) -> None:
        about = {"hold_id": hold_id, "action": action, "change_id": change_id, "by": by, "why": why}
        step = ResolveStep.model_validate({"production_id": self.subject.id, "at": self.at, **about})
        await self.decide(RESOLVE_HOLD, step)


@workflow.defn(name=PRODUCTION)
class ProductionWorkflow(Run[ProductionSnapshot]):
    progress: ProductionProgress

    @workflow.init
    def __init__(self, entry: Entry) -> None:
        super().__init__()
        self.progress = ProductionProgress(entry.production_id)

    @workflow.run
    async def run(self, entry: Entry) -> int:
        await self.run_to_end(self.process())
        return self.progress.production.made

    async def process(self) -> None:
        p = self.progress
        await p.look()
        self.spawn(self.listen())
        self.spawn(self.keep_deadlines())
        while p.production.made < p.production.units:
            await p.do(MAKE, p.step)

    async def listen(self) -> None:
        p = self.progress
        while True:
            await p.may_begin()
            for change in p.production.changes:
                if change.hold_id and change.action:
                    await p.resolve(change.hold_id, change.action, change_id=change.change_id)
            await p.until(lambda: p.nudged)
            await p.renewed()
            await p.look()

    async def keep_deadlines(self) -> None:
        p = self.progress
        while True:
            await p.until(lambda: p.production.next_deadline is not None)
            if await self.nearest_passes():
                await p.do(PASS, p.step)

    async def nearest_passes(self) -> bool:
        p, nearest = self.progress, self.progress.production.next_deadline
        return not await p.until(lambda: p.production.next_deadline != nearest, at=nearest)

    def left(self) -> Entry:
        return Entry(production_id=self.progress.subject.id)

    def where(self) -> ProductionSnapshot:
        return self.progress.production

    def asked_to_stop(self) -> None:
        """A production that has begun is not stopped."""
