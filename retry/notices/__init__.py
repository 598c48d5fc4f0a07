"""Notices: what happened is recorded once, and told to those who have subscribed."""
