"""The cells of the matrix: one version of everything."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

PYTHONS = ("3.11", "3.14")
DJANGOS = ("5.2", "6.0")
POSTGRESES = ("15", "18")
STORES = ("redis", "valkey")

#: The oldest Python of each Django.
_OLDEST_PYTHON = {"5.2": "3.11", "6.0": "3.12"}
#: Taken in this order where the Python of a cell cannot be had.
_NEAREST = ("3.14", "3.13", "3.12")


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


@dataclass(frozen=True, slots=True)
class Cell:
    python: str
    django: str
    postgres: str
    store: str

    @property
    def name(self) -> str:
        return f"{self.python}-{self.django}-{self.postgres}-{self.store}"

    @property
    def exists(self) -> bool:
        return _number(self.python) >= _number(_OLDEST_PYTHON[self.django])

    def find_neighbours(self) -> Iterator["Cell"]:
        """Yield it, and then those with another Python, down to one with another Django as well."""
        yield self
        for python in _NEAREST:
            other = replace(self, python=python)
            if python != self.python and other.exists:
                yield other
        if self.django != DJANGOS[0]:
            yield replace(self, python=PYTHONS[0], django=DJANGOS[0])


#: What the locks and `make test` have.
USUAL = Cell("3.11", "5.2", "18", "valkey")
#: As different from it as one cell can be.
OPPOSITE = Cell("3.14", "6.0", "15", "redis")

CELLS = tuple(
    cell
    for python, django, postgres, store in product(PYTHONS, DJANGOS, POSTGRESES, STORES)
    if (cell := Cell(python, django, postgres, store)).exists
)
