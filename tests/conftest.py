"""Fixtures for all tests. `tests.support.databases` sets Django up, so that test modules import models."""

pytest_plugins = [
    "tests.support.kafka",
    "tests.support.postgresql",
    "tests.support.databases",
    "tests.support.network",
    "tests.support.desk",
    "tests.support.desk_process",
    "tests.support.processes",
]
