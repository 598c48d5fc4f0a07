"""The filter of entries in a query string and in a body, made from ``entries.filters.CRITERIA``."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    WithJsonSchema,
    create_model,
    model_validator,
)

from entries import payload_match
from entries.criteria import Exclusion, Ids, Moment, Payload, Span, Text
from entries.filters import CRITERIA, VALUE_TYPES, EntryFilter
from entries.moments import SPAN_PATTERN
from retry.api.http import schemas
from retry.api.http.schemas import STORABLE, PageQuery, Request

_Path = Annotated[str, AfterValidator(payload_match.check_path)]


class _FilterQuery(PageQuery):
    @model_validator(mode="before")
    @classmethod
    def _collect_payload(cls, data: Any) -> Any:
        """An address has a parameter for each path, and none with the name of the field."""
        plain, paths = payload_match.split_parameters(data)
        return plain | {"payload": paths} if paths else plain

    def as_filter(self) -> EntryFilter:
        return EntryFilter(**self.model_dump(exclude={"cursor", "limit"}))


class _FilterRequest(Request):
    """All that is given must hold; ``{"all": true}`` means every entry, less what is left out."""

    all: bool = False

    @model_validator(mode="after")
    def _check_all_alone(self) -> Self:
        if self.all and self.model_fields_set - {"all", "exclude_fingerprints"}:
            raise ValueError('"all" means every entry; leave the other fields out')
        return self

    def as_filter(self) -> EntryFilter:
        return EntryFilter(**self.model_dump())


def _accept(value: Any) -> Any:
    return value


def _refuse_text(value: Any) -> Any:
    """A body has a list where an address has commas."""
    if isinstance(value, str):
        raise ValueError("must be a list")  # noqa: TRY004 - pydantic wants it
    return value


def _annotate(name: str, *, parse: Callable[[Any], Any]) -> Any:
    """Empty texts are refused: a script whose variable is unset must not get every entry.

    ``parse``: a value in the payload, which an address has as text and a body as JSON.
    """
    criterion = CRITERIA[name]
    if isinstance(criterion, Payload):
        values = Annotated[Any, PlainValidator(parse)]
        return (
            Annotated[
                dict[_Path, values],
                BeforeValidator(payload_match.check_object),
                AfterValidator(payload_match.check_count),
            ]
            | None
        )
    if isinstance(criterion, Exclusion | Ids):
        in_body = parse is payload_match.parse_value
        check = BeforeValidator(_refuse_text if in_body else _accept)
        several = _describe_several(criterion, in_body=in_body)
        return Annotated[Any, PlainValidator(criterion.parse), check, several] | None
    if isinstance(criterion, Moment):
        return schemas.Moment | None
    if isinstance(criterion, Span):
        pattern = Field(json_schema_extra={"pattern": SPAN_PATTERN})
        return Annotated[str, AfterValidator(criterion.parse), pattern] | None
    if isinstance(criterion, Text):
        bounds = Field(min_length=1, max_length=criterion.max_length)
        return Annotated[str, bounds, STORABLE] | None
    return VALUE_TYPES[name]


def _describe(name: str, parse: Callable[[Any], Any]) -> Any:
    """Only lists are written in another way in a body."""
    criterion = CRITERIA[name]
    listed = isinstance(criterion, Exclusion | Ids) and parse is payload_match.parse_value
    words = criterion.help.partition(", with commas")[0] if listed else criterion.help
    return Field(default=None, description=words)


def _describe_several(criterion: Exclusion | Ids, *, in_body: bool) -> WithJsonSchema:
    if not in_body:
        return WithJsonSchema({"type": "string"})
    item = {"type": "integer"} if isinstance(criterion, Ids) else {"type": "string"}
    return WithJsonSchema(
        {"type": "array", "items": item, "minItems": 1, "maxItems": criterion.max_values}
    )


if TYPE_CHECKING:

    class FilterQuery(_FilterQuery): ...

    class FilterRequest(_FilterRequest): ...

else:

    def _annotate_all(parse: Callable[[Any], Any]) -> Mapping[str, Any]:
        return {name: (_annotate(name, parse=parse), _describe(name, parse)) for name in CRITERIA}

    FilterQuery = create_model(
        "FilterQuery",
        __base__=_FilterQuery,
        __module__=__name__,
        **_annotate_all(payload_match.parse_text),
    )
    FilterRequest = create_model(
        "FilterRequest",
        __base__=_FilterRequest,
        __module__=__name__,
        **_annotate_all(payload_match.parse_value),
    )
