"""English."""

from activities.messages.phrases.language import Kind, Language, Phrase

PHRASES = {
    Kind.CONFIRMED: Phrase(
        "confirmed",
        "Thank you. Order {order_id} is confirmed[ ({subject})].[ The total is {total}.]",
        "Confirmed[, total {total}][ ({subject})].",
    ),
    Kind.PAYMENT_PROBLEM: Phrase(
        "payment problem",
        "The payment for order {order_id} was declined[ ({subject})]. "
        "Please choose another way to pay where you ordered[: {url}|.]"
        "[ We wait for it until {deadline}, then we cancel the order."
        "| What leaves us before {good_until} is still paid for by the first one.]",
        "Payment declined[ ({subject})]. Please choose another way to pay[ until {deadline}| until {good_until}]"
        "[: {url}|.]",
    ),
    Kind.PAYMENT_ACTION: Phrase(
        "please confirm your payment",
        "Your bank asks you to confirm the payment for order {order_id}[ ({subject})][: {url}|.]"
        "[ We wait for it until {deadline}, then we cancel the order.]",
        "Please confirm the payment with your bank[ ({subject})][ until {deadline}][: {url}|.]",
    ),
    Kind.PAYMENT_REMINDER: Phrase(
        "your payment is not confirmed yet",
        "Your bank still waits for you to confirm the payment for order {order_id}[ ({subject})][: {url}|.]"
        "[ We wait for it until {deadline}, then we cancel the order.]",
        "Your bank still waits for you to confirm the payment[ ({subject})][ until {deadline}][: {url}|.]",
    ),
    Kind.BACKORDERED: Phrase(
        "waiting for stock",
        "We are waiting for stock for order {order_id}[ ({subject})][: {items}].[ We expect to ship on {expected}.]",
        "Waiting for stock[ ({subject})].[ Expected {expected}.]",
    ),
    Kind.DELAYED: Phrase(
        "delayed",
        "We are sorry: order {order_id} will take longer than we said[ ({subject})].[ The new date is {expected}.]",
        "Delayed[ ({subject})], sorry.[ New date: {expected}.]",
    ),
    Kind.SHIPPED: Phrase(
        "shipped",
        "Order {order_id} is on its way[ ({subject})].[ Follow it here:\n{links}]",
        "Shipped[ in {parcels} parcels][ ({subject})][: {link}|.]",
    ),
    Kind.PARTLY_SHIPPED: Phrase(
        "partly shipped",
        "A part of order {order_id} is on its way[ ({subject})]; the rest follows.[ Follow it here:\n{links}]",
        "Partly shipped[ in {parcels} parcels][ ({subject})][: {link}|.]",
    ),
    Kind.READY_FOR_PICKUP: Phrase(
        "ready for pickup",
        "Order {order_id} is ready for you[ at {location}][ ({subject})].[ Please collect it before {deadline}.]",
        "Ready for pickup[ at {location}][ ({subject})][, until {deadline}].",
    ),
    Kind.OUT_FOR_DELIVERY: Phrase(
        "out for delivery",
        "A parcel of order {order_id} is out for delivery[ ({subject})].[ Follow it here:\n{links}]",
        "Out for delivery[ ({subject})][: {link}|.]",
    ),
    Kind.DELIVERED: Phrase(
        "delivered",
        "Order {order_id} has been delivered[ ({subject})]. We hope you enjoy it.",
        "Delivered[ ({subject})].",
    ),
    Kind.CANCELLED: Phrase(
        "cancelled",
        "Order {order_id} is cancelled[ ({subject})]."
        "[ {refunded} goes back to you the way you paid."
        "| What you paid elsewhere ({paid_as}) goes back to you from there.|{charge_in_doubt}"
        "| You have not been charged.]",
        "Cancelled[ ({subject})].[ {refunded} goes back to you."
        "| Paid elsewhere: it goes back from there ({paid_as}).|{charge_in_doubt}| You have not been charged.]",
    ),
    Kind.PARTLY_CANCELLED: Phrase(
        "partly cancelled",
        "A part of order {order_id} is cancelled[ ({subject})][: {items}]."
        "[ {refunded} goes back to you the way you paid."
        "| What you paid for it elsewhere ({paid_as}) goes back to you from there.]",
        "Partly cancelled[ ({subject})].[ {refunded} goes back to you."
        "| Paid elsewhere: its part goes back from there ({paid_as}).]",
    ),
    Kind.CANCELLATION_REFUSED: Phrase(
        "too late to cancel",
        "Order {order_id} has left already and can no longer be cancelled[ ({subject})].",
        "Has left already, too late to cancel[ ({subject})].",
    ),
    Kind.REFUNDED: Phrase(
        "refunded",
        "We have refunded [{amount}|your payment] for order {order_id}[ ({subject})]. "
        "Your bank may need some days to show it.",
        "Refunded[ {amount}][ ({subject})]. Your bank may need some days to show it.",
    ),
    Kind.INVOICE_DUE: Phrase(
        "invoice",
        "The invoice[ over {amount}] for order {order_id} is due[ on {due}][ ({subject})][: {url}|.]",
        "Invoice[ over {amount}] due[ on {due}][ ({subject})][: {url}|.]",
    ),
    Kind.INVOICE_OVERDUE: Phrase(
        "invoice overdue",
        "The invoice[ over {amount}] for order {order_id} was due[ on {due}][ ({subject})]. "
        "Please pay it now[: {url}|.]",
        "Invoice[ over {amount}] overdue[ since {due}][ ({subject})]. Please pay it now[: {url}|.]",
    ),
    Kind.SURVEY: Phrase(
        "how did we do?",
        "How did we do with order {order_id}[ ({subject})]? [Please tell us here: {url}|Please answer this message.]",
        "How did we do[ ({subject})]? [Please tell us: {url}|We would like to hear it.]",
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
    instant="{day}, {time} UTC",
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
