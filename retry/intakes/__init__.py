"""What syncs and imports have in common: an ``Intake`` from the request to its end."""
