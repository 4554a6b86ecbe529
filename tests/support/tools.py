"""Programs of others by which some tests judge our files."""

import os
import shutil

import pytest


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skips a test where none of these programs is installed; in CI (`CI` is set) it fails there instead."""
    found = any(map(shutil.which, programs)) or "CI" in os.environ
    return pytest.mark.skipif(not found, reason=f"not installed: {' or '.join(programs)}")
