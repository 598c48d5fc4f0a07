"""The desk: what staff see in the admin, and what they can do there.

``registrations`` has the list of its pages.
"""
