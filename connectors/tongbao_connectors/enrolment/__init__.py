"""How a province comes into the network.

In service it takes two sides that trust each other only by what they tell each other on the telephone:

    province (`province`)                         centre (`centre`)
    saved      keys made at home
    requested  request signed with the new key →  received; the fingerprint is compared by telephone
    approved   ← certificate and directory        the directory lists it as suspended; topics are made
               the root's fingerprint is compared by telephone
    active     the province says that it is up →  the directory lists it as active
    suspended                                     the directory lists it as suspended until it is active again

In a workspace, which is one person's whole network, `external` does all of it at once.
"""

from enum import StrEnum

from tongbao_broker.errors import Conflict
from tongbao_connectors.workspace import NoSuchParticipant

__all__ = ["AlreadyEnrolled", "NoSuchProvince", "Standing", "fingerprint"]

GROUP, GROUPS = 4, 8


class Standing(StrEnum):
    """How far an enrolment has come."""

    SAVED = "saved"
    REQUESTED = "requested"
    APPROVED = "approved"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    LEFT = "left"


class AlreadyEnrolled(Conflict):
    """The province is in the directory."""

    code = "OP-29"
    zh = "该单位已在目录中。"
    en = "This province is in the directory already."
    next_zh = "用 tongbao directory show 查看。"
    next_en = "Look at: tongbao directory show"


class NoSuchProvince(NoSuchParticipant):
    """No province has this code."""

    code = "OP-30"
    zh = "没有该代码的省级单位。"
    en = "No province has this code."
    next_zh = "使用 GB/T 2260 六位省级代码，如 610000。"
    next_en = "Give a province's six digits of GB/T 2260, such as 610000."


def fingerprint(digest: str) -> str:
    """What two persons read to each other on the telephone: the first 128 bits of a `sha256:…` digest."""
    digits = digest.removeprefix("sha256:")
    return " ".join(digits[at : at + GROUP] for at in range(0, GROUP * GROUPS, GROUP))


def same_fingerprint(typed: str, digest: str) -> bool:
    """Whether somebody typed the fingerprint of this digest; spaces and capitals don't matter."""
    return "".join(typed.split()).lower() == fingerprint(digest).replace(" ", "")
