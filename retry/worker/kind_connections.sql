-- name: session_state
-- Lists what of this session outlives a transaction, in words. Changes nothing.
SELECT 'the setting ' || name || ' = ' || setting FROM pg_settings WHERE source = 'session'
UNION ALL SELECT 'the role ' || current_user || ' of ' || session_user
UNION ALL SELECT 'an advisory lock' FROM pg_locks
          WHERE locktype = 'advisory' AND pid = pg_backend_pid()
UNION ALL SELECT 'a LISTEN for ' || channel FROM pg_listening_channels() AS channel
UNION ALL SELECT 'the temporary table ' || relname FROM pg_class
          WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'
