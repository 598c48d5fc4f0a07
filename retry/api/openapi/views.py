"""The document of the API: what ``make openapi`` has written."""

from functools import cache
from pathlib import Path

from django.http import HttpRequest, HttpResponse

from retry.api.http.resource import refuse_query
from retry.api.http.routes import Routes
from retry.outcomes import Actor

routes = Routes()


@cache
def read_document() -> bytes:
    return Path(__file__).with_name("openapi.json").read_bytes()


@routes.get("openapi.json", name="openapi")
def show_document(request: HttpRequest, _actor: Actor) -> HttpResponse:
    refuse_query(request)
    return HttpResponse(read_document(), content_type="application/json")
