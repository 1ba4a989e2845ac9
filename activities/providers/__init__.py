"""One adapter per vendor; only the composition root builds them."""
