"""What Shippo's endpoints take (API 2018-02-08). The tests hold this against the vendor's contract.

Left out on purpose, and so refused: ids of addresses and parcels in place of the objects, customs declarations in place
of their ids, extras, carriers' parcel templates, purchases without a rate.
"""

from infra.sandbox.params import Field

REFERENCE = Field(max_length=100, nullable=True)
MEASURE = Field(required=True, pattern=r"^\d+(\.\d+)?$")
TEXT = Field(nullable=True)

ADDRESS = {
    "name": TEXT,
    "company": TEXT,
    "street1": TEXT,
    "street2": TEXT,
    "street3": TEXT,
    "street_no": TEXT,
    "city": TEXT,
    "state": TEXT,
    "zip": TEXT,
    "country": Field(required=True, pattern=r"^[A-Z]{2}$"),
    "phone": TEXT,
    "email": TEXT,
    "is_residential": Field("boolean", nullable=True),
    "metadata": REFERENCE,
    "validate": Field("boolean", nullable=True),
}
PARCEL = {
    "weight": MEASURE,
    "mass_unit": Field(required=True, values=("g", "kg", "lb", "oz")),
    "length": MEASURE,
    "width": MEASURE,
    "height": MEASURE,
    "distance_unit": Field(required=True, values=("cm", "in", "ft", "m", "mm", "yd")),
    "extra": Field("object"),
    "metadata": REFERENCE,
}
CREATE_SHIPMENT = {
    "address_from": Field("object", required=True, fields=ADDRESS),
    "address_to": Field("object", required=True, fields=ADDRESS),
    "address_return": Field("object", nullable=True, fields=ADDRESS),
    "parcels": Field("array", required=True, items=Field("object", fields=PARCEL)),
    "customs_declaration": TEXT,
    "carrier_accounts": Field("array", nullable=True, items=Field()),
    "shipment_date": TEXT,
    "extra": Field("object"),
    "metadata": REFERENCE,
    "async": Field("boolean", nullable=True),
}
LABEL_FILE_TYPES = (
    "PNG",
    "PNG_2.3x7.5",
    "PDF",
    "PDF_2.3x7.5",
    "PDF_4x6",
    "PDF_4x8",
    "PDF_A4",
    "PDF_A5",
    "PDF_A6",
    "ZPLII",
)
CREATE_TRANSACTION = {
    "rate": Field(required=True),
    "async": Field("boolean", nullable=True),
    "label_file_type": Field(nullable=True, values=LABEL_FILE_TYPES),
    "metadata": REFERENCE,
    "order": TEXT,
}
TRANSACTION_STATUSES = ("WAITING", "QUEUED", "SUCCESS", "ERROR", "REFUNDED", "REFUNDPENDING", "REFUNDREJECTED")
TRACKING_STATUSES = ("UNKNOWN", "PRE_TRANSIT", "TRANSIT", "DELIVERED", "RETURNED", "FAILURE")
LIST_TRANSACTIONS = {
    "rate": Field(),
    "object_status": Field(values=TRANSACTION_STATUSES),
    "tracking_status": Field(values=TRACKING_STATUSES),
    "page": Field("integer", minimum=1),
    "results": Field("integer", minimum=1, maximum=100),
}
CREATE_REFUND = {
    "transaction": Field(required=True),
    "async": Field("boolean", nullable=True),
}
CREATE_TRACK = {
    "carrier": Field(required=True),
    "tracking_number": Field(required=True),
    "metadata": REFERENCE,
}
ENDPOINTS = {
    ("POST", "/shipments"): CREATE_SHIPMENT,
    ("POST", "/transactions"): CREATE_TRANSACTION,
    ("GET", "/transactions"): LIST_TRANSACTIONS,
    ("POST", "/refunds"): CREATE_REFUND,
    ("POST", "/tracks"): CREATE_TRACK,
}
