"""Warehouses, by signed requests (Standard Webhooks)."""
