"""German."""

from activities.messages.phrases.language import Kind, Language, Phrase

PHRASES = {
    Kind.CONFIRMED: Phrase(
        "bestätigt",
        "Vielen Dank. Ihre Bestellung {order_id} ist bestätigt[ ({subject})].[ Die Summe beträgt {total}.]",
        "Bestätigt[, Summe {total}][ ({subject})].",
    ),
    Kind.PAYMENT_PROBLEM: Phrase(
        "Zahlung abgelehnt",
        "Die Zahlung für Ihre Bestellung {order_id} wurde abgelehnt[ ({subject})]. "
        "Bitte wählen Sie dort, wo Sie bestellt haben, eine andere Zahlungsart[: {url}|.]"
        "[ Wir warten darauf bis {deadline}, danach stornieren wir die Bestellung."
        "| Was uns vor {good_until} verlässt, ist durch die erste noch bezahlt.]",
        "Zahlung abgelehnt[ ({subject})]. Bitte andere Zahlungsart wählen[ bis {deadline}| bis {good_until}]"
        "[: {url}|.]",
    ),
    Kind.PAYMENT_ACTION: Phrase(
        "bitte Zahlung bestätigen",
        "Ihre Bank bittet Sie, die Zahlung für Ihre Bestellung {order_id} zu bestätigen[ ({subject})][: {url}|.]"
        "[ Wir warten darauf bis {deadline}, danach stornieren wir die Bestellung.]",
        "Bitte die Zahlung bei Ihrer Bank bestätigen[ ({subject})][ bis {deadline}][: {url}|.]",
    ),
    Kind.PAYMENT_REMINDER: Phrase(
        "Zahlung noch nicht bestätigt",
        "Ihre Bank wartet noch darauf, dass Sie die Zahlung für Ihre Bestellung {order_id} bestätigen[ ({subject})]"
        "[: {url}|.]"
        "[ Wir warten darauf bis {deadline}, danach stornieren wir die Bestellung.]",
        "Ihre Bank wartet noch auf Ihre Bestätigung der Zahlung[ ({subject})][ bis {deadline}][: {url}|.]",
    ),
    Kind.BACKORDERED: Phrase(
        "wartet auf Ware",
        "Für Ihre Bestellung {order_id} warten wir noch auf Ware[ ({subject})][: {items}]."
        "[ Wir liefern voraussichtlich am {expected}.]",
        "Wir warten noch auf Ware[ ({subject})].[ Voraussichtlich {expected}.]",
    ),
    Kind.DELAYED: Phrase(
        "verspätet",
        "Ihre Bestellung {order_id} dauert leider länger als angekündigt[ ({subject})]."
        "[ Der neue Termin ist der {expected}.]",
        "Leider verspätet[ ({subject})].[ Neuer Termin: {expected}.]",
    ),
    Kind.SHIPPED: Phrase(
        "versandt",
        "Ihre Bestellung {order_id} ist unterwegs[ ({subject})].[ Hier verfolgen Sie die Sendung:\n{links}]",
        "Versandt[ in {parcels} Paketen][ ({subject})][: {link}|.]",
    ),
    Kind.PARTLY_SHIPPED: Phrase(
        "teilweise versandt",
        "Ein Teil Ihrer Bestellung {order_id} ist unterwegs[ ({subject})]; der Rest folgt."
        "[ Hier verfolgen Sie die Sendung:\n{links}]",
        "Teilweise versandt[ in {parcels} Paketen][ ({subject})][: {link}|.]",
    ),
    Kind.READY_FOR_PICKUP: Phrase(
        "abholbereit",
        "Ihre Bestellung {order_id} liegt für Sie bereit[ ({location})][ ({subject})]."
        "[ Bitte holen Sie die Ware bis {deadline} ab.]",
        "Abholbereit[ ({location})][ ({subject})][, bis {deadline}].",
    ),
    Kind.OUT_FOR_DELIVERY: Phrase(
        "in Zustellung",
        "Ein Paket Ihrer Bestellung {order_id} ist in Zustellung[ ({subject})]."
        "[ Hier verfolgen Sie die Sendung:\n{links}]",
        "In Zustellung[ ({subject})][: {link}|.]",
    ),
    Kind.DELIVERED: Phrase(
        "zugestellt",
        "Ihre Bestellung {order_id} ist zugestellt[ ({subject})]. Wir wünschen Ihnen viel Freude damit.",
        "Zugestellt[ ({subject})].",
    ),
    Kind.CANCELLED: Phrase(
        "storniert",
        "Ihre Bestellung {order_id} ist storniert[ ({subject})]."
        "[ Sie erhalten {refunded} auf demselben Weg zurück."
        "| Was Sie anderswo bezahlt haben ({paid_as}), erhalten Sie von dort zurück.|{charge_in_doubt}"
        "| Es wurde nichts berechnet.]",
        "Storniert[ ({subject})].[ Sie erhalten {refunded} zurück."
        "| Anderswo bezahlt: zurück von dort ({paid_as}).|{charge_in_doubt}| Es wurde nichts berechnet.]",
    ),
    Kind.PARTLY_CANCELLED: Phrase(
        "teilweise storniert",
        "Ein Teil Ihrer Bestellung {order_id} ist storniert[ ({subject})][: {items}]."
        "[ Sie erhalten {refunded} auf demselben Weg zurück."
        "| Was Sie dafür anderswo bezahlt haben ({paid_as}), erhalten Sie von dort zurück.]",
        "Teilweise storniert[ ({subject})].[ Sie erhalten {refunded} zurück."
        "| Anderswo bezahlt: dieser Teil zurück von dort ({paid_as}).]",
    ),
    Kind.CANCELLATION_REFUSED: Phrase(
        "Storno nicht mehr möglich",
        "Ihre Bestellung {order_id} ist schon unterwegs und kann nicht mehr storniert werden[ ({subject})].",
        "Schon unterwegs, Storno nicht mehr möglich[ ({subject})].",
    ),
    Kind.REFUNDED: Phrase(
        "erstattet",
        "Wir haben [{amount}|Ihre Zahlung] für Ihre Bestellung {order_id} erstattet[ ({subject})]. "
        "Bis zur Gutschrift können einige Tage vergehen.",
        "Erstattet[: {amount}][ ({subject})]. Bis zur Gutschrift können einige Tage vergehen.",
    ),
    Kind.INVOICE_DUE: Phrase(
        "Rechnung",
        "Die Rechnung[ über {amount}] für Ihre Bestellung {order_id} ist fällig[ am {due}][ ({subject})][: {url}|.]",
        "Rechnung[ über {amount}] fällig[ am {due}][ ({subject})][: {url}|.]",
    ),
    Kind.INVOICE_OVERDUE: Phrase(
        "Rechnung überfällig",
        "Die Rechnung[ über {amount}] für Ihre Bestellung {order_id} war fällig[ am {due}][ ({subject})]. "
        "Bitte zahlen Sie jetzt[: {url}|.]",
        "Rechnung[ über {amount}] überfällig[ seit {due}][ ({subject})]. Bitte zahlen Sie jetzt[: {url}|.]",
    ),
    Kind.SURVEY: Phrase(
        "wie waren wir?",
        "Wie zufrieden sind Sie mit Ihrer Bestellung {order_id}[ ({subject})]? "
        "[Sagen Sie es uns hier: {url}|Antworten Sie einfach auf diese Nachricht.]",
        "Wie zufrieden sind Sie[ ({subject})]? [Sagen Sie es uns: {url}|Wir freuen uns auf Ihre Antwort.]",
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
    instant="{day}, {time} Uhr UTC",
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
