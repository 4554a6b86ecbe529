"""What a process tells of itself in numbers, and who may ask: Prometheus over HTTP."""
