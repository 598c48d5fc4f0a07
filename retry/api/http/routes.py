"""The addresses of a resource, each beside the function that answers it.

A resource is a package with its views and schemas; ``retry.api.urls`` joins its ``routes.urls``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from pydantic import BaseModel

from retry.api.http.resource import api_view
from retry.outcomes import Actor

View: TypeAlias = Callable[..., HttpResponse]
V = TypeVar("V", bound=View)
Model: TypeAlias = type[BaseModel]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """What the document says of a method of an address.

    ``answers``: by status, what a caller gets; several shapes where it depends on what was sent.
    """

    view: View
    needs: str
    query: Model | None
    body: Model | None
    answers: Mapping[int, tuple[Model, ...]]


@dataclass(slots=True)
class _Address:
    name: str
    methods: dict[str, Method] = field(default_factory=dict)


class Routes:
    """Collects views with ``@routes.get(address)`` and ``@routes.post(address)``.

    ``needs``: the permission to require before the view is called; verbs check their own.
    ``name``: for ``reverse``, the address unless given. ``query``, ``body`` and ``answers`` are
    for the document: what the view parses, and what it answers with ``status``.
    """

    def __init__(self) -> None:
        self._addresses: dict[str, _Address] = {}

    def get(
        self,
        address: str,
        *,
        name: str = "",
        needs: str = "",
        query: Model | None = None,
        answers: Model | None = None,
    ) -> Callable[[V], V]:
        shapes = {200: (answers,)} if answers else {}
        return self._add("get", address, name=name, needs=needs, query=query, answers=shapes)

    def post(
        self,
        address: str,
        *,
        name: str = "",
        needs: str = "",
        body: Model | None = None,
        answers: Model | None = None,
        status: int = 200,
        also: Mapping[int, Model | tuple[Model, ...]] | None = None,
    ) -> Callable[[V], V]:
        """``also``: other answers that are no problems, by status."""
        shapes: dict[int, tuple[Model, ...]] = {status: (answers,)} if answers else {}
        for code, more in (also or {}).items():
            shapes[code] = (*shapes.get(code, ()), *(more if isinstance(more, tuple) else (more,)))
        return self._add("post", address, name=name, needs=needs, body=body, answers=shapes)

    @property
    def urls(self) -> list[URLPattern]:
        return [
            path(
                address,
                api_view(**{method: _guard(each) for method, each in found.methods.items()}),
                name=found.name,
            )
            for address, found in self._addresses.items()
        ]

    @property
    def methods(self) -> Mapping[str, Mapping[str, Method]]:
        """By address, then by method in lower case."""
        return {address: found.methods for address, found in self._addresses.items()}

    def _add(
        self,
        method: str,
        address: str,
        *,
        name: str,
        needs: str,
        answers: Mapping[int, tuple[Model, ...]],
        query: Model | None = None,
        body: Model | None = None,
    ) -> Callable[[V], V]:
        def register(view: V) -> V:
            found = self._addresses.setdefault(address, _Address(name or address))
            found.methods[method] = Method(
                view=view, needs=needs, query=query, body=body, answers=answers
            )
            return view

        return register


def _guard(method: Method) -> View:
    permission, view = method.needs, method.view
    if not permission:
        return view

    def guard(request: HttpRequest, actor: Actor, **values: Any) -> HttpResponse:
        actor.require(permission)
        return view(request, actor, **values)

    return guard
