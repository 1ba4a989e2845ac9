"""What the Messages endpoints take (twilio-oai, twilio_api_v2010), and what they say to anything else."""

from typing import Any

from infra.sandbox.endpoint import Problem
from infra.sandbox.params import Field, Invalid, check
from infra.sandbox.twilio.answers import error

SID = r"^{}[0-9a-fA-F]{{32}}$"
CREATE = {
    "To": Field(required=True),
    "From": Field(),
    "MessagingServiceSid": Field(pattern=SID.format("MG"), min_length=34, max_length=34),
    "Body": Field(max_length=1600),
    "StatusCallback": Field(pattern=r"^https?://[^\s/]+"),
    "ProvideFeedback": Field("boolean"),
    "MaxPrice": Field("number"),
    "Attempt": Field("integer"),
    "ValidityPeriod": Field("integer", minimum=1, maximum=36000),
    "ForceDelivery": Field("boolean"),
    "SmartEncoded": Field("boolean"),
    "ShortenUrls": Field("boolean"),
    "SendAsMms": Field("boolean"),
    "ContentRetention": Field(values=("retain", "discard")),
    "AddressRetention": Field(values=("retain", "obfuscate")),
    "TrafficType": Field(values=("free",)),
    "RiskCheck": Field(values=("enable", "disable")),
    "MessageIntent": Field(),
}
# Twilio takes these too: saying so and doing nothing would be a lie.
NOT_HERE = frozenset(
    {
        "ApplicationSid",
        "ContentSid",
        "ContentVariables",
        "FallbackFrom",
        "MediaUrl",
        "PersistentAction",
        "ScheduleType",
        "SendAt",
    }
)
LIST = {
    "To": Field(),
    "From": Field(),
    "DateSent": Field(),
    "DateSent<": Field(),
    "DateSent>": Field(),
    "PageSize": Field("integer", minimum=1, maximum=1000),
    "Page": Field("integer", minimum=0),
    "PageToken": Field(),
}
WRONG = {"To": 21604, "From": 21603, "StatusCallback": 21609, "Body": 21617}


def checked(declared: dict[str, Field], pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """The parameters, typed; else Twilio's error."""
    try:
        for name, value in pairs:
            if name in NOT_HERE and declared is CREATE:
                raise Problem(error(20001, f"{name} is not part of the sandbox"))
            if [given for given, _ in pairs].count(name) > 1:
                raise Invalid("type", name, None, value)
        return check(declared, dict(pairs), text=True)
    except Invalid as invalid:
        if invalid.reason == "unknown":
            raise Problem(error(20001, invalid.name)) from None
        raise Problem(error(WRONG.get(invalid.name, 20001), f"{invalid.name} ({invalid.reason})")) from None
