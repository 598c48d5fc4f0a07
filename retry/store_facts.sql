-- name: facts
-- Reads in one row what the server and the role are allowed to do, and how many connections there are.
SELECT current_setting('server_version_num')::int AS version,
       pg_encoding_to_char(d.encoding) AS encoding,
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
       current_setting('transaction_read_only') = 'on' AS read_only,
       pg_is_in_recovery() AS in_recovery,
       ARRAY(SELECT c.relname::text FROM pg_class c
             WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
               AND (starts_with(c.relname, 'entries_') OR starts_with(c.relname, 'retry_'))
               AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
                   AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))
             ORDER BY 1) AS locked_tables,
       has_database_privilege(d.datname, 'TEMP') AS may_create_temporary,
       has_schema_privilege(current_schema(), 'CREATE') AS may_create_tables,
       current_setting('max_connections')::int
           - current_setting('superuser_reserved_connections')::int
           - coalesce(current_setting('reserved_connections', true)::int, 0) AS usable,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
       EXISTS (SELECT FROM pg_timezone_names WHERE name = %(zone)s) AS knows_zone
FROM pg_database d WHERE d.datname = current_database()
