"""What stands in sealed bodies."""
