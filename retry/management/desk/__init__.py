"""``manage.py desk``: what the API does, as commands; made from the API's own routes."""
