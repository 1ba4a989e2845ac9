"""x"""


def bench() -> None:
    """Not yet."""
