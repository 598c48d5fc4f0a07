"""Fault scenarios: the engine under faults, with real processes. ``python -m faults``."""
