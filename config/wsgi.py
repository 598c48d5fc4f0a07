import gc
import os
from typing import TYPE_CHECKING

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http.response import HttpResponseBase
from django.urls import get_resolver
from django.utils.http import parse_header_parameters

from config.web.proxies import Proxies

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class Handler(WSGIHandler):
    """Ignore the charset of a request: everything here is UTF-8.

    Django would decode the query string by it while it builds the request. What that raises (an
    unknown codec, too many parameters) comes before any middleware that could answer.
    """

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> HttpResponseBase:
        proxies.resolve_client(environ)
        environ["CONTENT_TYPE"] = _without_charset(environ.get("CONTENT_TYPE", ""))
        return super().__call__(environ, start_response)


def _without_charset(content_type: str) -> str:
    try:
        kind, parameters = parse_header_parameters(content_type)
    except ValueError:
        return ""
    if "charset" not in parameters:
        return content_type
    boundary = parameters.get("boundary")
    return f'{kind}; boundary="{boundary}"' if boundary else kind


# As in manage.py: nothing that is imported now is ever garbage.
gc.disable()
django.setup(set_prefix=False)
get_resolver().url_patterns  # noqa: B018 - imports the pages, or the first request would wait for it
gc.freeze()
gc.enable()
proxies = Proxies(settings.REDRIVE_TRUSTED_PROXIES)
application = Handler()
