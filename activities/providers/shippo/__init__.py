"""Shippo: rates, labels, tracking, and what it tells us."""
