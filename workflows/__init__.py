"""WHEN: the business process. Deterministic, no input or output."""
