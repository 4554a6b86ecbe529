"""Sending at the desk: drafts in review, and what has been sent."""
