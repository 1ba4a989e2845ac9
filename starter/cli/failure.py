"""How a command fails: one line that says what to do."""


class Failed(Exception):
    """Exit code 1."""


class Misused(Exception):
    """Exit code 2."""
