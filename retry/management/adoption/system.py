"""A system whose failures can be adopted."""

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

#: A location and the options of a source.
Place = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """``read_place``: makes the source's location and options of the arguments; may read standard
    input.
    """

    help: str
    examples: str
    noun: str
    source_kind: str
    entry_kind: str
    add_arguments: Callable[[ArgumentParser], None]
    read_place: Callable[[Mapping[str, Any]], Place]


def read_secret(value: str) -> str:
    """Return an address, or for "-" the next line of standard input."""
    return (sys.stdin.readline() if value == "-" else value).strip()
