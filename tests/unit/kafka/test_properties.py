"""Several servers make one cluster that keeps strangers out and survives one of them."""

from tongbao_broker.kafka.properties import Places, Server, new_cluster_id, server_properties

SERVERS = [Server(number, f"kafka-{number}", 9092, 9093) for number in (1, 2, 3)]
PLACES = Places(certificate="/secrets/tls.pem", ca="/secrets/ca.pem", data="/data")


def settings(own: Server, servers: list[Server]) -> dict[str, str]:
    return dict(line.split("=", 1) for line in server_properties(own, servers, PLACES).splitlines())


def test_three_servers_keep_three_replicas_of_which_two_are_in_step() -> None:
    """A record that was acknowledged is on two of three servers at least."""
    text = settings(SERVERS[1], SERVERS)

    assert (text["default.replication.factor"], text["min.insync.replicas"]) == ("3", "2")
    assert (text["offsets.topic.replication.factor"], text["unclean.leader.election.enable"]) == (
        "3",
        "false",
    )


def test_servers_name_one_another_and_themselves() -> None:
    """All three go by the same quorum; each advertises its own name."""
    each = [settings(server, SERVERS) for server in SERVERS]

    assert {text["controller.quorum.voters"] for text in each} == {
        "1@kafka-1:9093,2@kafka-2:9093,3@kafka-3:9093"
    }
    assert [text["advertised.listeners"] for text in each] == [
        "SSL://kafka-1:9092",
        "SSL://kafka-2:9092",
        "SSL://kafka-3:9092",
    ]
    assert [text["node.id"] for text in each] == ["1", "2", "3"]


def test_nothing_is_said_in_plain_text() -> None:
    """Every listener, the controllers' too, demands a certificate over TLS."""
    text = settings(SERVERS[0], SERVERS)
    protocols = {each.split(":")[1] for each in text["listener.security.protocol.map"].split(",")}

    assert text["listeners"] == "SSL://:9092,CONTROLLER://:9093"
    assert (protocols, text["ssl.client.auth"]) == ({"SSL"}, "required")


def test_cluster_ids_have_kafkas_form() -> None:
    """A cluster id has 22 characters; none begins with a hyphen, which would look like an option."""
    ids = {new_cluster_id() for _ in range(500)}

    assert len(ids) == 500
    assert all(len(each) == 22 and not each.startswith("-") for each in ids)
