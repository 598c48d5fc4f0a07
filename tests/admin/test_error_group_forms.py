"""The forms of an error group's page, as a browser sends them."""

import re
from typing import TYPE_CHECKING

import pytest

from tests.admin.browsing import Browser
from tests.conftest import grant
from tests.support.error_groups import make_group

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)

GROUPS = "/admin/retry/errorgroup/"


def test_every_form_of_its_page_leads_to_a_verb_of_the_group(operator: "User") -> None:
    names = ("retry.view_errorgroup", "retry.manage_errorgroup", "retry.view_operation")
    keeper, group = Browser(grant(operator, *names)), make_group(3)
    for query in ("", "?_changelist_filters=state%3Dopen"):
        page = keeper.read(f"{GROUPS}{group.pk}/change/{query}")
        verbs = re.findall(rf'action="{GROUPS}{group.pk}/(\w+)/(\?[^"]*)?"', page)
        assert [verb for verb, _ in verbs] == ["prove", "acknowledge", "mute", "resolve", "note"]
        assert all(answer.removeprefix("?") == query.removeprefix("?") for _, answer in verbs)
