"""A part of a page that keeps itself up to date. Its template: ``entries/polling.html``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.http import urlencode


@dataclass(frozen=True, slots=True)
class LiveFragment:
    """What the browser fetches again from ``url`` every ``seconds``, while it is ``active``.

    ``version`` differs whenever the fragment does. The part before its first "." is the stage:
    when that changes, other parts of the page have to change, too. An empty version always differs.
    """

    url: str
    version: str
    active: bool
    seconds: int = 1

    @property
    def address(self) -> str:
        """``url`` with the version that the browser shows."""
        if not self.version:
            return self.url
        mark = "&" if "?" in self.url else "?"
        return f"{self.url}{mark}{urlencode({'seen': self.version})}"

    def is_current(self, request: HttpRequest) -> bool:
        """Whether the browser shows this version already."""
        return self.active and bool(self.version) and request.GET.get("seen") == self.version

    def has_moved(self, request: HttpRequest) -> bool:
        """Whether the stage is another than the one the browser shows, or nothing follows it."""
        seen = request.GET.get("seen", "")
        return not self.active or _stage(seen) != _stage(self.version)


def _stage(version: str) -> str:
    return version.partition(".")[0]


def respond(
    request: HttpRequest, live: LiveFragment, template: str, context: Mapping[str, Any]
) -> HttpResponse:
    """Render the fragment, or answer 204 where the browser shows it already."""
    if live.is_current(request):
        return HttpResponse(status=204)
    return TemplateResponse(request, template, dict(context) | {"live": live})
