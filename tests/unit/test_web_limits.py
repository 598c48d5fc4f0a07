"""What a client may send, by its address alone."""

import time

import time_machine
from django.conf import settings

from config.web.limits import FORM_BYTES, Budget, body_limit
from entries import upload_pass


def test_forms_are_small_and_the_api_takes_what_its_largest_call_may_have() -> None:
    assert body_limit("/admin/login/", "").most_bytes == FORM_BYTES
    assert body_limit("/admin/api/entries", "").most_bytes == settings.REDRIVE_SUBMIT_MAX_BYTES + 1
    assert body_limit("/admin/apis", "").most_bytes == FORM_BYTES


def test_a_signed_upload_may_be_as_large_as_the_setting_says() -> None:
    limit = body_limit("/admin/entries/source/add/", f"a=b&upload={upload_pass.sign(7)}")
    assert limit.signed
    assert limit.most_bytes == settings.REDRIVE_UPLOAD_MAX_BYTES + FORM_BYTES


def test_a_forged_or_old_signature_is_none() -> None:
    made = upload_pass.sign(7)
    for value in ("", "7", made[:-1], made.replace("7", "8", 1), "a:b:c", "%00", "é"):
        assert not body_limit("/x", f"upload={value}").signed, value
    with time_machine.travel(time.time() + upload_pass.VALID_SECONDS + 1, tick=False):
        assert not body_limit("/x", f"upload={made}").signed


def test_a_query_of_any_shape_is_refused_at_the_most() -> None:
    many = "&".join(f"a{n}=1" for n in range(100))
    assert body_limit("/x", many).most_bytes == FORM_BYTES
    assert body_limit("/x", f"{many}&upload=x").most_bytes == FORM_BYTES


def test_a_budget_is_shared_and_given_back() -> None:
    budget = Budget(10)
    assert budget.take(7)
    assert not budget.take(4)
    budget.give_back(7)
    assert budget.take(10)
