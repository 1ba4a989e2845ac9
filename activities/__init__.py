"""HOW: every side effect, one class per responsibility."""
