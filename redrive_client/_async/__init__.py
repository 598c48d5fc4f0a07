"""The client for event loops. The one without, ``_sync``, is made from it: ``make client``."""
