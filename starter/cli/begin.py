"""The program `orders`, until its commands are imported."""

from typing import NoReturn

from infra.signals import end_when_told


def main() -> NoReturn:
    end_when_told()
    from starter.cli.__main__ import main as command

    command()
