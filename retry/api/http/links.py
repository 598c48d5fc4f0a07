"""Addresses in answers.

In a body they append to the base that the caller uses, whatever stands before it at a proxy:
``operations/6f0c…``. ``Location`` is a path, as HTTP has it.
"""

from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from pydantic import BaseModel

from retry.api.http.resource import answer

_BASE = "/admin/api/"


def append(name: str, *values: UUID | int | str) -> str:
    """Return the address ``name`` as it appends to the base of the API."""
    return _build_path(name, *values).rpartition(_BASE)[2]


def answer_location(
    model: BaseModel, name: str, *values: UUID | int | str, status: int = 202
) -> HttpResponse:
    """Answer with what was created, or accepted to be done, and say in ``Location`` where it is."""
    response = answer(model, status=status)
    response.headers["Location"] = _build_path(name, *values)
    return response


def _build_path(name: str, *values: UUID | int | str) -> str:
    return reverse(f"api:{name}", args=values)
