"""Twilio's Messages API, 2010-04-01."""

from infra.sandbox.twilio.messages import routes
from infra.sandbox.twilio.numbers import TRIGGERS

__all__ = ["TRIGGERS", "routes"]
