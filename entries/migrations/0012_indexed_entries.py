import pgtrigger.compiler
import pgtrigger.migrations
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models
from django.db.models.functions import Upper
from django.db.utils import NotSupportedError, OperationalError, ProgrammingError

OVERWRITE = (
    " ON CONFLICT (id) DO UPDATE SET source_id = excluded.source_id, kind = excluded.kind,"
    " upstream = excluded.upstream, text = excluded.text; RETURN NULL;"
)


class SearchExtension(TrigramExtension):
    """Create pg_trgm where it is missing, or say who can."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        try:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        except (NotSupportedError, OperationalError, ProgrammingError) as error:
            raise ProgrammingError(
                "The search needs PostgreSQL's extension pg_trgm, and this role could not create"
                f" it: {str(error).splitlines()[0]}. It comes with PostgreSQL (on Debian in the package of"
                " the server, elsewhere often in postgresql-contrib). Have the owner of the"
                " database or a superuser run CREATE EXTENSION pg_trgm; in this database, or"
                " GRANT CREATE ON DATABASE to this role, and migrate again."
            ) from error

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        """Leave it: others may use it."""


def trigger(name, pgid, hash, **parts):
    return pgtrigger.migrations.AddTrigger(
        "entry",
        pgtrigger.compiler.Trigger(
            name=name,
            sql=pgtrigger.compiler.UpsertTriggerSql(
                hash=hash, pgid=pgid, table="entries_entry", when="AFTER", **parts
            ),
        ),
    )


class Migration(migrations.Migration):
    dependencies = [("entries", "0011_failed_indexes")]

    operations = [
        SearchExtension(),
        migrations.CreateModel(
            name="IndexBacklog",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("done_id", models.BigIntegerField(default=0)),
                ("last_id", models.BigIntegerField()),
            ],
            options={"default_permissions": ()},
        ),
        migrations.CreateModel(
            name="IndexedEntry",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("source_id", models.BigIntegerField(null=True)),
                ("kind", models.CharField(max_length=50)),
                ("upstream", models.CharField(max_length=200)),
                ("text", models.TextField(help_text="external id and title")),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["source_id", "id"], name="indexed_source"),
                    models.Index(fields=["kind", "id"], name="indexed_kind"),
                    models.Index(fields=["upstream", "id"], name="indexed_upstream"),
                    GinIndex(OpClass(Upper("text"), name="gin_trgm_ops"), name="indexed_text"),
                ]
            },
        ),
        trigger(
            "index_new",
            'pgtrigger_index_new_3368f',
            '3f39a33206652b281cd041caa056cc4cfea29aa3',
            func=(
                "INSERT INTO entries_indexedentry (id, source_id, kind, upstream, text)"
                " SELECT id, source_id, kind, upstream, external_id || chr(31) || title FROM new_rows"
                " ORDER BY id"
                + OVERWRITE
            ),
            level='STATEMENT',
            operation='INSERT',
            referencing='REFERENCING NEW TABLE AS new_rows ',
        ),
        trigger(
            "index_changed",
            'pgtrigger_index_changed_d3fcf',
            '18dd29a5d62f835e96a7e11a310f72c242d7a514',
            condition=(
                'WHEN (OLD."external_id" IS DISTINCT FROM (NEW."external_id") OR '
                'OLD."kind" IS DISTINCT FROM (NEW."kind") OR '
                'OLD."source_id" IS DISTINCT FROM (NEW."source_id") OR '
                'OLD."title" IS DISTINCT FROM (NEW."title") OR '
                'OLD."upstream" IS DISTINCT FROM (NEW."upstream"))'
            ),
            func=(
                "INSERT INTO entries_indexedentry (id, source_id, kind, upstream, text)"
                " VALUES (NEW.id, NEW.source_id, NEW.kind, NEW.upstream,"
                " NEW.external_id || chr(31) || NEW.title)"
                + OVERWRITE
            ),
            operation='UPDATE OF "external_id", "title", "source_id", "kind", "upstream"',
        ),
        trigger(
            "index_deleted",
            'pgtrigger_index_deleted_c463f',
            '5f6bd169978ed98452597ef71055399efe0480b1',
            func='DELETE FROM entries_indexedentry i USING old_rows o WHERE i.id = o.id; RETURN NULL;',
            level='STATEMENT',
            operation='DELETE',
            referencing='REFERENCING OLD TABLE AS old_rows ',
        ),
        trigger(
            "index_emptied",
            'pgtrigger_index_emptied_a4ce7',
            '5fab988e442e54bfa5f3b88f780472c1cb01499e',
            func='DELETE FROM entries_indexedentry; RETURN NULL;',
            level='STATEMENT',
            operation='TRUNCATE',
        ),
    ]
