"""Topic names and limits."""

import pytest

from tongbao_broker.kafka import topics
from tongbao_schemas.record import IN_LIMIT, OUT_LIMIT


@pytest.mark.parametrize(
    ("topic", "limit"),
    [
        (topics.out_topic("520000"), OUT_LIMIT),
        (topics.in_topic("520000"), IN_LIMIT),
        (topics.LEAVES_TOPIC, IN_LIMIT),
        (topics.DIRECTORY_TOPIC, IN_LIMIT),
    ],
)
def test_limits(topic: str, limit: int) -> None:
    """What a province writes is limited tighter than what the exchange adds its proof to."""
    assert topics.value_limit(topic) == limit


def test_names() -> None:
    """The names are those of the protocol."""
    assert topics.out_topic("520000") == "prov.520000.out.v1"
    assert topics.in_topic("520000") == "prov.520000.in.v1"
