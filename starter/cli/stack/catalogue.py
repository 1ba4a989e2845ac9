"""A small catalogue to begin with: what an empty installation is filled with."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starter.cli.client import Api

LOCATIONS = {
    "OAK": {
        "name": "Oakland warehouse",
        "priority": 10,
        "address": {
            "name": "Warehouse OAK",
            "street1": "1625 Clay St",
            "city": "Oakland",
            "state": "CA",
            "zip": "94612",
            "country": "US",
        },
    },
    "RNO": {
        "name": "Reno warehouse",
        "priority": 20,
        "address": {
            "name": "Warehouse RNO",
            "street1": "1 E 1st St",
            "city": "Reno",
            "state": "NV",
            "zip": "89501",
            "country": "US",
        },
    },
}
PRODUCTS = {
    "MUG-BLUE": {"name": "Mug, blue", "weight_g": 350, "lead_time_days": 14},
    "MUG-GREEN": {"name": "Mug, green", "weight_g": 350, "lead_time_days": 14},
    "TEAPOT": {"name": "Teapot, one litre", "weight_g": 900, "lead_time_days": 21},
    "KETTLE": {"name": "Kettle, steel", "weight_g": 1200, "lead_time_days": 21},
    "LAMP-OAK": {"name": "Desk lamp, oak", "weight_g": 1800, "lead_time_days": 30},
}
STOCK = {
    "OAK": {"MUG-BLUE": 500, "MUG-GREEN": 200, "TEAPOT": 50},
    "RNO": {"MUG-BLUE": 100, "KETTLE": 80},
}
"""The lamp is in no location: ordering it makes a backorder."""


def sow(api: Api) -> None:
    """Puts all of it. Again, it changes nothing."""
    for location_id, location in LOCATIONS.items():
        api.put(f"/v1/locations/{location_id}", location)
    for sku, product in PRODUCTS.items():
        api.put(f"/v1/products/{sku}", product)
    for location_id, shelf in STOCK.items():
        lines = [{"sku": sku, "quantity": quantity} for sku, quantity in shelf.items()]
        api.post("/v1/restocks", {"reference": f"opening-{location_id}", "location": location_id, "lines": lines})
