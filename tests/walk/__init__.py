"""Everybody at every address: what the admin and the API answer, and what it changes."""
