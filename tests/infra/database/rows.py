"""The smallest rows that others refer to."""

from infra.database.tables import Location, Product


def product(sku: str) -> Product:
    return Product(sku=sku, name=sku.title(), weight_g=400, lead_time_days=7)


def location(location_id: str, name: str = "Oakland") -> Location:
    return Location(
        location_id=location_id, name=name, kind="warehouse", priority=1, warehouse="default", address={"country": "US"}
    )
