"""Builds the document."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from openapi_pydantic.v3.v3_1 import (
    Components,
    Header,
    Info,
    MediaType,
    OpenAPI,
    Operation,
    Parameter,
    ParameterLocation,
    PathItem,
    Reference,
    RequestBody,
    Response,
    Schema,
    SecurityScheme,
    Server,
)
from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import models_json_schema

from entries.payload_match import MAX_PATHS
from retry.api.http.progress import WaitQuery
from retry.api.http.routes import Method, Model
from retry.api.urls import ROUTES
from tools.openapi.examples import BODIES, QUERIES, WITH_KEY

ROOT = Path(__file__).resolve().parents[2]
#: Where it is committed, and served from.
PLACE = ROOT / "retry" / "api" / "openapi" / "openapi.json"
_TEMPLATE = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"<(\w+):(\w+)>")
_CONVERTERS: Mapping[str, dict[str, Any]] = {
    "int": {"type": "integer", "minimum": 0},
    "uuid": {"type": "string", "format": "uuid"},
    "slug": {"type": "string", "pattern": "^[-a-zA-Z0-9_]+$"},
}
_Mode = Literal["validation", "serialization"]


class Mistake(BaseModel):
    """What is wrong, and where: ``entries.3.payload``."""

    field: str
    message: str


class Problem(BaseModel):
    """RFC 9457. ``code`` is stable: compare it. Some codes have more members, such as
    ``current_status`` of an entry, and ``known`` names instead of an unknown one.
    """

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[Mistake] = []


def build() -> dict[str, Any]:
    """Return the document of all routes, JSON-safe."""
    schemas = _Schemas()
    paths = {
        build_path(address): PathItem(
            **{
                verb: _build_operation(name, address, method, schemas)
                for verb, method in methods.items()
            }
        )
        for address, name, methods in list_addresses()
    }
    problem = schemas.refer(Problem, "serialization")
    document = OpenAPI(
        openapi="3.1.1",
        info=Info(title="Redrive", version="1", description=_DESCRIPTION),
        servers=[Server(url="/admin/api")],
        security=[{"token": []}],
        paths=paths,
        components=Components(
            schemas=schemas.build(),
            responses=_build_refusals(problem),
            securitySchemes={"token": SecurityScheme(type="http", scheme="bearer")},
        ),
    )
    built: dict[str, Any] = document.model_dump(mode="json", by_alias=True, exclude_unset=True)
    _write_markdown(built)
    return built


def _write_markdown(part: Any) -> None:
    """Descriptions are Markdown; those of types are docstrings."""
    if isinstance(part, list):
        for each in part:
            _write_markdown(each)
    elif isinstance(part, dict):
        for name, value in part.items():
            if name == "description" and isinstance(value, str):
                part[name] = value.replace("``", "`")
            else:
                _write_markdown(value)


def build_path(address: str) -> str:
    """Return an address as the document has it: ``/entries/{entry_id}``."""
    return "/" + _PARAMETER.sub(r"{\2}", address)


def list_addresses() -> Iterator[tuple[str, str, Mapping[str, Method]]]:
    """Yield each address with its name and methods, in the order of the routes."""
    for routes in ROUTES:
        names = {str(pattern.pattern): str(pattern.name) for pattern in routes.urls}
        for address, methods in routes.methods.items():
            yield address, names[address], methods


class _Schemas:
    """The types that are referred to, each as it is read or as it is written."""

    def __init__(self) -> None:
        self._wanted: dict[tuple[Model, _Mode], None] = {(Problem, "serialization"): None}
        self._of_queries: dict[str, Any] = {}

    def refer(self, model: Model, mode: _Mode) -> Reference:
        self._wanted[model, mode] = None
        return Reference.model_validate({"$ref": _TEMPLATE.format(model=model.__name__)})

    def read_properties(self, query: Model) -> Mapping[str, Mapping[str, Any]]:
        found = query.model_json_schema(ref_template=_TEMPLATE)
        self._of_queries |= found.get("$defs", {})
        properties: Mapping[str, Mapping[str, Any]] = found["properties"]
        return properties

    def build(self) -> dict[str, Schema]:
        by_name = {(model.__module__, model.__name__) for model, _ in self._wanted}
        names = [name for _, name in by_name]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"two types have one name: {sorted(twice)}")
        _, found = models_json_schema(list(self._wanted), ref_template=_TEMPLATE)
        schemas = self._of_queries | found["$defs"]
        return {name: Schema.model_validate(schema) for name, schema in sorted(schemas.items())}


def _find_tag(address: str) -> str:
    first = address.partition("/")[0]
    return "retry" if first in {"resync", "discard", "restore", "repair"} else first


def _build_operation(name: str, address: str, method: Method, schemas: _Schemas) -> Operation:
    doc = (method.view.__doc__ or "").strip()
    given: dict[str, Any] = {
        "operationId": method.view.__name__,
        "summary": method.view.__name__.replace("_", " ").capitalize(),
        "tags": [_find_tag(address)],
        "parameters": list(_list_parameters(name, address, method, schemas)),
        "responses": _build_answers(method, schemas),
    }
    needs = f"Needs the permission `{method.needs}`." if method.needs else ""
    if description := " ".join(filter(None, [needs, doc])):
        given["description"] = description
    if method.body is not None:
        media = MediaType(
            schema=schemas.refer(method.body, "validation"), example=dict(BODIES[name])
        )
        given["requestBody"] = RequestBody(required=True, content={"application/json": media})
    return Operation(**given)


def _list_parameters(
    name: str, address: str, method: Method, schemas: _Schemas
) -> Iterator[Parameter]:
    for converter, parameter in _PARAMETER.findall(address):
        schema = _CONVERTERS[converter]
        yield _build_parameter(parameter, ParameterLocation.PATH, schema, required=True)
    if method.query is not None:
        examples = QUERIES.get(name, {})
        for parameter, found in schemas.read_properties(method.query).items():
            if parameter == "payload":
                yield _PAYLOAD
                continue
            more = {"example": examples[parameter]} if parameter in examples else {}
            yield _build_parameter(parameter, ParameterLocation.QUERY, _strip(found), **more)
    if method.query is WaitQuery:
        tag = {"type": "string", "description": "an ETag; with it, 304 where nothing has changed"}
        yield _build_parameter("If-None-Match", ParameterLocation.HEADER, tag)
    if name in WITH_KEY:
        key = {"type": "string", "pattern": "^[!-~]{1,100}$", "maxLength": 100}
        yield _build_parameter("Idempotency-Key", ParameterLocation.HEADER, key)


def _build_parameter(
    name: str, place: ParameterLocation, schema: Mapping[str, Any], **more: Any
) -> Parameter:
    given = {"name": name, "in": place, "schema": Schema.model_validate(schema), **more}
    return Parameter.model_validate(given)


def _strip(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out null, which no parameter can be, and what says nothing."""
    found = {name: value for name, value in schema.items() if name not in {"title", "default"}}
    choices = [choice for choice in found.pop("anyOf", []) if choice.get("type") != "null"]
    if len(choices) == 1:
        return {**found, **choices[0]}
    return {**found, "anyOf": choices} if choices else found


