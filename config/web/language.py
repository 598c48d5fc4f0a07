"""The language of a page: what its reader chose, else what the browser asks for."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header

from retry.api.http.problems import under_api


class LanguageMiddleware:
    """Render pages in the reader's language; everything else of the process stays English.

    Unlike Django's own it ends with the request, leaves the API alone, and has a default that is
    not the language of workers, logs and stored texts.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if under_api(request):
            return self.get_response(request)
        language = choose_language(request)
        with translation.override(language):
            response = self.get_response(request)
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        response.headers.setdefault("Content-Language", language)
        return response


def choose_language(request: HttpRequest) -> str:
    """Return the language of the cookie, of the browser, or the default, in this order."""
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    wanted = request.headers.get("Accept-Language", "")
    names = [chosen, *(name for name, _ in parse_accept_lang_header(wanted.lower()))]
    return next(
        (found for name in names if (found := find_language(name))), settings.REDRIVE_LANGUAGE
    )


def find_language(name: str) -> str | None:
    try:
        return translation.get_supported_language_variant(name)
    except LookupError:
        return None
