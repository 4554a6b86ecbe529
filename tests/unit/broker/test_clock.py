"""The machine's time as it goes on the wire."""

from datetime import UTC

from tongbao_broker.clock import SystemClock


def test_system_clock_gives_whole_milliseconds_in_utc() -> None:
    """A time from the clock survives the wire's millisecond form unchanged."""
    now = SystemClock().now()

    assert now.tzinfo is UTC
    assert now.microsecond % 1000 == 0
