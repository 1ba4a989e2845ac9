"""What one order costs the engine, counted from its history: events, bytes, actions as Temporal Cloud bills them."""

from collections import Counter
from dataclasses import dataclass

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory

STARTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
SCHEDULED = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
ATTEMPTED = EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
MARKED = EventType.EVENT_TYPE_MARKER_RECORDED
SIMPLE = {
    STARTED: "start",
    EventType.EVENT_TYPE_TIMER_STARTED: "timers",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: "signals",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: "updates",
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: "search_attributes",
}
LOCAL_ACTIVITY = "core_local_activity"
KINDS = ("start", "activities", "local_activities", "timers", "signals", "updates", "search_attributes")


@dataclass(frozen=True)
class Cost:
    events: int
    bytes: int
    actions: dict[str, int]

    @property
    def billed(self) -> int:
        return sum(self.actions.values())


def cost_of(histories: list[WorkflowHistory]) -> Cost:
    """All runs of one order. Every attempt of an activity counts; local activities of one workflow task are one action,
    as Temporal Cloud bills them."""
    actions: Counter[str] = Counter()
    tasks: set[tuple[int, int]] = set()
    events = [(run, event) for run, history in enumerate(histories) for event in history.events]
    for run, event in events:
        if event.event_type in SIMPLE:
            actions[SIMPLE[event.event_type]] += 1
        elif event.event_type == SCHEDULED:
            actions["activities"] += 1
        elif event.event_type == ATTEMPTED:
            actions["activities"] += event.activity_task_started_event_attributes.attempt - 1
        elif event.event_type == MARKED and event.marker_recorded_event_attributes.marker_name == LOCAL_ACTIVITY:
            tasks.add((run, event.marker_recorded_event_attributes.workflow_task_completed_event_id))
    actions["local_activities"] = len(tasks)
    size = sum(event.ByteSize() for _, event in events)
    return Cost(len(events), size, {kind: actions[kind] for kind in KINDS})
