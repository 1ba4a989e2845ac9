"""A workflow that does nothing for very long."""

from datetime import timedelta

from temporalio import workflow


@workflow.defn
class Sleeper:
    @workflow.run
    async def run(self, days: int) -> str:
        await workflow.sleep(timedelta(days=days))
        return workflow.now().date().isoformat()
