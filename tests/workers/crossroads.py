"""A workflow with a step behind a patch."""

from temporalio import workflow


@workflow.defn
class Crossroads:
    def __init__(self) -> None:
        self.went: list[str] = []
        self.home = False

    @workflow.run
    async def run(self) -> list[str]:
        self.went.append("new" if workflow.patched("shorter-way") else "old")
        await workflow.wait_condition(lambda: self.home)
        return self.went

    @workflow.update
    async def where(self) -> list[str]:
        await workflow.wait_condition(lambda: bool(self.went))
        return self.went

    @workflow.signal
    def go_home(self) -> None:
        self.home = True
