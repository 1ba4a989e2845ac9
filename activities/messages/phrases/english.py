"""English."""

from activities.messages.phrases.language import Language, Phrase
from infra.words import MessageKind

PHRASES = {
    MessageKind.CONFIRMED: Phrase(
        "confirmed",
        "Thank you. Order {order_id} is confirmed[ ({subject})].[ The total is {total}.]"
        "[ You should have it by {expected}.]",
        "Confirmed[, total {total}][ ({subject})].[ Expected by {expected}.]",
    ),
    MessageKind.PAYMENT_PROBLEM: Phrase(
        "payment problem",
        "The payment for order {order_id} was declined[ ({subject})]. "
        "Please choose another way to pay where you ordered."
        "[ We wait for it until {deadline}, then we cancel the order."
        "| What leaves us before {good_until} is still paid for by the first one.][ Choose it here:\n{url}]",
        "Payment declined[ ({subject})]. Please choose another way to pay[ until {deadline}| until {good_until}]"
        "[: {url}|.]",
    ),
    MessageKind.PAYMENT_ACTION: Phrase(
        "please confirm your payment",
        "Your bank asks you to confirm the payment for order {order_id}[ ({subject})]."
        "[ We wait for it until {deadline}, then we cancel the order.][ Confirm it here:\n{url}]",
        "Please confirm the payment with your bank[ ({subject})][ until {deadline}][: {url}|.]",
    ),
    MessageKind.PAYMENT_REMINDER: Phrase(
        "your payment is not confirmed yet",
        "Your bank still waits for you to confirm the payment for order {order_id}[ ({subject})]."
        "[ We wait for it until {deadline}, then we cancel the order.][ Confirm it here:\n{url}]",
        "Your bank still waits for you to confirm the payment[ ({subject})][ until {deadline}][: {url}|.]",
    ),
    MessageKind.PAYMENT_ENDING: Phrase(
        "please pay anew",
        "The payment for order {order_id} cannot be used[ after {good_until}| much longer][ ({subject})], and "
        "not all of it has left us. Please choose how to pay for the rest where you ordered.",
        "Your payment ends[ on {good_until}| soon][ ({subject})]. Please choose how to pay for the rest.",
    ),
    MessageKind.BACKORDERED: Phrase(
        "waiting for stock",
        "We are waiting for stock for order {order_id}[ ({subject})][: {items}].[ We expect to ship on {expected}.]",
        "Waiting for stock[ ({subject})].[ Expected {expected}.]",
    ),
    MessageKind.DELAYED: Phrase(
        "delayed",
        "We are sorry: order {order_id} will take longer than we said[ ({subject})].[ The new date is {expected}.]",
        "Delayed[ ({subject})], sorry.[ New date: {expected}.]",
    ),
    MessageKind.SHIPPED: Phrase(
        "shipped",
        "Order {order_id} is on its way[ ({subject})].[ In it: {items}.][ Follow it here:\n{links}]",
        "Shipped[ in {parcels} parcels][ ({subject})][: {link}|.]",
    ),
    MessageKind.PARTLY_SHIPPED: Phrase(
        "partly shipped",
        "A part of order {order_id} is on its way[ ({subject})]; the rest follows.[ In it: {items}.]"
        "[ Follow it here:\n{links}]",
        "Partly shipped[ in {parcels} parcels][ ({subject})][: {link}|.]",
    ),
    MessageKind.OUT_FOR_DELIVERY: Phrase(
        "out for delivery",
        "A parcel of order {order_id} is out for delivery[ ({subject})].[ Follow it here:\n{links}]",
        "Out for delivery[ ({subject})][: {link}|.]",
    ),
    MessageKind.DELIVERED: Phrase(
        "delivered",
        "Order {order_id} has been delivered[ ({subject})]. We hope you enjoy it.",
        "Delivered[ ({subject})].",
    ),
    MessageKind.SENT_AGAIN: Phrase(
        "sent again",
        "A parcel of order {order_id} did not reach you[ ({subject})][: {items}]. We are sorry, and send it again.",
        "Did not reach you[ ({subject})], sorry: we send it again.",
    ),
    MessageKind.NOT_DELIVERED: Phrase(
        "not delivered",
        "A parcel of order {order_id} did not reach you[ ({subject})][: {items}]. We are sorry."
        "[ {refunded} goes back to you the way you paid, and what you paid for it elsewhere ({paid_as}) from there."
        "| {refunded} goes back to you the way you paid."
        "| What you paid for it elsewhere ({paid_as}) goes back to you from there.]",
        "Did not reach you[ ({subject})], sorry.[ {refunded} goes back to you, more from elsewhere ({paid_as})."
        "| {refunded} goes back to you."
        "| Paid elsewhere: its part goes back from there ({paid_as}).]",
    ),
    MessageKind.READY_FOR_PICKUP: Phrase(
        "ready for pickup",
        "Order {order_id} is ready for you[ ({subject})][ at {place}][, {address}].[ In it: {items}.]"
        "[ It waits there until {deadline}.][\n\nShow this code when you come: {code}]",
        "Ready for pickup[ ({subject})][ at {place}][ until {deadline}].[ Code: {code}]",
    ),
    MessageKind.PICKUP_CODE: Phrase(
        "new code for your pickup",
        "There is a new code for picking up order {order_id}[ ({subject})][ at {place}][: {code}]. The one before "
        "opens nothing any more.[ The order waits until {deadline}.]",
        "New code for your pickup[ ({subject})][: {code}]. The old one is void.",
    ),
    MessageKind.PICKED_UP: Phrase(
        "picked up",
        "Order {order_id} was picked up[ ({subject})][: {items}]. If neither you nor anybody you sent was there, "
        "please tell us at once.",
        "Picked up[ ({subject})]. If that was not you, please tell us at once.",
    ),
    MessageKind.PICKUP_CHOICE: Phrase(
        "your store does not have it",
        "We are sorry: the store that you chose does not have all of order {order_id}[ ({subject})][: {items}]. Please "
        "choose what we shall do.[ Without an answer by {deadline} we cancel that part, and give your money back.]"
        "[ Choose here:\n{url}]",
        "Your store lacks a part[ ({subject})]. Please choose[ by {deadline}][: {url}|.]",
    ),
    MessageKind.PICKUP_REMINDER: Phrase(
        "still waiting for you",
        "Order {order_id} still waits for you[ ({subject})][ at {place}][, {address}].[ In it: {items}.]"
        "[ On {deadline} it goes back on the shelf, and your money to you.][\n\nShow this code when you come: {code}]",
        "Still waits for you[ ({subject})][ at {place}][ until {deadline}].[ Code: {code}]",
    ),
    MessageKind.PICKUP_EXPIRED: Phrase(
        "not picked up in time",
        "Nobody came for order {order_id} in time[ ({subject})][: {items}]. It is back on the shelf."
        "[ {refunded} goes back to you the way you paid, and what you paid for it elsewhere ({paid_as}) from there."
        "| {refunded} goes back to you the way you paid."
        "| What you paid for it elsewhere ({paid_as}) goes back to you from there.]",
        "Not picked up in time[ ({subject})].[ {refunded} goes back to you, more from elsewhere ({paid_as})."
        "| {refunded} goes back to you."
        "| Paid elsewhere: its part goes back from there ({paid_as}).]",
    ),
    MessageKind.CANCELLED: Phrase(
        "cancelled",
        "Order {order_id} is cancelled[ ({subject})]."
        "[ {refunded} goes back to you the way you paid, and what you paid elsewhere ({paid_as}) from there."
        "| {refunded} goes back to you the way you paid."
        "| What you paid elsewhere ({paid_as}) goes back to you from there.|{maybe_charged}"
        "| You have not been charged.]",
        "Cancelled[ ({subject})].[ {refunded} goes back to you, more from elsewhere ({paid_as})."
        "| {refunded} goes back to you."
        "| Paid elsewhere: it goes back from there ({paid_as}).|{maybe_charged}| You have not been charged.]",
    ),
    MessageKind.PARTLY_CANCELLED: Phrase(
        "partly cancelled",
        "A part of order {order_id} is cancelled[ ({subject})][: {items}]."
        "[ {refunded} goes back to you the way you paid, and what you paid for it elsewhere ({paid_as}) from there."
        "| {refunded} goes back to you the way you paid."
        "| What you paid for it elsewhere ({paid_as}) goes back to you from there.]"
        "[ Not this, which has left already, but you can return it: {left}.]",
        "Partly cancelled[ ({subject})].[ {refunded} goes back to you, more from elsewhere ({paid_as})."
        "| {refunded} goes back to you."
        "| Paid elsewhere: its part goes back from there ({paid_as}).]",
    ),
    MessageKind.CANCELLATION_REFUSED: Phrase(
        "too late to cancel",
        "[{items} of order|Order] {order_id} has left already and can no longer be cancelled[ ({subject})]. You can "
        "return it once it has arrived.",
        "Has left already, too late to cancel[ ({subject})]. You can return it.",
    ),
    MessageKind.REFUNDED: Phrase(
        "refunded",
        "We have refunded [{amount}|your payment] for order {order_id}[ ({subject})]. "
        "Your bank may need some days to show it.",
        "Refunded[ {amount}][ ({subject})]. Your bank may need some days to show it.",
    ),
    MessageKind.STORE_REQUEST: Phrase(
        "to be packed",
        "Please pack[ {subject}] for order {order_id}[: {items}]. Say first that you will, or that you can't.",
        "Please pack[ {subject}]. Say first that you will, or that you can't.",
    ),
    MessageKind.STORE_REMINDER: Phrase(
        "still waits for you",
        "Nobody has accepted[ {subject}] of order {order_id} yet[: {items}]. Please say that you will pack it, or that "
        "you can't.",
        "Nobody has accepted it yet[ ({subject})]. Please say that you will pack it, or that you can't.",
    ),
    MessageKind.STORE_RECALL: Phrase(
        "to be stopped",
        "Please do not send[ {subject}] of order {order_id}[: {items}]. Put it back on the shelf and say so, or say "
        "that it has left.",
        "Please do not send it[ ({subject})]. Say that it is back on the shelf, or that it has left.",
    ),
}

ENGLISH = Language(
    about="Order {order_id}: {news}",
    subjects={
        "payment": "payment {n}",
        "refund": "refund {n}",
        "request": "request {n}",
        "unavailable": "not available: {n}",
    },
    greeting="Hello[ {name}],",
    closing="Questions about order {order_id}? Just answer this message.",
    day="{day} {month} {year}",
    instant="{day}, {time}",
    months=(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    thousands=",",
    decimal=".",
    signed="{unit}{number}",
    coded="{unit} {number}",
    phrases=PHRASES,
)
