"""``X-Request-ID``: in every answer, whichever middleware gives it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from entries.request_ids import HEADER, bound_id, choose_id


class RequestIdMiddleware:
    """The first middleware: what follows finds a sane id in the request, and in its log lines."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = choose_id(str(request.META.get("HTTP_X_REQUEST_ID", "")))
        request.META["HTTP_X_REQUEST_ID"] = request_id
        with bound_id(request_id):
            response = self.get_response(request)
        response.headers[HEADER] = request_id
        return response
