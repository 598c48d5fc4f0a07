"""Models and fields have their translated names without a migration."""

import io

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.models import Model
from django.utils import translation
from django.utils.functional import Promise

NAMED = [m for m in apps.get_models() if m._meta.app_label in {"entries", "retry"}]


@pytest.mark.parametrize("model", NAMED, ids=lambda model: model.__name__)
def test_every_name_is_the_one_that_django_derives(model: type[Model]) -> None:
    with translation.override(None):
        for field in model._meta.fields:
            if isinstance(field.verbose_name, Promise) and field._verbose_name is None:  # type: ignore[attr-defined]
                assert str(field.verbose_name) == field.name.replace("_", " ")


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True, stdout=io.StringIO())
