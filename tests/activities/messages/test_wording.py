"""The words customers read."""

import re
from collections.abc import Iterator
from itertools import combinations, product

import pytest

from activities.messages.phrases import LOCALES
from activities.messages.wording import Notice, email, money, sms
from infra.sandbox.order_ids import order_in
from infra.sandbox.twilio.answers import GSM, GSM_TWICE, segments
from infra.words import MessageKind

Data = dict[str, str | int]
FULL: Data = {
    "subject": "W-1001-1",
    "total": 104410,
    "amount": 2205,
    "refunded": 2205,
    "expected": "2026-12-24",
    "deadline": "2026-12-01T14:05:00+00:00",
    "good_until": "2026-12-02T09:30:00+00:00",
    "due": "2026-12-31",
    "links": "https://tools.usps.com/go/TrackConfirmAction?tLabels=9205590164917",
    "url": "https://shop.example/track/k3vX9aQ2",
    "items": "2 x MUG-BLUE",
    "left": "1 x TEAPOT",
    "location": "OAK",
}


def notice(
    *kinds: tuple[MessageKind, Data] | MessageKind, order_id: str = "W-1001", locale: str = "en", currency: str = "usd"
) -> Notice:
    pairs = [kind if isinstance(kind, tuple) else (kind, {}) for kind in kinds]
    return Notice(order_id=order_id, kinds=pairs, name="Ada Park", locale=locale, currency=currency)


def texts(of: Notice) -> tuple[str, str, str]:
    return (*email(of), sms(of))


every_kind_and_language = pytest.mark.parametrize(("kind", "locale"), list(product(MessageKind, LOCALES)))
every_language = pytest.mark.parametrize("locale", LOCALES)


@every_language
def test_every_language_has_words_for_everything(locale: str) -> None:
    assert set(LOCALES[locale].phrases) == set(MessageKind)


@every_kind_and_language
def test_every_text_names_its_order(kind: MessageKind, locale: str) -> None:
    for data in ({}, FULL):
        for text in texts(notice((kind, data), locale=locale)):
            assert order_in(text) == "W-1001"


EVERY: Data = FULL | {"paid_as": "till 4", "maybe_charged": 1}
SUBJECTS = ("W-1001-1", "payment 2", "refund 1", "request 7", "unavailable 3")


def known_facts() -> Iterator[Data]:
    """Nothing, any one or two facts, all but any one, all, and every thing that a text can be about."""
    for n in (0, 1, 2, len(EVERY) - 1, len(EVERY)):
        yield from (dict(some) for some in combinations(EVERY.items(), n))
    for subject in SUBJECTS:
        yield {"subject": subject}


@every_kind_and_language
def test_a_text_reads_as_a_person_writes(kind: MessageKind, locale: str) -> None:
    """No gap, no leftover of a template, no word said twice or grown together with the next, no code of ours."""
    for data in known_facts():
        for text in texts(notice((kind, data), locale=locale)):
            assert not set("[]{}|") & set(text)
            assert not any(wrong in text for wrong in ("  ", " .", " ,", "..", ".:", ":.", "()", "None")), text
            words = re.sub(r"https://\S+", "", text)
            assert not re.search(r"\b(\w+) \1\b", words, re.IGNORECASE), text
            assert not re.search(r"[a-z]_[a-z]|\d{4}-\d\d", words), text
            assert not re.search(r"[^\W\d][.,;:!?][^\W\d]", words), text
            assert locale == "en" or not re.search(r"\b(order|payment|refund|request|not available)\b", words, re.I), (
                text
            )


@every_kind_and_language
def test_no_alternative_grows_together_with_what_is_beside_it(kind: MessageKind, locale: str) -> None:
    """As in "Please do sosoon": words and facts meet only at a blank or a mark."""
    for template in LOCALES[locale].phrases[kind]:
        for found in re.finditer(r"\[([^\]]*)\]", template):
            before, after = template[: found.start()][-1:], template[found.end() :][:1]
            for part in found[1].split("|"):
                assert not re.search(r"[\w}][\w{]", before + part[:1]), template
                assert not re.search(r"[\w}][\w{]", part[-1:] + after), template


@every_kind_and_language
def test_nothing_stands_behind_a_link_on_its_line(kind: MessageKind, locale: str) -> None:
    for data in known_facts():
        assert not re.search(r"https://\S+ ", email(notice((kind, data), locale=locale))[1])


