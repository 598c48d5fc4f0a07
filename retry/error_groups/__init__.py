"""Error groups: all that failed alike, by fingerprint."""
