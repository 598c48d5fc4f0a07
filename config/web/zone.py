"""The time zone of the browser, for pages."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.utils import timezone

from entries.admin.zones import FIELD
from entries.zones import find_zone
from retry.api.http.problems import under_api

#: Set by ``static/redrive/times.js``.
COOKIE = "time_zone"


class ZoneMiddleware:
    """Show times in the browser's zone; without a valid one, and under the API, in ``TIME_ZONE``.

    What is typed into a form counts in the zone that the form named.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if under_api(request):
            return self.get_response(request)
        with timezone.override(find_zone(request.COOKIES.get(COOKIE, ""))):
            return self.get_response(request)

    def process_view(
        self, request: HttpRequest, _view: object, _args: Any, _kwargs: Any
    ) -> HttpResponse | None:
        # CSRF's middleware, which comes before, has read the body.
        if request.method == "POST" and not under_api(request):
            try:
                zone = find_zone(request.POST.get(FIELD, ""))
            except UnreadablePostError:
                return None
            if zone is not None:
                timezone.activate(zone)  # until the override ends
        return None
