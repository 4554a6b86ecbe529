"""Leaf and stamp: what the trail holds of a decision, and the proof that a delivery carries."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from tongbao_schemas.codes import Labelled
from tongbao_schemas.encoding import format_time
from tongbao_schemas.fields import Count, Digest, HexDigest, Positive, Strict, Time


class LeafKind(Labelled):
    """What the exchange decided."""

    ADMITTED = "admitted", "登记", "Admitted"
    REJECTED = "rejected", "拒绝", "Rejected"
    DIRECTORY = "directory", "目录", "Directory"


class Leaf(Strict):
    """A leaf's facts as the stamp repeats them."""

    index: Count
    digest: Digest
    admitted_at: Time
    directory: Positive


class Stamp(Strict):
    """Proof of entry: a leaf, its inclusion proof under a signed checkpoint, and the addressee's counter.

    It is read from a value that the gate has parsed already, so `proof` takes a list.
    """

    leaf: Leaf
    proof: Annotated[tuple[HexDigest, ...], Field(strict=False)]
    checkpoint: str
    delivery_seq: Positive


def leaf_bytes(
    network: str,
    kind: LeafKind,
    index: int,
    digest: str,
    admitted_at: datetime,
    directory: int,
    code: str | None = None,
) -> bytes:
    """The bytes that are hashed into the trail; `code` exactly for the kind `rejected`."""
    if (code is not None) != (kind is LeafKind.REJECTED):
        raise ValueError("a code belongs to a rejected leaf, and to no other")
    lines = [
        "tongbao/leaf/v1",
        network,
        kind.value,
        str(index),
        digest,
        format_time(admitted_at),
        str(directory),
    ]
    if code is not None:
        lines.append(code)
    return "".join(f"{line}\n" for line in lines).encode("ascii")
