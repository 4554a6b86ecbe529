"""The bytes of a leaf."""

from datetime import UTC, datetime

import pytest

from tests.unit.schemas import wire
from tongbao_schemas.stamp import LeafKind, leaf_bytes

AT = datetime(2026, 11, 23, 18, 34, 28, 535000, UTC)


def test_a_leaf_is_seven_lines() -> None:
    """An admitted leaf: name and version, network, kind, index, digest, time, directory."""
    expected = f"tongbao/leaf/v1\ndemo\nadmitted\n5\n{wire.DIGEST}\n2026-11-23T18:34:28.535Z\n1\n"

    assert expected.encode() == leaf_bytes("demo", LeafKind.ADMITTED, 5, wire.DIGEST, AT, 1)


def test_a_rejected_leaf_ends_with_its_code() -> None:
    """A rejection adds one line."""
    leaf = leaf_bytes("demo", LeafKind.REJECTED, 5, wire.DIGEST, AT, 1, "TB-308")

    assert leaf.endswith(b"\n1\nTB-308\n")


@pytest.mark.parametrize(
    ("kind", "code"),
    [(LeafKind.REJECTED, None), (LeafKind.ADMITTED, "TB-308"), (LeafKind.DIRECTORY, "TB-308")],
)
def test_a_code_belongs_to_a_rejection(kind: LeafKind, code: str | None) -> None:
    """A rejection without a code, or a code elsewhere, is a mistake of the caller."""
    with pytest.raises(ValueError, match="code"):
        leaf_bytes("demo", kind, 5, wire.DIGEST, AT, 1, code)
