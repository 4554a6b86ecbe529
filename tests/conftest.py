"""Fixtures for all tests. `tests.support.databases` sets Django up, so that test modules import models.

A run that is asked to end (SIGTERM: a time limit, a cancelled build) ends like one that is interrupted by
hand: fixtures take down what they started.
"""

import signal

import pytest

pytest_plugins = [
    "tests.support.kafka",
    "tests.support.postgresql",
    "tests.support.databases",
    "tests.support.network",
    "tests.support.desk",
    "tests.support.desk_process",
    "tests.support.processes",
]


def pytest_configure(config: pytest.Config) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
