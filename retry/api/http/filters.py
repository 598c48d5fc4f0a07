"""The filter of entries in a query string and in a body, made from ``entries.filters.CRITERIA``."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, create_model, model_validator

from entries.filters import CRITERIA, VALUE_TYPES, EntryFilter, Moment, Text
from retry.api.http import schemas
from retry.api.http.schemas import STORABLE, PageQuery, Request


class _FilterQuery(PageQuery):
    def as_filter(self) -> EntryFilter:
        return EntryFilter(**self.model_dump(exclude={"cursor", "limit"}))


class _FilterRequest(Request):
    """All that is given must hold; ``{"all": true}`` alone means every entry."""

    all: bool = False

    @model_validator(mode="after")
    def _check_all_alone(self) -> Self:
        if self.all and self.model_fields_set != {"all"}:
            raise ValueError('"all" means every entry; leave the other fields out')
        return self

    def as_filter(self) -> EntryFilter:
        return EntryFilter(**self.model_dump())


def _annotate(name: str) -> Any:
    """Empty texts are refused: a script whose variable is unset must not get every entry."""
    criterion = CRITERIA[name]
    if isinstance(criterion, Moment):
        return schemas.Moment | None
    if isinstance(criterion, Text):
        bounds = Field(min_length=1, max_length=criterion.max_length)
        return Annotated[str, bounds, STORABLE] | None
    return VALUE_TYPES[name]


if TYPE_CHECKING:

    class FilterQuery(_FilterQuery): ...

    class FilterRequest(_FilterRequest): ...

else:
    _FIELDS: Mapping[str, Any] = {name: (_annotate(name), None) for name in CRITERIA}
    FilterQuery = create_model("FilterQuery", __base__=_FilterQuery, __module__=__name__, **_FIELDS)
    FilterRequest = create_model(
        "FilterRequest", __base__=_FilterRequest, __module__=__name__, **_FIELDS
    )
