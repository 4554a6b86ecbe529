"""The names of the topics. Each has one partition, for ever, since the order within it means something."""

from tongbao_schemas.record import IN_LIMIT, OUT_LIMIT

DIRECTORY_TOPIC = "exchange.directory.v1"
LEAVES_TOPIC = "exchange.leaves.v1"
PARTITION = 0


def out_topic(code: str) -> str:
    """What a participant writes."""
    return f"prov.{code}.out.v1"


def in_topic(code: str) -> str:
    """What the exchange delivers to a participant."""
    return f"prov.{code}.in.v1"


def value_limit(topic: str) -> int:
    """The largest record value, in bytes, that belongs on a topic."""
    return OUT_LIMIT if topic.endswith(".out.v1") else IN_LIMIT
