"""What the customer's page says."""

from collections.abc import Mapping
from types import MappingProxyType

from infra.words import FulfillmentStatus, OrderStatus

ENGLISH: Mapping[str, str] = MappingProxyType(
    {
        "order": "Order {order_id}",
        "unknown": "There is no such page. Please use the link in our last message.",
        "done": "Nothing is left to be chosen.",
        "impossible": "That is not possible any more. This is where your order stands now:",
        "wrong": "Please correct: {fields}",
        "asked": "Your store does not have all of your order: {items}. Please choose.",
        "deadline": "Without an answer by {at} we cancel that part, and give your money back.",
        "store": "Pick it up at {place}",
        "store_part": "Pick up what is at {place}: {units} of {whole}",
        "ship_there": "Send it to the address you gave us",
        "ship": "Send it to this address",
        "cancel": "Cancel it, and give my money back",
        "waits": "It waits for you at {place} until {at}.",
        "extend": "Let it wait longer, once",
        "person": "Somebody else comes for it",
        "person_note": "We then send you another code, which only they should have.",
        "name": "Name",
        "street1": "Street and number",
        "zip": "Postal code",
        "city": "City",
        "state": "State",
        "country": "Country, as DE",
        "save": "Save",
        OrderStatus.PLACED: "We have your order.",
        OrderStatus.ON_HOLD: "We are looking after your order.",
        OrderStatus.PROCESSING: "We are working on your order.",
        OrderStatus.CANCELLING: "Your order is being cancelled.",
        OrderStatus.COMPLETED: "Your order is complete.",
        OrderStatus.CANCELLED: "Your order is cancelled.",
        FulfillmentStatus.READY_FOR_PICKUP: "ready to be picked up",
        FulfillmentStatus.PICKED_UP: "picked up",
        FulfillmentStatus.SHIPPED: "on its way",
        FulfillmentStatus.DELIVERED: "delivered",
        FulfillmentStatus.RETURNED: "returned",
        FulfillmentStatus.CANCELLED: "not sent",
        FulfillmentStatus.PLANNED: "being prepared",
        FulfillmentStatus.REQUESTED: "being prepared",
        FulfillmentStatus.PACKED: "being prepared",
    }
)
GERMAN: Mapping[str, str] = MappingProxyType(
    {
        "order": "Bestellung {order_id}",
        "unknown": "Diese Seite gibt es nicht. Bitte nehmen Sie den Link aus unserer letzten Nachricht.",
        "done": "Es ist nichts mehr zu wählen.",
        "impossible": "Das ist nicht mehr möglich. So steht es jetzt um Ihre Bestellung:",
        "wrong": "Bitte berichtigen Sie: {fields}",
        "asked": "Ihre Filiale hat nicht alles: {items}. Bitte wählen Sie.",
        "deadline": "Ohne Antwort bis {at} stornieren wir diesen Teil, und Sie erhalten Ihr Geld zurück.",
        "store": "In {place} abholen",
        "store_part": "In {place} abholen, was dort ist: {units} von {whole}",
        "ship_there": "An die Adresse senden, die wir von Ihnen haben",
        "ship": "An diese Adresse senden",
        "cancel": "Stornieren und Geld zurück",
        "waits": "Sie wartet in {place} bis {at}.",
        "extend": "Einmal länger warten lassen",
        "person": "Jemand anderes holt sie ab",
        "person_note": "Sie erhalten dann einen neuen Code, den nur diese Person haben sollte.",
        "name": "Name",
        "street1": "Straße und Hausnummer",
        "zip": "Postleitzahl",
        "city": "Ort",
        "state": "Bundesstaat",
        "country": "Land, etwa DE",
        "save": "Speichern",
        OrderStatus.PLACED: "Wir haben Ihre Bestellung.",
        OrderStatus.ON_HOLD: "Wir kümmern uns um Ihre Bestellung.",
        OrderStatus.PROCESSING: "Wir bearbeiten Ihre Bestellung.",
        OrderStatus.CANCELLING: "Ihre Bestellung wird storniert.",
        OrderStatus.COMPLETED: "Ihre Bestellung ist abgeschlossen.",
        OrderStatus.CANCELLED: "Ihre Bestellung ist storniert.",
        FulfillmentStatus.READY_FOR_PICKUP: "liegt bereit",
        FulfillmentStatus.PICKED_UP: "abgeholt",
        FulfillmentStatus.SHIPPED: "unterwegs",
        FulfillmentStatus.DELIVERED: "zugestellt",
        FulfillmentStatus.RETURNED: "zurückgekommen",
        FulfillmentStatus.CANCELLED: "wird nicht gesendet",
        FulfillmentStatus.PLANNED: "in Vorbereitung",
        FulfillmentStatus.REQUESTED: "in Vorbereitung",
        FulfillmentStatus.PACKED: "in Vorbereitung",
    }
)


def words(locale: str) -> Mapping[str, str]:
    return GERMAN if locale.partition("-")[0].lower() == "de" else ENGLISH
