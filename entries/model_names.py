"""Names of models and of their fields in the language of the page, without a migration.

Django derives the English names, and writes what is declared in their place into migrations. Set
after the class is made, a name is in no migration; the database keeps the English one.
"""

from django.db.models import Model
from django.utils.functional import Promise


def name_model(model: type[Model], singular: Promise, plural: Promise, **fields: Promise) -> None:
    """Name a model and some of its fields: the English that Django derives, to be translated."""
    options = model._meta
    options.verbose_name, options.verbose_name_plural = singular, plural
    for name, words in fields.items():
        options.get_field(name).verbose_name = words
