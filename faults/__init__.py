"""The promises of the engine, broken on purpose with real processes: ``python -m faults``."""
