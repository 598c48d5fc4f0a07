"""Django's PostgreSQL backend, over connections that notice when the server has gone silent."""
