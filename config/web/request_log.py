"""A log line for each request."""

import structlog
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject, empty
from django_structlog.middlewares import RequestMiddleware

from config.web.proxies import client_address
from entries.request_ids import bind_id, get_id


class RequestLog(RequestMiddleware):
    """django-structlog's middleware, without a database query for the user.

    It would look the user up before it logs an error. When the database is away, that raises
    again inside Django's handling of the first error, and the client gets no error page at all.
    So the user is logged only if the request has already loaded it.
    """

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        """Keep the id for the middleware outside of this one, which logs as well."""
        request_id = get_id()
        super().handle_response(request, response)  # clears the context
        bind_id(request_id)

    @classmethod
    def bind_ip(cls, request: HttpRequest) -> None:
        """Bind the address that limits go by, whatever the headers say."""
        structlog.contextvars.bind_contextvars(ip=client_address(request))

    @staticmethod
    def bind_user_id(request: HttpRequest) -> None:
        user = getattr(request, "user", None)
        if isinstance(user, SimpleLazyObject) and user._wrapped is empty:  # noqa: SLF001
            return
        if (user_id := getattr(user, "pk", None)) is not None:
            structlog.contextvars.bind_contextvars(user_id=user_id)
