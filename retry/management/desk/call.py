"""Calls a view of the API within this process, and reads its answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest

from retry.api.http.resource import as_problem
from retry.management.desk.verbs import Verb
from retry.outcomes import Actor

#: Exit codes by the status of a refusal; everything else is 1.
BAD_REQUEST, NOT_NOW = 2, 3
_EXIT_CODES = {400: BAD_REQUEST, 404: BAD_REQUEST, 413: BAD_REQUEST, 422: BAD_REQUEST, 503: NOT_NOW}


class Refused(Exception):
    """The API refused. ``answer`` is its problem, with a stable ``code``."""

    def __init__(self, status: int, answer: Mapping[str, Any]) -> None:
        self.answer = answer
        self.exit_code = _EXIT_CODES.get(status, 1)
        mistakes = "".join(
            f"\n  {each['field']}: {each['message']}" for each in answer.get("errors", ())
        )
        words = answer.get("detail") or answer.get("title", "")
        super().__init__(f"{words}{mistakes}")


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls with the rights of ``actor``."""

    actor: Actor

    def call(
        self,
        verb: Verb,
        path: Mapping[str, Any],
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the answer. Raises ``Refused``."""
        request = _make_request(verb, path, query=query or {}, body=body)
        try:
            if verb.method.needs:
                self.actor.require(verb.method.needs)
            response = verb.method.view(request, self.actor, **path)
        except Exception as error:  # noqa: BLE001 - the API has words for every error
            response = as_problem(error).response()
        answer: dict[str, Any] = json.loads(response.content)
        if response.status_code >= 400:
            raise Refused(response.status_code, answer)
        return answer


def _make_request(
    verb: Verb, path: Mapping[str, Any], *, query: Mapping[str, str], body: Mapping[str, Any] | None
) -> HttpRequest:
    data = b"" if body is None else json.dumps(body).encode()
    return WSGIRequest(
        {
            "REQUEST_METHOD": verb.http.upper(),
            "PATH_INFO": f"{settings.REDRIVE_API_PATH}/{verb.fill(path)}",
            "QUERY_STRING": urlencode(query),
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "CONTENT_TYPE": "application/json" if body is not None else "",
            "CONTENT_LENGTH": str(len(data)),
            "wsgi.input": BytesIO(data),
            "wsgi.url_scheme": "https",
        }
    )
