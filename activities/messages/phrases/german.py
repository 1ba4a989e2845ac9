"""German."""

from activities.messages.phrases.language import Language, Phrase
from infra.words import MessageKind

PHRASES = {
    MessageKind.CONFIRMED: Phrase(
        "bestätigt",
        "Vielen Dank. Ihre Bestellung {order_id} ist bestätigt[ ({subject})].[ Die Summe beträgt {total}.]"
        "[ Bis zum {expected} sollte sie bei Ihnen sein.]",
        "Bestätigt[, Summe {total}][ ({subject})].[ Bei Ihnen bis {expected}.]",
    ),
    MessageKind.PAYMENT_PROBLEM: Phrase(
        "Zahlung abgelehnt",
        "Die Zahlung für Ihre Bestellung {order_id} wurde abgelehnt[ ({subject})]. "
        "Bitte wählen Sie dort, wo Sie bestellt haben, eine andere Zahlungsart."
        "[ Wir warten darauf bis {deadline}, danach stornieren wir die Bestellung."
        "| Was uns vor {good_until} verlässt, ist durch die erste noch bezahlt.][ Hier wählen Sie:\n{url}]",
        "Zahlung abgelehnt[ ({subject})]. Bitte andere Zahlungsart wählen[ bis {deadline}| bis {good_until}]"
        "[: {url}|.]",
    ),
    MessageKind.PAYMENT_ACTION: Phrase(
        "bitte Zahlung bestätigen",
        "Ihre Bank bittet Sie, die Zahlung für Ihre Bestellung {order_id} zu bestätigen[ ({subject})]."
        "[ Wir warten darauf bis {deadline}, danach stornieren wir die Bestellung.][ Hier bestätigen Sie:\n{url}]",
        "Bitte die Zahlung bei Ihrer Bank bestätigen[ ({subject})][ bis {deadline}][: {url}|.]",
    ),
    MessageKind.PAYMENT_REMINDER: Phrase(
        "Zahlung noch nicht bestätigt",
        "Ihre Bank wartet noch darauf, dass Sie die Zahlung für Ihre Bestellung {order_id} bestätigen[ ({subject})]."
        "[ Wir warten darauf bis {deadline}, danach stornieren wir die Bestellung.][ Hier bestätigen Sie:\n{url}]",
        "Ihre Bank wartet noch auf Ihre Bestätigung der Zahlung[ ({subject})][ bis {deadline}][: {url}|.]",
    ),
    MessageKind.PAYMENT_ENDING: Phrase(
        "bitte neu bezahlen",
        "Die Zahlung für Ihre Bestellung {order_id} kann[ nach {good_until}| bald] nicht mehr verwendet "
        "werden[ ({subject})], und noch nicht alles hat uns verlassen. Bitte wählen Sie, wo Sie bestellt haben, wie "
        "Sie den Rest zahlen.",
        "Ihre Zahlung endet[ am {good_until}| bald][ ({subject})]. Bitte wählen Sie, wie Sie den Rest zahlen.",
    ),
    MessageKind.BACKORDERED: Phrase(
        "wartet auf Ware",
        "Für Ihre Bestellung {order_id} warten wir noch auf Ware[ ({subject})][: {items}]."
        "[ Wir liefern voraussichtlich am {expected}.]",
        "Wir warten noch auf Ware[ ({subject})].[ Voraussichtlich {expected}.]",
    ),
    MessageKind.DELAYED: Phrase(
        "verspätet",
        "Ihre Bestellung {order_id} dauert leider länger als angekündigt[ ({subject})]."
        "[ Der neue Termin ist der {expected}.]",
        "Leider verspätet[ ({subject})].[ Neuer Termin: {expected}.]",
    ),
    MessageKind.SHIPPED: Phrase(
        "versandt",
        "Ihre Bestellung {order_id} ist unterwegs[ ({subject})].[ Darin: {items}.]"
        "[ Hier verfolgen Sie die Sendung:\n{links}]",
        "Versandt[ in {parcels} Paketen][ ({subject})][: {link}|.]",
    ),
    MessageKind.PARTLY_SHIPPED: Phrase(
        "teilweise versandt",
        "Ein Teil Ihrer Bestellung {order_id} ist unterwegs[ ({subject})]; der Rest folgt.[ Darin: {items}.]"
        "[ Hier verfolgen Sie die Sendung:\n{links}]",
        "Teilweise versandt[ in {parcels} Paketen][ ({subject})][: {link}|.]",
    ),
    MessageKind.OUT_FOR_DELIVERY: Phrase(
        "in Zustellung",
        "Ein Paket Ihrer Bestellung {order_id} ist in Zustellung[ ({subject})]."
        "[ Hier verfolgen Sie die Sendung:\n{links}]",
        "In Zustellung[ ({subject})][: {link}|.]",
    ),
    MessageKind.DELIVERED: Phrase(
        "zugestellt",
        "Ihre Bestellung {order_id} ist zugestellt[ ({subject})]. Wir wünschen Ihnen viel Freude damit.",
        "Zugestellt[ ({subject})].",
    ),
    MessageKind.SENT_AGAIN: Phrase(
        "noch einmal versandt",
        "Ein Paket Ihrer Bestellung {order_id} hat Sie nicht erreicht[ ({subject})][: {items}]. Das tut uns leid, wir "
        "senden es noch einmal.",
        "Nicht angekommen[ ({subject})]. Das tut uns leid, wir senden es noch einmal.",
    ),
    MessageKind.NOT_DELIVERED: Phrase(
        "nicht zugestellt",
        "Ein Paket Ihrer Bestellung {order_id} hat Sie nicht erreicht[ ({subject})][: {items}]. Das tut uns leid."
        "[ Sie erhalten {refunded} auf demselben Weg zurück, und was Sie dafür anderswo bezahlt haben ({paid_as}), "
        "von dort."
        "| Sie erhalten {refunded} auf demselben Weg zurück."
        "| Was Sie dafür anderswo bezahlt haben ({paid_as}), erhalten Sie von dort zurück.]",
        "Nicht angekommen[ ({subject})]. Das tut uns leid."
        "[ Sie erhalten {refunded} zurück, mehr von anderswo ({paid_as})."
        "| Sie erhalten {refunded} zurück."
        "| Anderswo bezahlt: dieser Teil zurück von dort ({paid_as}).]",
    ),
    MessageKind.READY_FOR_PICKUP: Phrase(
        "bereit zur Abholung",
        "Ihre Bestellung {order_id} liegt für Sie bereit[ ({subject})][: {place}][, {address}].[ Darin: {items}.]"
        "[ Sie wartet dort bis {deadline}.][\n\nDiesen Code zeigen Sie bitte vor: {code}]",
        "Bereit zur Abholung[ ({subject})][: {place}][ bis {deadline}].[ Code: {code}]",
    ),
    MessageKind.PICKUP_CODE: Phrase(
        "neuer Code für die Abholung",
        "Für die Abholung Ihrer Bestellung {order_id} gilt ein neuer Code[ ({subject})][ ({place})][: {code}]. Der "
        "bisherige gilt nicht mehr.[ Die Bestellung wartet bis {deadline}.]",
        "Neuer Code für Ihre Abholung[ ({subject})][: {code}]. Der alte gilt nicht mehr.",
    ),
    MessageKind.PICKED_UP: Phrase(
        "abgeholt",
        "Ihre Bestellung {order_id} wurde abgeholt[ ({subject})][: {items}]. Waren es weder Sie noch jemand, den Sie "
        "geschickt haben, melden Sie sich bitte sofort.",
        "Abgeholt[ ({subject})]. Waren Sie es nicht, melden Sie sich bitte sofort.",
    ),
    MessageKind.PICKUP_CHOICE: Phrase(
        "in Ihrer Filiale nicht vorrätig",
        "Es tut uns leid: Ihre Filiale hat nicht alles von Ihrer Bestellung {order_id}[ ({subject})][: {items}]. Bitte "
        "wählen Sie, was wir tun sollen.[ Ohne Antwort bis {deadline} stornieren wir diesen Teil, und Sie erhalten Ihr "
        "Geld zurück.][ Hier wählen Sie:\n{url}]",
        "Ihre Filiale hat nicht alles[ ({subject})]. Bitte wählen Sie[ bis {deadline}][: {url}|.]",
    ),
    MessageKind.PICKUP_REMINDER: Phrase(
        "wartet noch auf Sie",
        "Ihre Bestellung {order_id} wartet noch auf Sie[ ({subject})][: {place}][, {address}].[ Darin: {items}.]"
        "[ Am {deadline} kommt sie zurück ins Regal, und Sie erhalten Ihr Geld zurück.]"
        "[\n\nDiesen Code zeigen Sie bitte vor: {code}]",
        "Wartet noch auf Sie[ ({subject})][: {place}][ bis {deadline}].[ Code: {code}]",
    ),
    MessageKind.PICKUP_EXPIRED: Phrase(
        "nicht abgeholt",
        "Ihre Bestellung {order_id} wurde nicht rechtzeitig abgeholt[ ({subject})][: {items}]. "
        "Sie liegt wieder im Regal."
        "[ {refunded} erhalten Sie auf dem Weg zurück, auf dem Sie gezahlt haben, und was Sie dafür anderswo gezahlt "
        "haben ({paid_as}), von dort."
        "| {refunded} erhalten Sie auf dem Weg zurück, auf dem Sie gezahlt haben."
        "| Was Sie dafür anderswo gezahlt haben ({paid_as}), erhalten Sie von dort zurück.]",
        "Nicht rechtzeitig abgeholt[ ({subject})].[ {refunded} erhalten Sie zurück, mehr von anderswo ({paid_as})."
        "| {refunded} erhalten Sie zurück."
        "| Anderswo bezahlt: Ihr Teil kommt von dort zurück ({paid_as}).]",
    ),
    MessageKind.CANCELLED: Phrase(
        "storniert",
        "Ihre Bestellung {order_id} ist storniert[ ({subject})]."
        "[ Sie erhalten {refunded} auf demselben Weg zurück, und was Sie anderswo bezahlt haben ({paid_as}), "
        "von dort."
        "| Sie erhalten {refunded} auf demselben Weg zurück."
        "| Was Sie anderswo bezahlt haben ({paid_as}), erhalten Sie von dort zurück.|{maybe_charged}"
        "| Es wurde nichts berechnet.]",
        "Storniert[ ({subject})].[ Sie erhalten {refunded} zurück, mehr von anderswo ({paid_as})."
        "| Sie erhalten {refunded} zurück."
        "| Anderswo bezahlt: zurück von dort ({paid_as}).|{maybe_charged}| Es wurde nichts berechnet.]",
    ),
    MessageKind.PARTLY_CANCELLED: Phrase(
        "teilweise storniert",
        "Ein Teil Ihrer Bestellung {order_id} ist storniert[ ({subject})][: {items}]."
        "[ Sie erhalten {refunded} auf demselben Weg zurück, und was Sie dafür anderswo bezahlt haben ({paid_as}), "
        "von dort."
        "| Sie erhalten {refunded} auf demselben Weg zurück."
        "| Was Sie dafür anderswo bezahlt haben ({paid_as}), erhalten Sie von dort zurück.]"
        "[ Schon unterwegs ist, und kann zurückgegeben werden: {left}.]",
        "Teilweise storniert[ ({subject})].[ Sie erhalten {refunded} zurück, mehr von anderswo ({paid_as})."
        "| Sie erhalten {refunded} zurück."
        "| Anderswo bezahlt: dieser Teil zurück von dort ({paid_as}).]",
    ),
    MessageKind.CANCELLATION_REFUSED: Phrase(
        "Storno nicht mehr möglich",
        "[Aus Ihrer Bestellung {order_id} ist {items}|Ihre Bestellung {order_id} ist] schon unterwegs und kann nicht "
        "mehr storniert werden[ ({subject})]. Nach der Zustellung ist eine Rückgabe möglich.",
        "Schon unterwegs, Storno nicht mehr möglich[ ({subject})]. Rückgabe ist möglich.",
    ),
    MessageKind.REFUNDED: Phrase(
        "erstattet",
        "Wir haben [{amount}|Ihre Zahlung] für Ihre Bestellung {order_id} erstattet[ ({subject})]. "
        "Bis zur Gutschrift können einige Tage vergehen.",
        "Erstattet[: {amount}][ ({subject})]. Bis zur Gutschrift können einige Tage vergehen.",
    ),
    MessageKind.STORE_REQUEST: Phrase(
        "bitte packen",
        "Bitte packen Sie[ {subject}] für die Bestellung {order_id}[: {items}]. Sagen Sie vorher, dass Sie es tun, "
        "oder dass es nicht geht.",
        "Bitte packen[: {subject}]. Sagen Sie vorher, dass Sie es tun, oder dass es nicht geht.",
    ),
    MessageKind.STORE_REMINDER: Phrase(
        "wartet noch auf Sie",
        "Niemand hat bisher zugesagt[: {subject}], Bestellung {order_id}[, {items}]. Bitte sagen Sie, dass Sie packen, "
        "oder dass es nicht geht.",
        "Niemand hat bisher zugesagt[ ({subject})]. Bitte sagen Sie, dass Sie packen, oder dass es nicht geht.",
    ),
    MessageKind.STORE_RECALL: Phrase(
        "bitte anhalten",
        "Bitte schicken Sie[ {subject}] der Bestellung {order_id} nicht ab[: {items}]. Legen Sie alles ins Regal "
        "zurück und sagen Sie es, oder dass es schon weg ist.",
        "Bitte nicht abschicken[: {subject}]. Sagen Sie, dass alles im Regal liegt, oder dass es schon weg ist.",
    ),
}

GERMAN = Language(
    about="Bestellung {order_id}: {news}",
    subjects={
        "payment": "Zahlung {n}",
        "refund": "Erstattung {n}",
        "request": "Anfrage {n}",
        "unavailable": "nicht lieferbar: {n}",
    },
    greeting="Guten Tag[ {name}]!",
    closing="Fragen zu Ihrer Bestellung {order_id}? Antworten Sie einfach auf diese Nachricht.",
    day="{day}. {month} {year}",
    instant="{day}, {time} Uhr",
    months=(
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ),
    thousands=".",
    decimal=",",
    signed="{number} {unit}",
    coded="{number} {unit}",
    phrases=PHRASES,
)
