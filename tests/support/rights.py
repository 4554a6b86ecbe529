"""What a principal may do to a topic, asked of the broker itself: one request an operation, for all topics.

No request changes anything where it is granted, except that a granted write leaves a record and a granted
deletion would delete. The broker judges before it acts, and answers for each topic by itself.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import Any

from kafka.admin import ConfigResourceType
from kafka.protocol.admin import (
    CreatePartitionsRequest,
    CreateTopicsRequest,
    DeleteTopicsRequest,
    DescribeConfigsRequest,
    IncrementalAlterConfigsRequest,
)
from kafka.protocol.consumer import FetchRequest
from kafka.protocol.metadata import MetadataRequest
from kafka.protocol.producer import InitProducerIdRequest, ProduceRequest
from kafka.record.memory_records import MemoryRecordsBuilder

from tests.support.kafka import wait_until
from tongbao_broker.kafka.client import Connection, administrator

TOPIC = ConfigResourceType.TOPIC.value
TOPIC_DENIED, CLUSTER_DENIED = 29, 31
GRANTED = {
    "create": 36,  # the topic exists
    "alter": 37,  # it has as many partitions
}
"""What the broker answers to a request that it would carry out, where that isn't 0."""
NOT_YET = {3, 5, 6}
"""Unknown topic, no leader, not the leader: what a broker answers for an instant after a topic was made."""

Answers = Iterable[tuple[str, int]]


def rights(connection: Connection, topics: Sequence[str]) -> dict[str, set[str]]:
    """The operations that are granted, by topic; `""` stands for the cluster."""
    granted: dict[str, set[str]] = {topic: set() for topic in (*topics, "")}
    with closing(administrator(connection)) as admin:

        def ask(request: Any) -> Any:
            return admin._manager.run(admin._manager.send, request)

        for operation, question in QUESTIONS.items():
            for topic, code in _settled(question, ask, topics):
                if _is_granted(operation, code):
                    granted[topic].add(operation)
    return granted


def _settled(question: "Question", ask: Callable[[Any], Any], topics: Sequence[str]) -> list[tuple[str, int]]:
    """The answers once no topic is so new that its broker doesn't know yet that it leads it."""
    answers: list[tuple[str, int]] = []

    def have_settled() -> bool:
        answers[:] = question(ask, topics)
        return not NOT_YET & {code for _, code in answers}

    wait_until(have_settled)
    return answers


def _is_granted(operation: str, code: int) -> bool:
    expected = GRANTED.get(operation, 0)
    assert code in (expected, TOPIC_DENIED, CLUSTER_DENIED), (
        f"{operation}: an answer that says neither: {code}"
    )
    return code == expected


Question = Callable[[Callable[[Any], Any], Sequence[str]], Answers]


def _describe(ask: Callable[[Any], Any], topics: Sequence[str]) -> Answers:
    named = [MetadataRequest.MetadataRequestTopic(name=topic) for topic in topics]
    answer = ask(MetadataRequest(topics=named, allow_auto_topic_creation=False, max_version=9))
    return [(each.name, each.error_code) for each in answer.topics]


def _read(ask: Callable[[Any], Any], topics: Sequence[str]) -> Answers:
    partition = FetchRequest.FetchTopic.FetchPartition(
        partition=0, fetch_offset=0, log_start_offset=-1, partition_max_bytes=1
    )
    asked = [FetchRequest.FetchTopic(topic=topic, partitions=[partition]) for topic in topics]
    answer = ask(
        FetchRequest(
            max_wait_ms=0,
            min_bytes=0,
            max_bytes=1,
            isolation_level=0,
            session_id=0,
            session_epoch=-1,
            topics=asked,
            forgotten_topics_data=[],
            rack_id="",
            max_version=11,
        )
    )
    return [(each.topic, each.partitions[0].error_code) for each in answer.responses]


def _write(ask: Callable[[Any], Any], topics: Sequence[str]) -> Answers:
    records = MemoryRecordsBuilder(magic=2, compression_type=0, batch_size=1024)
    records.append(timestamp=None, key=None, value=b"{}")
    records.close()
    partition = ProduceRequest.TopicProduceData.PartitionProduceData(index=0, records=records.buffer())
    written = [ProduceRequest.TopicProduceData(name=topic, partition_data=[partition]) for topic in topics]
    answer = ask(
        ProduceRequest(transactional_id=None, acks=1, timeout_ms=5000, topic_data=written, max_version=9)
    )
    return [(each.name, each.partition_responses[0].error_code) for each in answer.responses]


def _create(ask: Callable[[Any], Any], topics: Sequence[str]) -> Answers:
    wanted = [
        CreateTopicsRequest.CreatableTopic(
            name=topic, num_partitions=1, replication_factor=1, assignments=[], configs=[]
        )
        for topic in topics
    ]
    answer = ask(CreateTopicsRequest(topics=wanted, timeout_ms=5000, validate_only=True))
    return [(each.name, each.error_code) for each in answer.topics]


def _delete(ask: Callable[[Any], Any], topics: Sequence[str]) -> Answers:
    answer = ask(
        DeleteTopicsRequest(
            topics=[DeleteTopicsRequest.DeleteTopicState(name=topic) for topic in topics], timeout_ms=5000
        )
    )
    return [(each.name, each.error_code) for each in answer.responses]


def _alter(ask: Callable[[Any], Any], topics: Sequence[str]) -> Answers:
    wanted = [
        CreatePartitionsRequest.CreatePartitionsTopic(name=topic, count=1, assignments=None)
        for topic in topics
    ]
    answer = ask(CreatePartitionsRequest(topics=wanted, timeout_ms=5000, validate_only=True))
    return [(each.name, each.error_code) for each in answer.results]


def _alter_settings(ask: Callable[[Any], Any], topics: Sequence[str]) -> Answers:
    Resource = IncrementalAlterConfigsRequest.AlterConfigsResource  # noqa: N806
    change = Resource.AlterableConfig(name="cleanup.policy", config_operation=0, value="delete")
    wanted = [Resource(resource_type=TOPIC, resource_name=topic, configs=[change]) for topic in topics]
    answer = ask(IncrementalAlterConfigsRequest(resources=wanted, validate_only=True))
    return [(each.resource_name, each.error_code) for each in answer.responses]


def _describe_settings(ask: Callable[[Any], Any], topics: Sequence[str]) -> Answers:
    resources = [(TOPIC, topic, None) for topic in topics]
    answer = ask(DescribeConfigsRequest(resources=resources, include_synonyms=False, min_version=0))
    return [(each.resource_name, each.error_code) for each in answer.results]


def _idempotent_write(ask: Callable[[Any], Any], _topics: Sequence[str]) -> Answers:
    """A producer's first step; it names no topic."""
    answer = ask(InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=1000, max_version=1))
    return [("", answer.error_code)]


QUESTIONS: dict[str, Question] = {
    "describe": _describe,
    "read": _read,
    "write": _write,
    "idempotent write": _idempotent_write,
    "describe settings": _describe_settings,
    "alter settings": _alter_settings,
    "alter": _alter,
    "create": _create,
    "delete": _delete,
}
