"""The document says who may do what, and this is what happens."""

from pathlib import Path
from typing import Any

import pytest

from entries.models import Source
from retry import audit
from tests.admin.walking import addresses, populate
from tests.api import walking
from tests.factories.entries import SourceFactory
from tests.support.asking import SCRIPT
from tests.walk import acts, page, traces
from tests.walk.traces import Trace
from tests.walk.visits import GROUP, visit_admin, visit_api
from tests.walk.words import DONE, UNCHANGED, Visit

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.xdist_group(GROUP),
    pytest.mark.timeout(1200),
]
SUPERUSER = "superuser"


def test_the_page_says_what_happens() -> None:
    """All but hidden sources, which have a test of their own."""
    assert page.read_block().startswith(page.draw(page.tables())), f"run: {page.COMMAND}"


def test_each_act_at_the_admin_is_done_for_a_superuser() -> None:
    """Else a column of refusals would say nothing."""
    walked = visit_admin(SUPERUSER)
    assert {step.address.pattern for step, _ in walked} == {
        address.pattern for address in addresses(populate())
    }
    expected = acts.FORMS.keys() | acts.BEFORE.keys()
    tried = [visit for _, visit in walked if visit.act or visit.name in expected]
    assert {visit.act or visit.name for visit in tried} >= expected
    undone = [visit for visit in tried if visit.method == "POST" and visit.word != DONE]
    # The page that it leads to does something, and is an address of its own.
    assert {(visit.act or visit.name, visit.word) for visit in undone} == {
        ("repair_selected", UNCHANGED)
    }


def test_each_call_that_acts_does_for_a_superuser() -> None:
    walked = [visit for _, visit in visit_api()[SUPERUSER]]
    assert {visit.name for visit in walked} == set(walking.patterns())
    acting = walking.BODIES.keys() | walking.ALSO_WRITTEN.keys()
    done = {visit.name for visit in walked if visit.method == "POST" and visit.word == DONE}
    assert done == acting


def test_only_what_differs_in_the_end_is_a_trace() -> None:
    """Rows that are counted as written need not be others than before."""
    source = SourceFactory.create()
    with traces.undone():
        since = traces.observed()
        assert since() == Trace((), refused=False, empty=False)
        Source.objects.update(name=source.name)
        with traces.undone():
            Source.objects.all().delete()
        assert since().changed == ()
        Source.objects.update(name="another")
        audit.record(audit.REFUSED, actor=SCRIPT, count=1)
        assert since() == Trace(("entries.Source",), refused=True, empty=False)


def _visit(**fields: Any) -> Visit:
    trace = Trace(fields.get("changed", ()), refused=fields.get("refused", False), empty=False)
    method, status = fields.get("method", "POST"), fields.get("status", 200)
    return Visit("name", method, "", status, "", trace)


def test_an_address_that_the_page_does_not_have_is_missed(tmp_path: Path) -> None:
    table = page.Table(["anonymous"])
    table.add((0, ""), "`one/`", _visit())
    copy = tmp_path / "permissions.md"
    copy.write_text(page.PAGE.read_text())
    page.write({"Acts": table}, copy)
    text = copy.read_text()
    assert text == page.page(text, {"Acts": table})
    table.add((0, ""), "`another/`", _visit())
    assert text != page.page(text, {"Acts": table})
    copy.write_text("no markers")
    with pytest.raises(ValueError, match="markers"):
        page.write({}, copy)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"status": 500}, "no answer for anybody"),
        ({"method": "GET", "changed": ("entries.Entry",)}, "looking has changed"),
        ({"status": 403, "refused": True, "changed": ("entries.Entry",)}, "all the same"),
        ({"status": 403}, "no note of it"),
        ({"status": 200, "refused": True, "changed": ("entries.Entry",)}, "all the same"),
    ],
)
def test_what_must_never_be_has_no_word(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        assert _visit(**wrong).word
