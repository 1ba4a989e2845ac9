"""The customer's page: where their order stands, and what they may choose. No key but its address."""
