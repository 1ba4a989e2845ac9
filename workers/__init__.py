"""RUN: the processes that execute workflows and activities."""
