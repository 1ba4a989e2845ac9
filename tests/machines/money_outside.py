"""What people and banks do to an order's money."""

from contextlib import suppress

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import rule

from activities.models import WantedLine
from infra.database.tables import Hold, Payment, Refund
from infra.hold_kinds import HoldKind
from infra.holds import Action
from infra.words import AuthorizationStatus, RefundStatus
from tests.machines.account import Wanted
from tests.machines.asking import CARDS
from tests.machines.choosing import given, pick, some
from tests.machines.ending import Manner
from tests.machines.money_checks import Checked, same
from tests.machines.profiles import Tried

amounts = st.integers(1, 4000)
DISPUTE_MOVES = ("respond", "escalate", "won", "lost", "warning_closed", "returned")


class Outside(Checked, Tried):
    lines: list[int]
    """How many units of each."""
    manner: Manner

    def __init__(self) -> None:
        super().__init__()
        self.disputes: list[str] = []

    # --- people -------------------------------------------------------------------------------------------------------

    @given("wants_method")
    @rule(card=st.sampled_from([*CARDS, "chargeDeclined", "chargeDeclinedStolenCard"]))
    def give_method(self, card: str) -> None:
        self.account.give_method(card)

    @given("unconfirmed")
    @rule(passes=st.booleans())
    def confirm_at_the_bank(self, passes: bool) -> None:
        intent = str(self.unconfirmed[0].intent)
        self.happens(lambda: self.account.sandbox.card(intent, "authenticate" if passes else "fail_authentication"))

    @property
    def unconfirmed(self) -> list[Payment]:
        waits = AuthorizationStatus.ACTION_REQUIRED
        return [payment for payment in self.account.payments if payment.status == waits]

    @rule(which=some, units=st.integers(1, 2), whole=st.sampled_from([False, False, False, True]))
    def cancel(self, which: int, units: int, whole: bool) -> None:
        self.account.cancel(None if whole else [WantedLine(line=which % len(self.lines) + 1, quantity=units)])

    @property
    def charged(self) -> bool:
        return bool(self.account.books["captured"])

    @property
    def paid(self) -> bool:
        return self.charged or bool(self.model.others)

    def ask(self, wanted: Wanted) -> bool:
        accepted = self.account.ask_refund(wanted)
        self.model.asked_back |= accepted
        return accepted

    @given("paid")
    @rule()
    def ask_all_back(self) -> None:
        units = set() if self.doubtful else self.model.refundable_units()
        assert self.ask(Wanted()) == (self.refundable > 0)
        if self.doubtful:
            self.model.by_unit = False
        self.model.refunded(units)

    @given("paid")
    @rule(amount=amounts)
    def ask_an_amount_back(self, amount: int) -> None:
        """Of the last tender first."""
        accepted = self.ask(Wanted(amount=amount))
        assert accepted == (amount <= self.refundable)
        self.model.by_unit &= not accepted
        if accepted and self.undisputed and self.only_ours:
            expected = self.left.copy()
            for n in sorted(expected, reverse=True):
                part = min(amount, expected[n])
                expected[n] -= part
                amount -= part
            self.look()
            same("left of each tender", self.left, +expected)

    @given("paid")
    @rule()
    def ask_shipping_back(self) -> None:
        self.model.by_unit &= not self.ask(Wanted(shipping=True))

    @given("paid")
    @rule(which=some, units=st.integers(1, 2))
    def ask_units_back(self, which: int, units: int) -> None:
        """The last first."""
        line = which % len(self.lines) + 1
        accepted = self.ask(Wanted([WantedLine(line=line, quantity=units)]))
        if self.doubtful or not (self.only_ours and self.undisputed and self.model.by_unit and self.model.exact):
            self.model.by_unit &= not accepted
            return
        left = sorted(unit for unit in self.model.refundable_units() if unit[0] == line)
        assert accepted == (len(left) >= units)
        if accepted:
            self.model.refunded(left[-units:])

    @given("decidable")
    @rule(which=some, action=some)
    def decide(self, which: int, action: int) -> None:
        hold = pick(self.decidable, which)
        chosen = pick(list(hold.kind.actions), action)
        self.only_ours &= not (hold.kind == HoldKind.REST_TOO_SMALL and chosen == Action.SKIP)
        self.account.resolve(hold, chosen)

    @property
    def decidable(self) -> list[Hold]:
        return [hold for hold in self.account.holds if hold.kind.actions]

    # --- banks --------------------------------------------------------------------------------------------------------

    def happens(self, act: object) -> bool:
        """False: the bank says that it can't be."""
        assert callable(act)
        with suppress(httpx.HTTPStatusError):
            act()
            return True
        return False

    @given("unheard")
    @rule(which=some, rest=st.booleans())
    def hear(self, which: int, rest: bool) -> None:
        """In any order."""
        self.account.hear(pick(self.unheard, which))
        if rest:
            self.account.hear_all()

    @property
    def unheard(self) -> list[dict[str, object]]:
        return self.account.unheard

    @given("intents")
    @rule(which=some)
    def hear_once_more(self, which: int) -> None:
        known = [event for event in self.account.events if event["id"] in self.account.taken]
        if known:
            self.account.hear(pick(known, which))

    @given("given_back")
    @rule(which=some, succeeds=st.booleans())
    def refund_ends(self, which: int, succeeds: bool) -> None:
        reference = str(pick(self.given_back, which).reference)
        self.happens(lambda: self.account.sandbox.card_refund(reference, "succeed" if succeeds else "fail"))

    @property
    def given_back(self) -> list[Refund]:
        ended = (RefundStatus.FAILED,)
        return [refund for refund in self.account.refunds if refund.reference and refund.status not in ended]

    @property
    def intents(self) -> list[str]:
        return [payment.intent for payment in self.account.payments if payment.intent]

    @property
    def for_others(self) -> list[str]:
        return self.intents if self.manner.strangers else []

    @property
    def disputable(self) -> list[str]:
        return self.for_others if self.charged else []

    @given("for_others")
    @rule(which=some)
    def hold_lapses(self, which: int) -> None:
        self.account.sandbox.card(pick(self.intents, which), "expire")

    @given("for_others")
    @rule(which=some, amount=amounts, final=st.booleans())
    def capture_elsewhere(self, which: int, amount: int, final: bool) -> None:
        intent = pick(self.intents, which)
        if self.happens(lambda: self.account.sandbox.capture_elsewhere(intent, amount, final=final)):
            self.only_ours = False

    @given("for_others")
    @rule(which=some)
    def cancel_elsewhere(self, which: int) -> None:
        intent = pick(self.intents, which)
        self.happens(lambda: self.account.sandbox.cancel_elsewhere(intent))

    @given("for_others")
    @rule(which=some, amount=amounts)
    def refund_elsewhere(self, which: int, amount: int) -> None:
        intent = pick(self.intents, which)
        if self.happens(lambda: self.account.sandbox.refund_elsewhere(intent, amount)):
            self.model.by_unit = False

    @given("disputable")
    @rule(which=some, amount=st.one_of(st.none(), amounts), inquiry=st.booleans())
    def dispute(self, which: int, amount: int | None, inquiry: bool) -> None:
        intent = pick(self.intents, which)

        def disputed() -> None:
            self.disputes.append(self.account.sandbox.dispute(intent, amount, inquiry=inquiry)["id"])

        if self.happens(disputed):
            self.model.by_unit = self.undisputed = False

    @given("disputes")
    @rule(which=some, move=st.sampled_from(DISPUTE_MOVES), amount=st.one_of(st.none(), amounts))
    def dispute_goes_on(self, which: int, move: str, amount: int | None) -> None:
        dispute = pick(self.disputes, which)
        self.happens(lambda: self.account.sandbox.move_dispute(dispute, move, amount))  # type: ignore[arg-type]
