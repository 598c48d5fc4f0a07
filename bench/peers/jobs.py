"""The job of the peers' workers, which does nothing. Imports nothing, so only they count."""


def noop(_number: int) -> None:
    return None
