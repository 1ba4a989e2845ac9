"""What each endpoint of Stripe takes here: a part of the vendor's contract, never more."""

from infra.sandbox.params import Field

TEXT = Field("string", max_length=5000)
METADATA = Field("map")
EXPAND = Field("array", items=TEXT)
METHODS = Field("array", items=Field("string", values=("card",)))
SAVE = Field("string", values=("off_session", "on_session"))
CAPTURE_METHOD = Field("string", values=("automatic", "automatic_async", "manual"))
AMOUNT = Field("integer", required=True, minimum=1, maximum=999_999_999_999)
CURRENCY = Field("string", required=True)
AVAILABLE = Field("string", values=("if_available", "never"))

AUTOMATIC = Field(
    "object",
    fields={
        "enabled": Field("boolean", required=True),
        "allow_redirects": Field("string", values=("always", "never")),
    },
)
OPTIONS = Field(
    "object",
    fields={
        "card": Field(
            "object",
            fields={
                "request_multicapture": AVAILABLE,
                "request_three_d_secure": Field("string", values=("any", "automatic", "challenge")),
                "setup_future_usage": Field("string", values=("none", "off_session", "on_session")),
            },
        )
    },
)
PAGE = {
    "limit": Field("integer", minimum=1, maximum=100),
    "starting_after": Field(),
    "ending_before": Field(),
    "expand": Field("array", items=Field()),
}
RETRIEVE = {"expand": Field("array", items=Field())}

CREATE_CUSTOMER = {
    "description": TEXT,
    "email": Field("string", max_length=512),
    "expand": EXPAND,
    "metadata": METADATA,
    "name": Field("string", max_length=256),
    "payment_method": TEXT,
    "phone": Field("string", max_length=20),
}
LIST_CUSTOMERS = {**PAGE, "email": Field()}

CREATE_INTENT = {
    "allowed_payment_method_types": METHODS,
    "amount": AMOUNT,
    "automatic_payment_methods": AUTOMATIC,
    "capture_method": CAPTURE_METHOD,
    "confirm": Field("boolean"),
    "currency": CURRENCY,
    "customer": TEXT,
    "description": Field("string", max_length=1000),
    "error_on_requires_action": Field("boolean"),
    "expand": EXPAND,
    "metadata": METADATA,
    "off_session": Field("boolean"),
    "payment_method": TEXT,
    "payment_method_options": OPTIONS,
    "receipt_email": Field(),
    "return_url": Field(),
    "setup_future_usage": SAVE,
    "statement_descriptor_suffix": Field("string", max_length=22),
}
UPDATE_INTENT = {
    "amount": Field("integer", minimum=1, maximum=99_999_999),
    "description": Field("string", max_length=1000),
    "expand": EXPAND,
    "metadata": METADATA,
    "payment_method": TEXT,
    "receipt_email": Field(),
    "setup_future_usage": SAVE,
}
CONFIRM = {
    "capture_method": CAPTURE_METHOD,
    "error_on_requires_action": Field("boolean"),
    "expand": EXPAND,
    "off_session": Field("boolean"),
    "payment_method": TEXT,
    "payment_method_options": OPTIONS,
    "receipt_email": Field(),
    "return_url": Field(),
    "setup_future_usage": SAVE,
}
CAPTURE = {
    "amount_to_capture": Field("integer", minimum=0),
    "expand": EXPAND,
    "final_capture": Field("boolean"),
    "metadata": METADATA,
    "statement_descriptor_suffix": Field("string", max_length=22),
}
CANCEL = {
    "cancellation_reason": Field("string", values=("abandoned", "duplicate", "fraudulent", "requested_by_customer")),
    "expand": EXPAND,
}
LIST_INTENTS = {**PAGE, "customer": Field()}

ATTACH = {"customer": TEXT, "expand": EXPAND}
LIST_METHODS = {**PAGE, "customer": Field(), "type": Field("string", values=("card",))}

CREATE_REFUND = {
    "amount": Field("integer", minimum=1),
    "charge": TEXT,
    "expand": EXPAND,
    "metadata": METADATA,
    "payment_intent": TEXT,
    "reason": Field("string", values=("duplicate", "fraudulent", "requested_by_customer")),
}
LIST_REFUNDS = {**PAGE, "charge": Field(), "payment_intent": Field()}

LIST_DISPUTES = {**PAGE, "charge": Field(), "payment_intent": Field()}

LIST_EVENTS = {**PAGE, "type": Field(), "types": Field("array", items=Field())}
