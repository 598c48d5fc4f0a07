from typing import TYPE_CHECKING

import pytest

from tests.api.calls import Caller

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@pytest.fixture
def api(operator: "User") -> Caller:
    """A session of staff who may see and retry entries."""
    return Caller(operator)


@pytest.fixture
def anonymous(db: None) -> Caller:
    return Caller()
