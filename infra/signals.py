"""How a process is ended that has not begun yet. Imported before all that takes long, so it needs next to nothing."""

import os
import signal

ENDED = 128 + signal.SIGTERM
"""As shells tell of it."""


def end_when_told() -> None:
    """SIGTERM ends this process with 143, until it is listened to in another way (`infra.processes.told_to_stop`).

    For process 1 of a container, which the kernel does not end by a signal that it has no handler for.
    """
    if os.getpid() == 1:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(ENDED))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def keep_until_told() -> None:
    """SIGTERM waits until `end_when_told`, also in the program that takes the place of this one: none is lost."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