@every_language
def test_a_text_promises_nothing_that_is_not_there(locale: str) -> None:
    """No returns, and no address to pay at where none is known."""
    found = {kind: texts(notice((kind, {}), locale=locale)) for kind in MessageKind}
    assert not any(
        re.search("send it back|zurücksend|Rücksendung|http", text) for each in found.values() for text in each
    )


@pytest.mark.parametrize("kind", [MessageKind.PAYMENT_PROBLEM, MessageKind.PAYMENT_ACTION])
def test_who_is_to_pay_hears_what_to_do_and_until_when(kind: MessageKind) -> None:
    data: Data = {"deadline": "2026-12-01T14:05:00+00:00", "url": "https://bank.example/3ds"}
    for locale, day in (("en", "1 December 2026, 14:05 UTC"), ("de", "1. Dezember 2026, 14:05 Uhr UTC")):
        _, mail, text = texts(notice((kind, data), locale=locale))
        assert day in mail
        assert day in text
        assert "https://bank.example/3ds" in mail
        assert "https://bank.example/3ds" in text


@pytest.mark.parametrize(
    ("locale", "time_zone", "instant"),
    [
        ("en", "America/Los_Angeles", "1 December 2026, 22:05"),
        ("de", "Europe/Berlin", "2. Dezember 2026, 07:05 Uhr"),
        ("de", "UTC", "2. Dezember 2026, 06:05 Uhr UTC"),
    ],
)
def test_an_instant_is_told_by_the_customers_clock(locale: str, time_zone: str, instant: str) -> None:
    data: Data = {"deadline": "2026-12-02T06:05:00+00:00"}
    told_there = notice((MessageKind.PAYMENT_PROBLEM, data), locale=locale).model_copy(update={"time_zone": time_zone})
    _, mail, text = texts(told_there)
    assert f" {instant}, " in mail
    assert text.endswith(f" {instant}.")


@every_kind_and_language
def test_what_it_is_about_makes_a_text_its_own(kind: MessageKind, locale: str) -> None:
    seen = {
        sms(notice((kind, FULL | {"subject": subject}), locale=locale)) for subject in ("W-1001-1", "W-1001-2", "re_1")
    }
    assert len(seen) == 3


@every_language
def test_no_two_kinds_have_the_same_words(locale: str) -> None:
    for data in ({}, FULL):
        alone = [sms(notice((kind, data), locale=locale)) for kind in MessageKind]
        pairs = [sms(notice(a, b, locale=locale)) for a, b in combinations(MessageKind, 2)]
        assert len({*alone, *pairs}) == len(alone) + len(pairs)


@every_kind_and_language
def test_a_short_message_is_one_of_160_signs(kind: MessageKind, locale: str) -> None:
    body = sms(notice((kind, FULL), locale=locale, currency="eur"))
    assert set(body) <= GSM | GSM_TWICE
    assert segments(body) == 1, f"{len(body)}: {body}"


def test_several_things_at_once_are_one_message() -> None:
    both = notice((MessageKind.CONFIRMED, {"total": 4410}), (MessageKind.BACKORDERED, {"expected": "2026-12-24"}))
    subject, text = email(both)
    assert subject == "Order W-1001: confirmed, waiting for stock"
    assert "The total is $44.10." in text
    assert "We expect to ship on 24 December 2026." in text
    assert text.count("Hello Ada Park,") == 1
    assert sms(both) == "Order W-1001: Confirmed, total $44.10. Waiting for stock. Expected 24 December 2026."


def test_two_parcels_delivered_are_said_once_in_the_subject() -> None:
    subject, text = email(
        notice((MessageKind.DELIVERED, {"subject": "W-1-1"}), (MessageKind.DELIVERED, {"subject": "W-1-2"}))
    )
    assert subject == "Order W-1001: delivered"
    assert "(W-1-1)" in text
    assert "(W-1-2)" in text


def test_each_parcel_has_its_tracking_link() -> None:
    links = "https://track.example/1 https://track.example/2"
    shipped = notice((MessageKind.SHIPPED, {"subject": "W-1001-1", "links": links}))
    assert "\nhttps://track.example/1\nhttps://track.example/2\n" in email(shipped)[1]
    assert sms(shipped) == "Order W-1001: Shipped in 2 parcels (W-1001-1): https://track.example/1"


