"""The OpenAPI document as rows of a page."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from retry.api.openapi.views import read_document

_METHODS = ("get", "post")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of words; ``name`` of a type is a link to it, and ``code`` stands in the code."""

    text: str
    name: str = ""
    code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A parameter, or a member of an object."""

    name: str
    parts: Sequence[Part]
    required: bool
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: str
    words: str
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """``example``: a body as JSON; empty where none is sent."""

    id: str
    method: str
    path: str
    summary: str
    description: Sequence[Part]
    parameters: Sequence[Member]
    body: Sequence[Part]
    example: str
    answers: Sequence[Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    name: str
    calls: Sequence[Call]


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """``choices``: the values of what is no object."""

    name: str
    description: Sequence[Part]
    members: Sequence[Member]
    choices: str


@cache
def read_groups() -> Sequence[Group]:
    """Read the calls by the first part of their path, in the order of the document."""
    groups: dict[str, list[Call]] = {}
    for path, item in _read()["paths"].items():
        for method in _METHODS:
            if method in item:
                call = _build_call(path, method, item[method])
                groups.setdefault(item[method]["tags"][0], []).append(call)
    return [Group(name=name, calls=calls) for name, calls in groups.items()]


@cache
def read_types() -> Sequence[Type]:
    return [_build_type(name, s) for name, s in _read()["components"]["schemas"].items()]


@cache
def _read() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(read_document())
    return document


def _build_call(path: str, method: str, operation: Mapping[str, Any]) -> Call:
    sent = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    example = sent.get("example")
    return Call(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        description=_split_code(operation.get("description", "")),
        parameters=[
            Member(
                name=each["name"],
                parts=list(_describe(each["schema"])),
                required=each.get("required", False),
                place=each["in"],
            )
            for each in operation["parameters"]
        ],
        body=list(_describe(sent["schema"])) if sent else [],
        example="" if example is None else json.dumps(example, indent=2, ensure_ascii=False),
        answers=[_build_answer(*pair) for pair in operation["responses"].items()],
    )


def _build_answer(status: str, response: Mapping[str, Any]) -> Answer:
    if "$ref" in response:  # what many calls have in common
        response = _read()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    media: Mapping[str, Any] = next(iter(response.get("content", {}).values()), {})
    parts = list(_describe(media["schema"])) if media.get("schema") else []
    return Answer(status=status, words=response["description"], parts=parts)


def _build_type(name: str, schema: Mapping[str, Any]) -> Type:
    # What is answered is always there; only in what is sent something may be left out.
    required = schema.get("required", ()) if schema.get("additionalProperties") is False else ()
    return Type(
        name=name,
        description=_split_code(schema.get("description", "")),
        members=[
            Member(name=member, parts=list(_describe(each)), required=member in required)
            for member, each in schema.get("properties", {}).items()
        ],
        choices=", ".join(map(str, schema.get("enum", ()))),
    )


def _split_code(markdown: str) -> Sequence[Part]:
    pieces = markdown.split("`")
    return [Part(text, code=number % 2 == 1) for number, text in enumerate(pieces) if text]


def _describe(schema: Mapping[str, Any]) -> Iterator[Part]:
    """Describe a type in parts, such as ``list of``, a link, ``or null``."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield Part(name, name)
    elif "anyOf" in schema:
        for number, choice in enumerate(schema["anyOf"]):
            if number:
                yield Part(" or ")
            yield from _describe(choice)
    elif schema.get("type") == "array":
        yield Part("list of ")
        yield from _describe(schema.get("items", {}))
    elif "enum" in schema:
        yield Part(", ".join(json.dumps(value) for value in schema["enum"]))
    else:
        yield Part(_describe_single(schema))


def _describe_single(schema: Mapping[str, Any]) -> str:
    words = str(schema.get("format", "") or schema.get("type", "") or "anything")
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"{words}, {low:g} to {high:g}"
    longest = schema.get("maxLength")
    return f"{words}, at most {longest} characters" if longest else words
