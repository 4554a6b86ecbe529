"""The one room that knows Kafka: client settings, reader, writer, topology, and a server for demo and
tests."""
