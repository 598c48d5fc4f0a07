"""The routes of the API, each with what is sent to it; a route that is not known here fails."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from retry.api.http.progress import WaitQuery
from retry.api.http.routes import Method
from retry.api.http.schemas import PageQuery
from retry.api.http.throttle import unknown_tokens
from retry.api.urls import ROUTES
from tests.api import walking
from tests.api.calls import Caller
from tests.walk.hidden import HEX, NUMBER, WORD

_PARAMETER = re.compile(r"<\w+:(\w+)>")
_IDS = re.compile(r'"(\w*id)": ?(\d+|"[0-9a-f-]{36}"|"entry-[^"]+")')
_NUMBERED = re.compile(r"\b(holds|syncs|views|subscriptions)/\d+")
_UUID = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")

Values = Mapping[str, object]
#: What paths name: something of the hidden world, and what there is not. The same for every caller
#: from whom it is hidden.
HIDDEN: Values = {
    "entry_id": NUMBER + 100,
    "operation_id": UUID(int=HEX + 1),
    "run_id": UUID(int=HEX + 2),
    "sync_id": NUMBER + 2,
    "slug": f"{WORD}-source",
    "hold_id": NUMBER + 3,
    "group_id": NUMBER + 6,
    "view_id": NUMBER + 5,
    "subscription_id": NUMBER + 7,
}
UNKNOWN: Values = {
    name: UUID(int=HEX + 999) if isinstance(value, UUID) else f"{WORD}-none"
    if isinstance(value, str) else NUMBER + 999
    for name, value in HIDDEN.items()
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Route:
    """A method of an address of the API. ``name``: of the address."""

    name: str
    address: str
    http: str
    method: Method

    @property
    def label(self) -> str:
        return f"{self.http.upper()} {self.address}"

    @property
    def parameters(self) -> list[str]:
        return _PARAMETER.findall(self.address)

    @property
    def lists(self) -> bool:
        query = self.method.query
        return query is not None and issubclass(query, PageQuery)

    @property
    def waits(self) -> bool:
        return self.method.query is WaitQuery

    def fill(self, values: Values) -> str:
        return _PARAMETER.sub(lambda found: str(values[found[1]]), self.address)

    @property
    def body(self) -> Mapping[str, object]:
        """What would do something."""
        return {**walking.BODIES, **walking.ALSO_WRITTEN}[self.name]

    def call(self, caller: Caller, *, values: Values | None = None, **query: object) -> Any:
        """Call it as what ``tests.api.walking`` made has it, or with ``values`` in its path."""
        path = walking.path_of(self.name) if values is None else self.fill(values)
        unknown_tokens.clear()
        if self.http == "get":
            return caller.get(path, **query)
        return caller.send("POST", path, json.dumps(self.body).encode())


def list_routes() -> Iterator[Route]:
    names = {str(pattern.pattern): name for name, pattern in walking.patterns().items()}
    for routes in ROUTES:
        for address, methods in routes.methods.items():
            for http, method in methods.items():
                yield Route(names[address], address, http, method)


def drop_ids(text: str) -> str:
    """The text of an answer without ids, which what is new gets another of each time."""
    return _NUMBERED.sub(r"\1/N", _UUID.sub("U", _IDS.sub(r'"\1":N', text)))
