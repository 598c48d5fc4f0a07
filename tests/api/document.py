"""The committed document, and answers held against it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import HttpResponse
from jsonschema import Draft202012Validator

from retry.api.openapi.views import read_document

#: Methods that the document has.
METHODS = ("get", "post")


@dataclass(frozen=True, slots=True)
class Call:
    path: str
    method: str
    operation: Mapping[str, Any]


@cache
def read() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(read_document())
    return document


def list_calls() -> Iterator[Call]:
    for path, item in read()["paths"].items():
        for method in METHODS:
            if method in item:
                yield Call(path, method, item[method])


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    # What has no parameter first: retry/bulk is no entry.
    paths = sorted(read()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), path) for path in paths]


@cache
def _validator(schema: str) -> Draft202012Validator:
    given = json.loads(schema)
    return Draft202012Validator({**given, "components": read()["components"]})


def resolve(response: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a response, also one that many calls have in common."""
    name = response.get("$ref", "").rpartition("/")[2]
    found: Mapping[str, Any] = read()["components"]["responses"][name] if name else response
    return found


def check(method: str, path: str, response: HttpResponse) -> None:
    """Raise where the document does not have this answer; of other addresses it says nothing."""
    plain = "/" + path.partition("?")[0]
    known = next((name for pattern, name in _patterns() if pattern.fullmatch(plain)), None)
    operation = read()["paths"].get(known, {}).get(method.lower())
    if operation is None or response.status_code == 204:
        return
    status = str(response.status_code)
    if response.status_code >= 400 and status not in operation["responses"]:
        status = "default"
    assert status in operation["responses"], f"{method} {known} answered {status}"
    documented = resolve(operation["responses"][status])
    for name, header in documented.get("headers", {}).items():
        assert name in response.headers or not header.get("required"), f"{known} without {name}"
    for media in documented.get("content", {}).values():
        schema = json.dumps(media["schema"], sort_keys=True)
        _validator(schema).validate(json.loads(response.content))
