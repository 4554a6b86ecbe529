"""What runs at the centre, and the roads that lead to it: trust, Kafka, cursors, the exchange."""
