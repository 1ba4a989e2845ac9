"""Stripe: payments, its errors in our words, and what it tells us."""
