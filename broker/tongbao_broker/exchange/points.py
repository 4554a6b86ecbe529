"""The relay's commit points: where a crash may strike, and tests let it."""

__all__ = ["COMMIT_POINTS", "no_op"]

COMMIT_POINTS = ("polled", "decided", "committed", "published", "marked")
"""In the order in which they are reached, `marked` in a turn that reads nothing; each is passed to the
relay's `reached`.
"""


def no_op(_point: str) -> None:
    """A `reached` that does nothing."""
