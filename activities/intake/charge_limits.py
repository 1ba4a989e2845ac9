"""What the card provider takes as one charge, in minor units.

Source: Stripe, "Supported currencies", minimum and maximum charge amounts (docs.stripe.com/currencies), and the field
`amount` of its API reference: eight digits, more in currencies of small value. The minimum is that of the account's own
currency, taken here for the order's: what is too small all the same is told by the call.
"""

SMALLEST = {
    "aed": 200,
    "aud": 50,
    "bgn": 100,
    "brl": 50,
    "cad": 50,
    "chf": 50,
    "czk": 1500,
    "dkk": 250,
    "eur": 50,
    "gbp": 30,
    "hkd": 400,
    "huf": 17500,
    "inr": 50,
    "jpy": 50,
    "mxn": 1000,
    "myr": 200,
    "nok": 300,
    "nzd": 50,
    "pln": 200,
    "ron": 200,
    "sek": 300,
    "sgd": 50,
    "thb": 1000,
    "usd": 50,
}
LARGEST = {"huf": 9_999_999_999, "idr": 999_999_999_999, "inr": 999_999_999, "jpy": 9_999_999_999}
LARGEST_OTHERWISE = 99_999_999


def smallest(currency: str) -> int:
    return SMALLEST.get(currency, 1)


def largest(currency: str) -> int:
    return LARGEST.get(currency, LARGEST_OTHERWISE)
