"""The document of the JSON API, OpenAPI 3.1, made from its routes and types."""
