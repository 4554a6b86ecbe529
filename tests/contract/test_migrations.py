"""The tables as models say and as migrations make them are the same."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_no_model_has_changed_without_a_migration() -> None:
    """`makemigrations` finds nothing to write, and Django's own checks of the settings find nothing wrong."""
    done = subprocess.run(
        [sys.executable, "-m", "django", "makemigrations", "--check", "--dry-run"],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.support.django_settings",
            "PYTHONPATH": str(ROOT),
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.strip() == "No changes detected", done.stdout + done.stderr
    assert done.stderr == ""
