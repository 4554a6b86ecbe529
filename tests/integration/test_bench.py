"""The benchmark itself: it must run on what there is, whatever its figures are."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.kafka

HEADS = (
    "| body | alerts/s | sender µs |",
    "| body, one in flight | sender CPU ms |",
    "| process | peak MiB |",
    "| stage | ends at | ms |",
    "| way | messages/s | against |",
    "| varied | to | sender µs",
    "| leaves in the trail | µs a leaf |",
)


def test_the_quick_benchmark_measures_every_part() -> None:
    """`python -m bench --quick` ends well and prints a table for each part."""
    command = (sys.executable, "-m", "bench", "--quick")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)

    assert done.returncode == 0, done.stderr
    assert [head for head in HEADS if head not in done.stdout] == []
