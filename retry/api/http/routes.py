"""The addresses of a resource, each beside the function that answers it.

A resource is a package with its views and schemas; ``retry.api.urls`` joins its ``routes.urls``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from retry.api.http.resource import api_view
from retry.outcomes import Actor

View: TypeAlias = Callable[..., HttpResponse]
V = TypeVar("V", bound=View)


@dataclass(slots=True)
class _Address:
    name: str
    methods: dict[str, View] = field(default_factory=dict)


class Routes:
    """Collects views with ``@routes.get(address)`` and ``@routes.post(address)``.

    ``needs``: the permission to require before the view is called; verbs check their own.
    ``name``: for ``reverse``, the address unless given.
    """

    def __init__(self) -> None:
        self._addresses: dict[str, _Address] = {}

    def get(self, address: str, *, name: str = "", needs: str = "") -> Callable[[V], V]:
        return self._add("get", address, name=name, needs=needs)

    def post(self, address: str, *, name: str = "", needs: str = "") -> Callable[[V], V]:
        return self._add("post", address, name=name, needs=needs)

    @property
    def urls(self) -> list[URLPattern]:
        return [
            path(address, api_view(**found.methods), name=found.name)
            for address, found in self._addresses.items()
        ]

    def _add(self, method: str, address: str, *, name: str, needs: str) -> Callable[[V], V]:
        def register(view: V) -> V:
            found = self._addresses.setdefault(address, _Address(name or address))
            found.methods[method] = _guard(needs, view) if needs else view
            return view

        return register


def _guard(permission: str, view: View) -> View:
    def guard(request: HttpRequest, actor: Actor, **values: Any) -> HttpResponse:
        actor.require(permission)
        return view(request, actor, **values)

    return guard
