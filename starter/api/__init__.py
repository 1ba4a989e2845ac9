"""The HTTP API: it translates, and nothing more."""
