"""How fast Tongbao is, what bounds it, what its security costs: on a real Kafka, in real processes."""
