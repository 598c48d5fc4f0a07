"""The border: what gets in, and that nothing is bent to fit."""

import importlib
import json
import pkgutil
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from entries.filters import CRITERIA, EntryFilter
from retry import api
from retry.api.entries.schemas import RetryRequest
from retry.api.http.filters import FilterQuery, FilterRequest
from retry.api.http.schemas import MAX_ID, Query, Request

MODULES = [
    importlib.import_module(found.name)
    for found in pkgutil.walk_packages(api.__path__, f"{api.__name__}.")
]
MODELS = [
    cls
    for module in MODULES
    for cls in vars(module).values()
    if isinstance(cls, type) and issubclass(cls, BaseModel) and cls.__module__ == module.__name__
]
INSTANTS = st.integers(-62_135_510_400, 253_402_214_400).map(
    lambda second: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
)


@pytest.mark.parametrize("model", MODELS)
def test_what_comes_in_is_strict_and_closed(model: type[BaseModel]) -> None:
    config = model.model_config
    assert config["frozen"]
    if issubclass(model, Request):
        assert (config["strict"], config["extra"]) == (True, "forbid")
    if issubclass(model, Query):
        assert config["extra"] == "forbid"


@given(st.integers(1, MAX_ID), st.text(max_size=500).filter(lambda text: "\x00" not in text))
def test_any_id_and_any_reason(entry_id: int, reason: str) -> None:
    body = json.dumps({"entry_id": entry_id, "reason": reason})
    asked = RetryRequest.model_validate_json(body)
    assert (asked.entry_id, asked.reason) == (entry_id, reason)


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\ud800", "a\udfffb"])
def test_text_that_postgresql_cannot_store(text: str) -> None:
    for values in ({"q": text}, {"kind": text}, {"source": text}):
        with pytest.raises(ValidationError):
            FilterQuery.model_validate(values)
    with pytest.raises(ValidationError):
        RetryRequest(entry_id=1, reason=text)


@given(
    st.one_of(
        st.integers(max_value=0),
        st.integers(min_value=MAX_ID + 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.booleans(),
        st.none(),
        st.text(),
        st.lists(st.integers()),
    )
)
def test_nothing_else_is_an_id(value: Any) -> None:
    with pytest.raises(ValidationError):
        RetryRequest.model_validate_json(json.dumps({"entry_id": value}))


@given(INSTANTS, st.integers(-14 * 60, 14 * 60))
def test_an_instant_comes_through_in_any_zone(instant: datetime, minutes: int) -> None:
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    local = instant.replace(tzinfo=None) + timedelta(minutes=minutes)
    text = f"{local.isoformat()}{sign}{hours:02}:{rest:02}"
    query = FilterQuery.model_validate({"failed_after": text})
    assert query.as_filter().failed_after == instant


def test_a_filter_in_the_address_is_the_filter_of_a_selection() -> None:
    """What the list shows and what an operation takes must not drift apart."""
    fields = set(FilterQuery.model_fields) - {"cursor", "limit"}
    assert fields == {f for f in EntryFilter.__dataclass_fields__ if f != "all"}
    assert fields == CRITERIA.keys() == FilterRequest.model_fields.keys() - {"all"}


def test_what_is_left_out_is_a_list_in_a_body_and_a_text_in_an_address() -> None:
    body = FilterRequest.model_validate({"exclude_fingerprints": ["1-a", "1-b"]})
    query = FilterQuery.model_validate({"exclude_fingerprints": "1-a,1-b"})
    assert body.as_filter() == query.as_filter()
    with pytest.raises(ValidationError, match="must be a list"):
        FilterRequest.model_validate({"exclude_fingerprints": "1-a,1-b"})
