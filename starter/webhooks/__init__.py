"""What providers and warehouses tell us: verified as it came, stored once with what it changes, in one transaction."""
