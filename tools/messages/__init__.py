"""Catalogs of messages: ``python -m tools.messages`` brings them up to date with the code.

Babel does the work, so that no gettext program has to be installed.
"""
