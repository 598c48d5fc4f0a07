"""The tests on each combination of versions that Redrive is for: ``python -m tools.matrix``."""
