"""A mail server that keeps everything, and the mailbox page."""

from infra.sandbox.mail.mailbox import routes
from infra.sandbox.mail.sink import TRIGGERS, running

__all__ = ["TRIGGERS", "routes", "running"]
