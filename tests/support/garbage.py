"""Python looks for garbage in cycles less often: it was a quarter of the time in which tests are
collected, and a twentieth of that of a test.

A test process has hundreds of thousands of objects that never become garbage: modules, models,
tests. Once there is enough new garbage, all of them are looked at again.
"""

import gc


def look_seldom() -> None:
    """Before tests are collected, which makes a great many objects and no garbage."""
    gc.set_threshold(20_000, 20, 20)


def leave_out_what_is_there() -> None:
    """What there is now is never looked at again."""
    gc.collect()
    gc.freeze()
