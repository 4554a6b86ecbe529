"""Duty, escalation and notification: who is accountable now, who is asked next, how he learns of it."""
