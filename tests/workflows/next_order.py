"""Orders as a next version might have them: a step more before goods are asked for."""

from temporalio import workflow

from activities.models import OrderStatus
from workflows.messages import ORDER, Entry
from workflows.order import OrderWorkflow

PATCH = "look-before-fulfillment"


@workflow.defn(name=ORDER)
class Guarded(OrderWorkflow):
    """As CONTRIBUTING says."""

    @workflow.init
    def __init__(self, entry: Entry) -> None:
        super().__init__(entry)

    @workflow.run
    async def run(self, entry: Entry) -> OrderStatus:
        return await super().run(entry)

    async def fulfillment(self) -> None:
        if workflow.patched(PATCH):
            await self.progress.look()
        await super().fulfillment()


@workflow.defn(name=ORDER)
class Unguarded(OrderWorkflow):
    """Without a patch: what no order that is under way replays."""

    @workflow.init
    def __init__(self, entry: Entry) -> None:
        super().__init__(entry)

    @workflow.run
    async def run(self, entry: Entry) -> OrderStatus:
        return await super().run(entry)

    async def fulfillment(self) -> None:
        await self.progress.look()
        await super().fulfillment()
