"""A resource's addresses: registered beside their views, and all of them joined to the API."""

import importlib
import pkgutil
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from retry import api
from retry.api import urls
from retry.api.http.routes import Routes, _guard
from retry.errors import NotPermitted
from retry.outcomes import Actor, Channel


def test_every_resource_is_joined_to_the_api() -> None:
    joined = {str(pattern.pattern) for pattern in urls.urlpatterns}
    modules = pkgutil.walk_packages(api.__path__, f"{api.__name__}.")
    for module in map(importlib.import_module, [found.name for found in modules]):
        for routes in vars(module).values():
            if isinstance(routes, Routes):
                assert {str(pattern.pattern) for pattern in routes.urls} <= joined, module


def test_an_address_has_one_view_for_all_its_methods() -> None:
    routes = Routes()

    @routes.get("things", name="all-things")
    def show(_request: HttpRequest, _actor: Actor) -> HttpResponse:
        return HttpResponse("shown")

    @routes.post("things")
    def add(_request: HttpRequest, _actor: Actor) -> HttpResponse:
        return HttpResponse("added")

    [pattern] = routes.urls
    assert (str(pattern.pattern), pattern.name) == ("things", "all-things")
    found = routes.methods["things"]
    assert {name: method.view for name, method in found.items()} == {"get": show, "post": add}


def test_what_an_address_needs_is_checked_before_its_view(rf: Any) -> None:
    routes, called = Routes(), []

    @routes.get("things/<int:pk>", needs="entries.view_entry")
    def show(_request: HttpRequest, _actor: Actor, pk: int) -> HttpResponse:
        called.append(pk)
        return HttpResponse()

    view = _guard(routes.methods["things/<int:pk>"]["get"])
    nobody = Actor.from_user(User(username="nobody", is_active=False), channel=Channel.API)
    with pytest.raises(NotPermitted, match=r"entries\.view_entry"):
        view(rf.get("/"), nobody, pk=7)
    assert called == []
    view(rf.get("/"), Actor.command("script"), pk=7)
    assert called == [7]
