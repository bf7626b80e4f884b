"""Waiting for a state, with a bound: tests never sleep and hope."""

import time


def until(condition, seconds, what):
    """The first true answer of `condition`; fails with `what` when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise AssertionError(f"waited {seconds} s in vain: {what}")
        time.sleep(0.02)
