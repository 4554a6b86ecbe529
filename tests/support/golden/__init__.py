"""Makes the golden messages in `schemas/vectors/`: `python -m tests.support.golden [--check]`."""
