"""The one room that knows Kafka: client, reader, writer, topology, and a server for demo and tests."""
