"""``docs/api.md`` names what there is, and nothing that there is not."""

import re

from retry.api import urls
from retry.api.entries import schemas as entry_schemas
from retry.api.holds import schemas as hold_schemas
from retry.api.http import filters
from retry.api.http.problems import TITLES
from retry.api.operations import requests, responses
from retry.api.runs import schemas as run_schemas
from retry.api.status import schemas as status_schemas
from retry.api.syncs import schemas as sync_schemas
from tests.laws.tree import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text()
#: Codes of the domain that no call of the API can lead to.
ELSEWHERE = {
    # Reasons beside an item that was left alone, which is no error.
    "discarded",
    "other_kind",
    "unchanged",
    "forbidden",
    "not_discardable",
    "not_discarded",
    # Tokens are of the admin alone.
    "token_not_found",
    "token_refused",
    "not_pending",
    "queue_unavailable",
    # Requests are held against these limits before the domain sees them.
    "too_many_entries",
    "source_error",
    "unknown_source_kind",
}


def rows(section: str) -> list[list[str]]:
    text = PAGE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return [[c.strip() for c in ln.strip("|").split("|")] for ln in text.splitlines() if "|" in ln]


def _name(found: re.Match[str]) -> str:
    return "<slug>" if found[1] == "slug" else "<id>"


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def test_every_code_has_its_row() -> None:
    listed = [code for row in rows("Errors") if row[0].isdigit() for code in quoted(row[1])]
    assert len(listed) == len(set(listed))
    assert set(listed) == TITLES.keys() - ELSEWHERE
    assert TITLES.keys() > ELSEWHERE


def test_every_call_has_its_permission() -> None:
    named = {call.split()[1] for row in rows("Who may call")[2:] for call in quoted(row[0])}
    there = {
        re.sub(r"<\w+:(\w+)>", _name, str(pattern.pattern))
        for pattern in urls.urlpatterns
        if pattern.name != "nothing"
    }
    assert named == there


def test_every_parameter_is_explained() -> None:
    named = {name for row in rows("List entries")[2:] for name in quoted(row[0])}
    assert named == set(filters.FilterQuery.model_fields)


def test_every_member_is_shown() -> None:
    for model in (
        entry_schemas.RetryResponse,
        entry_schemas.EntrySummary,
        entry_schemas.EntryDetail,
        entry_schemas.AttemptDetail,
        status_schemas.StatusResponse,
        status_schemas.DispatcherStatus,
        status_schemas.WorkerStatus,
        hold_schemas.HoldRequest,
        hold_schemas.HoldQuery,
        hold_schemas.HoldResponse,
        entry_schemas.SubmitRequest,
        entry_schemas.SubmitItem,
        entry_schemas.SubmitResponse,
        entry_schemas.SubmitResult,
        requests.BulkRetryRequest,
        requests.ResyncRequest,
        filters.FilterRequest,
        responses.BulkRetryResponse,
        responses.BulkProgressResponse,
        responses.ItemResponse,
        run_schemas.RunDetail,
        sync_schemas.SyncRequest,
        sync_schemas.SyncResponse,
        sync_schemas.SyncDetail,
    ):
        for name in model.model_fields:
            assert re.search(rf"[\"`]{name}[\"`]", PAGE), f"{model.__name__}.{name}"
