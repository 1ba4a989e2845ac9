"""x"""


def demo() -> None:
    """Not yet."""
