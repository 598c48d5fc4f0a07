"""Registries that are as they were once a test is over."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from entries.kinds.registry import KINDS
from entries.sources.registry import SOURCE_KINDS


@contextmanager
def restored_registries() -> Iterator[None]:
    """What is registered in the block is gone with it."""
    before: list[tuple[Any, dict[str, Any]]] = [
        (registry, dict(registry._classes)) for registry in (KINDS, SOURCE_KINDS)
    ]
    try:
        yield
    finally:
        for registry, classes in before:
            registry._classes = classes
            registry._instances.clear()
