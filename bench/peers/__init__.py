"""Other queues on the same machine, in the same run.

Their workers import this package, so it imports nothing.
"""
