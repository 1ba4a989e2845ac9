"""What leaves an activity that failed: a code, our ids and what to do next. Vendors' texts and values stay inside."""

from typing import Any

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, FailureError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.failures import OutcomeUnknown, ProviderFailure, Refused

log = structlog.get_logger(__name__)


class SpeakPlainly(Interceptor):
    """The one place where an exception becomes a failure in a history."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Translate(super().intercept_activity(next))


class _Translate(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        try:
            return await super().execute_activity(input)
        except FailureError:
            raise
        except ProviderFailure as failure:
            raise ApplicationError(
                str(failure),
                failure.code,
                failure.advice,
                type=type(failure).__name__,
                non_retryable=isinstance(failure, Refused),
                next_retry_delay=failure.retry_in if isinstance(failure, OutcomeUnknown) else None,
            ) from None
        except Exception as error:
            info = activity.info()
            log.exception("activity_failed", activity=info.activity_type, workflow_id=info.workflow_id)
            kind = type(error).__name__
            raise ApplicationError(f"{info.activity_type} failed: {kind}", type=kind) from None
