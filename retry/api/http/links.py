"""Addresses in answers.

In a body they append to the base that the caller uses, whatever stands before it at a proxy:
``operations/6f0c…``. ``Location`` is a path, as HTTP has it. Both are written out and not made by
``reverse``, which takes longer than the rest of an answer; tests ask for what they name.
"""

from uuid import UUID

from django.http import HttpResponse
from django.urls import get_script_prefix
from pydantic import BaseModel

from retry.api.http.resource import answer


def build_run_address(run_id: UUID | None) -> str:
    return f"runs/{run_id}" if run_id else ""


def build_operation_address(operation_id: UUID) -> str:
    return f"operations/{operation_id}"


def build_sync_address(sync_id: int) -> str:
    return f"syncs/{sync_id}"


def answer_location(model: BaseModel, address: str, *, status: int = 202) -> HttpResponse:
    """Answer with what was created, or accepted to be done, and say in ``Location`` where it is.

    ``address``: as it appends to the base.
    """
    response = answer(model, status=status)
    response.headers["Location"] = f"{get_script_prefix()}admin/api/{address}"
    return response
