"""Django's PostgreSQL backend, with connections that notice when the server stops answering."""
