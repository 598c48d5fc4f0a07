"""Messages about what is wrong with the address of a list."""

from django.contrib import messages
from django.http import HttpRequest

_REPORTED, _SILENT = "redrive.reported", "redrive.silent"


def report_once(request: HttpRequest, text: str) -> None:
    """Add an error to the page that this request answers with, once.

    Nothing for a request that answers with no page, or leads back to the list: the message would
    wait and stand on a later page.
    """
    if request.method != "GET" or _SILENT in request.META:
        return
    reported: set[str] = request.META.setdefault(_REPORTED, set())
    if text not in reported:
        reported.add(text)
        messages.error(request, text)


def keep_silent(request: HttpRequest) -> None:
    """Say that this request answers with no page."""
    request.META[_SILENT] = True
