"""The API's addresses as words: ``POST operations/<id>/pause`` is ``operations pause ID``."""

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from retry.api.http.routes import Method
from retry.api.urls import ROUTES

_PARAMETER = re.compile(r"<(\w+):(\w+)>")
#: Addresses that are verbs on entries.
_OF_ENTRIES = frozenset({"retry", "resync", "discard", "restore", "repair"})


@dataclass(frozen=True, slots=True)
class Verb:
    """A method of an address. ``parameters``: what its path names, in their order."""

    noun: str
    name: str
    http: str
    address: str
    method: Method

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """Return the names of the parameters in the path, each with Django's converter of it."""
        return [(name, converter) for converter, name in _PARAMETER.findall(self.address)]

    @property
    def fields(self) -> type[BaseModel] | None:
        """The schema of what can be given besides: of the query string, or of the body."""
        return self.method.query if self.http == "get" else self.method.body

    @property
    def words(self) -> str:
        """What it does, in a few words."""
        return f"{self.method.view.__name__.replace('_', ' ').capitalize()}."

    @property
    def description(self) -> str:
        """What it does, and what the schema says of its fields."""
        fields = inspect.getdoc(self.fields) if self.fields else None
        return " ".join([self.words, *(fields or "").replace("``", "").split()])

    def fill(self, values: Mapping[str, object]) -> str:
        """Return the address with its parameters in place."""
        return _PARAMETER.sub(lambda found: str(values[found[2]]), self.address)


def list_verbs() -> Iterator[Verb]:
    """Yield each method of each address of the API."""
    for routes in ROUTES:
        for address, methods in routes.methods.items():
            for http, method in methods.items():
                noun, name = _name(address, method)
                if "." in noun:
                    continue  # a file, such as the document of the API
                yield Verb(noun, name, http, address, method)


def _name(address: str, method: Method) -> tuple[str, str]:
    first, *rest = address.split("/")
    if first in _OF_ENTRIES:
        return "entries", "-".join([first, *rest])
    if rest and not rest[-1].startswith("<"):
        # What is below one row, and read, is a list of its own: operations/<id>/items.
        return first, rest[-1]
    return first, method.view.__name__.split("_")[0]
