"""Fields that every object of a kind has and that nothing here ever sets: readers of the SDK may still ask for them."""

from infra.sandbox.world import Document


def _null(*names: str) -> Document:
    return dict.fromkeys(names)


CUSTOMER = _null("discount", "invoice_prefix") | {"next_invoice_sequence": 1}
INTENT = _null("managed_payments")
PAYMENT_METHOD = _null("customer_account")
REFUND = _null("customer_account")
DISPUTE: Document = {"enhanced_eligibility_types": [], "evidence": {"enhanced_evidence": {}}}
CHARGE = {
    **_null("application", "application_fee", "application_fee_amount", "calculated_statement_descriptor"),
    **_null("failure_balance_transaction", "on_behalf_of", "receipt_email", "receipt_number", "receipt_url", "review"),
    **_null("shipping", "source_transfer", "statement_descriptor", "statement_descriptor_suffix"),
    **_null("transfer_data", "transfer_group"),
    "fraud_details": {},
}
CARD_DETAILS = {
    **_null("authorization_code", "fingerprint", "installments", "mandate", "network_transaction_id"),
    **_null("regulated_status", "transaction_link_id"),
    "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
    "network_token": {"used": False},
}
