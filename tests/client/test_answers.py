"""The client's shapes are those of the API."""

from typing import get_type_hints

import pytest
from pydantic import BaseModel

from redrive_client import answers
from retry.api.entries.schemas import EntryDetail, EntrySummary, RetryResponse, SubmitResponse
from retry.api.errors.schemas import ErrorSummary
from retry.api.holds.schemas import HoldResponse
from retry.api.operations.responses import (
    BulkPreviewResponse,
    BulkProgressResponse,
    BulkRetryResponse,
    ItemResponse,
    OperationSummary,
)
from retry.api.runs.schemas import RunDetail
from retry.api.subscriptions.schemas import SubscriptionResponse
from retry.api.syncs.schemas import SyncResponse, SyncSummary

PAIRS: dict[type, type[BaseModel]] = {
    answers.Operation: BulkProgressResponse,
    answers.OperationSummary: OperationSummary,
    answers.Preview: BulkPreviewResponse,
    answers.Started: BulkRetryResponse,
    answers.Item: ItemResponse,
    answers.Run: RunDetail,
    answers.Queued: RetryResponse,
    answers.Submitted: SubmitResponse,
    answers.SyncQueued: SyncResponse,
    answers.Sync: SyncSummary,
    answers.EntrySummary: EntrySummary,
    answers.Entry: EntryDetail,
    answers.Hold: HoldResponse,
    answers.ErrorGroup: ErrorSummary,
    answers.Subscription: SubscriptionResponse,
}


@pytest.mark.parametrize("shape", PAIRS, ids=lambda shape: shape.__name__)
def test_a_shape_has_what_the_api_answers(shape: type) -> None:
    declared = set(get_type_hints(shape))
    assert declared == set(PAIRS[shape].model_fields)
