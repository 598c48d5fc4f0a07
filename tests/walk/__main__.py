"""``python -m tests.walk`` writes who may do what into ``docs/permissions.md``."""

import logging
import os

import django

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings_test"
    django.setup()
    # What happens is in the tables.
    logging.disable(logging.CRITICAL)
    # Once there are settings and models to import with.
    from django.db import transaction
    from django.test.utils import (
        setup_databases,
        setup_test_environment,
        teardown_databases,
        teardown_test_environment,
    )

    from tests.walk.page import hidden_tables, tables, write

    setup_test_environment()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        with transaction.atomic():
            write(tables(), hidden=hidden_tables())
    finally:
        teardown_databases(databases, verbosity=0)
        teardown_test_environment()
