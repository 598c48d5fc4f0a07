"""What the peers' workers do: nothing. Imports nothing, so that what is measured is theirs."""


def noop(_number: int) -> None:
    return None
