from typing import TYPE_CHECKING

import pytest

from tests.api.calls import Caller
from tests.conftest import grant

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@pytest.fixture
def api(operator: "User") -> Caller:
    """A session of staff who may do all there is to do."""
    more = (
        "entries.discard_entry",
        "entries.submit_entry",
        "retry.view_operation",
        "retry.view_run",
        "retry.view_hold",
        "retry.manage_hold",
        "retry.approve_operation",
        "entries.change_entry",
        "retry.view_errorgroup",
        "retry.manage_errorgroup",
        "retry.view_auditevent",
        "retry.share_savedview",
        "retry.subscribe_all",
    )
    return Caller(grant(operator, *more))


@pytest.fixture
def anonymous(db: None) -> Caller:
    return Caller()
