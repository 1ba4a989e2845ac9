"""What Stripe takes as one charge, by currency (docs.stripe.com/currencies). A table of its own, as the vendor's is."""

from infra.sandbox.stripe.errors import refuse

SMALLEST = {
    **dict.fromkeys(("aud", "brl", "cad", "chf", "eur", "inr", "jpy", "nzd", "sgd", "usd"), 50),
    **dict.fromkeys(("aed", "myr", "pln", "ron"), 200),
    **dict.fromkeys(("nok", "sek"), 300),
    **dict.fromkeys(("mxn", "thb"), 1000),
    "gbp": 30,
    "bgn": 100,
    "dkk": 250,
    "hkd": 400,
    "czk": 1500,
    "huf": 17500,
}
LARGEST = {"huf": 9_999_999_999, "idr": 999_999_999_999, "inr": 999_999_999, "jpy": 9_999_999_999}
STEPS = {**dict.fromkeys(("bhd", "jod", "kwd", "omr", "tnd"), 10), **dict.fromkeys(("isk", "ugx"), 100)}
"""Three decimals, of which the last must be 0; no decimals, written with two."""


def check(amount: int, currency: str) -> None:
    smallest, largest = SMALLEST.get(currency, 1), LARGEST.get(currency, 99_999_999)
    if amount < smallest:
        raise refuse(400, f"Amount must be at least {smallest}.", code="amount_too_small", param="amount")
    if amount > largest:
        raise refuse(400, f"Amount must be no more than {largest}.", code="amount_too_large", param="amount")
    if amount % STEPS.get(currency, 1):
        message = f"Invalid integer: {amount} is no amount of {currency}."
        raise refuse(400, message, code="parameter_invalid_integer", param="amount")
