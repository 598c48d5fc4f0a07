"""A line in the log for each request."""

import structlog
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject, empty
from django_structlog.middlewares import RequestMiddleware

from config.proxies import client_address


class RequestLog(RequestMiddleware):
    """django-structlog's, which asks who the user is before it writes about an error.

    When it is the database that is away, asking raises once more, in the middle of Django's
    handling of the first error, and nobody gets as much as an error page. Whoever has been looked
    up by then is named; nobody is looked up for the log.
    """

    @classmethod
    def bind_ip(cls, request: HttpRequest) -> None:
        """The address that limits go by, and nothing that a header says."""
        structlog.contextvars.bind_contextvars(ip=client_address(request))

    @staticmethod
    def bind_user_id(request: HttpRequest) -> None:
        user = getattr(request, "user", None)
        if isinstance(user, SimpleLazyObject) and user._wrapped is empty:  # noqa: SLF001
            return
        if (user_id := getattr(user, "pk", None)) is not None:
            structlog.contextvars.bind_contextvars(user_id=user_id)
