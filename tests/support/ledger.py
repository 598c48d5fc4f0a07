"""The ledger in which patient and hostile kinds note their executions."""

from pathlib import Path


def executions(ledger: Path) -> list[list[int]]:
    """Entry id, attempt and process id of every execution, in order."""
    if not ledger.exists():
        return []
    return [[int(word) for word in line.split()] for line in ledger.read_text().splitlines()]