def test_a_cancelled_order_says_what_becomes_of_the_money() -> None:
    assert "$22.05 goes back to you" in sms(notice((MessageKind.CANCELLED, {"refunded": 2205})))
    nothing: list[Data] = [{}, {"refunded": 0}]
    for data in nothing:
        assert "You have not been charged." in sms(notice((MessageKind.CANCELLED, data)))
        assert "You have not been charged." in email(notice((MessageKind.CANCELLED, data)))[1]


def test_it_is_not_said_that_nothing_was_taken_where_something_may_have_been() -> None:
    for locale in LOCALES:
        found = notice((MessageKind.CANCELLED, {"refunded": 0, "maybe_charged": 1}), locale=locale)
        known = notice((MessageKind.CANCELLED, {"refunded": 0}), locale=locale)
        assert len(sms(found)) < len(sms(known))
        assert len(email(found)[1]) < len(email(known)[1])


def test_a_german_reads_german() -> None:
    subject, text = email(notice((MessageKind.REFUNDED, {"amount": 104410}), locale="de-AT", currency="eur"))
    assert subject == "Bestellung W-1001: erstattet"
    assert text.startswith("Guten Tag Ada Park!\n\nWir haben 1.044,10 € für Ihre Bestellung W-1001 erstattet.")
    assert "24. März 2027" in sms(notice((MessageKind.DELAYED, {"expected": "2027-03-24"}), locale="de"))


@pytest.mark.parametrize("locale", ["fr", "", "en-GB", "EN_us", "xx-yy"])
def test_others_read_english(locale: str) -> None:
    assert email(notice(MessageKind.DELIVERED, locale=locale))[0] == "Order W-1001: delivered"


def test_a_nameless_customer_is_greeted_too() -> None:
    nameless = Notice(order_id="W-1", kinds=[(MessageKind.DELIVERED, {})], currency="usd")
    assert email(nameless)[1].startswith("Hello,\n")


def test_nothing_that_was_typed_changes_the_form_of_a_text() -> None:
    typed = "Ada {order_id} [x|y]\r\nBcc: eve@example.com"
    evil = Notice(
        order_id="W-1",
        kinds=[(MessageKind.PARTLY_CANCELLED, {"items": typed, "subject": typed})],
        name=typed,
        currency="usd",
    )
    subject, text = email(evil)
    assert subject == "Order W-1: partly cancelled"
    assert text.startswith("Hello Ada {order_id} [x|y] Bcc: eve@example.com,\n")
    assert "\n" not in sms(evil)


def test_a_day_that_is_none_is_shown_as_it_is() -> None:
    assert "New date: soon." in sms(notice((MessageKind.DELAYED, {"expected": "soon"})))


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "written"),
    [
        (4410, "usd", "en", "$44.10"),
        (4410, "usd", "de", "44,10 $"),
        (104410, "EUR", "en", "€1,044.10"),
        (104410, "EUR", "de", "1.044,10 €"),
        (5, "gbp", "en", "£0.05"),
        (1500, "jpy", "en", "¥1,500"),
        (1500, "jpy", "de", "1.500 ¥"),
        (1500, "krw", "en", "KRW 1,500"),
        (1500, "kwd", "en", "KWD 1.500"),
        (1500, "bhd", "de", "1,500 BHD"),
        (123456789, "chf", "en", "CHF 1,234,567.89"),
        (0, "usd", "en", "$0.00"),
        (-4410, "usd", "en", "-$44.10"),
        (10**15, "usd", "en", "$10,000,000,000,000.00"),
    ],
)
def test_money_is_written_by_its_currency(amount: int, currency: str, locale: str, written: str) -> None:
    assert money(amount, currency, locale) == written


@pytest.mark.parametrize(
    ("locale", "month"),
    [("de-AT", "Dezember"), ("gsw", "Dezember"), ("es-419", "December"), ("fil", "December"), ("?", "December")],
)
def test_the_nearest_language_that_is_spoken_is_used(locale: str, month: str) -> None:
    _, text = email(notice((MessageKind.BACKORDERED, FULL), locale=locale))
    assert f" {month} 2026" in text