def _build_answers(method: Method, schemas: _Schemas) -> dict[str, Response | Reference]:
    answers: dict[str, Response | Reference] = {}
    waits = method.query is WaitQuery
    if not method.answers:
        anything = {"application/json": MediaType(schema=Schema())}
        answers["200"] = Response(description=_WORDS[200], content=anything)
    for status, models in sorted(method.answers.items()):
        refs = [schemas.refer(model, "serialization") for model in models]
        schema = refs[0] if len(refs) == 1 else Schema(anyOf=refs)
        given: dict[str, Any] = {"content": {"application/json": MediaType(schema=schema)}}
        names = ("ETag", "Retry-After") if waits else ("Location",) if status in {201, 202} else ()
        if names:
            given["headers"] = {each: _build_header(each) for each in names}
        answers[str(status)] = Response(description=_WORDS[status], **given)
    if waits:
        headers = {each: _build_header(each) for each in ("ETag", "Retry-After")}
        answers["304"] = Response(description="You have it already.", headers=headers)
    for code, name in _REFUSALS.items():
        answers[code] = Reference.model_validate({"$ref": f"#/components/responses/{name}"})
    return answers


def _build_refusals(problem: Reference) -> dict[str, Response | Reference]:
    """Return the problems that all calls have in common."""
    content = {"application/problem+json": MediaType(schema=problem)}
    later = {"Retry-After": _build_header("Retry-After")}
    return {
        "TooMany": Response(description="Too much for now.", headers=later, content=content),
        "Busy": Response(description="Not possible now.", headers=later, content=content),
        "Refused": Response(description="A problem.", content=content),
    }


def _build_header(name: str) -> Header:
    return Header.model_validate(_HEADERS[name])


_DESCRIPTION = """Retries failed background work.

Times have a time zone. Lists are read page by page: send `next_cursor` as `cursor` until it is
null. Addresses in answers, such as `progress_url`, append to that of the server. Each answer has an
`X-Request-ID`."""
#: An address has a parameter for each path, so what the document calls ``payload`` has all of them.
_PAYLOAD = Parameter.model_validate(
    {
        "name": "payload",
        "in": "query",
        "style": "form",
        "explode": True,
        "description": (
            "values in the payload, a parameter for each path: payload.customer=17. A value is "
            "text as it is, or JSON: 17 is the number and the text, [17] the number alone"
        ),
        "schema": {
            "type": "object",
            "patternProperties": {r"^payload(\.[^.]+)+$": {"type": "string", "minLength": 1}},
            "additionalProperties": False,
            "maxProperties": MAX_PATHS,
        },
    }
)
_WORDS = {200: "Done.", 201: "Created.", 202: "Accepted."}
#: By status, the answers of all calls.
_REFUSALS = {"429": "TooMany", "503": "Busy", "default": "Refused"}
_HEADERS: Mapping[str, Mapping[str, Any]] = {
    "ETag": {"required": True, "schema": {"type": "string"}, "description": "of the answer"},
    "Location": {
        "schema": {"type": "string"},
        "description": "its address, as a path; where there are several, the body has them",
    },
    "Retry-After": {
        "schema": {"type": "integer", "minimum": 0},
        "description": (
            "seconds until it is worth asking again; missing where nothing happens by itself: it "
            "has ended, is paused or awaits approval"
        ),
    },
}
