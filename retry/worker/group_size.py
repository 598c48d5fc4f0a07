"""How many entries a worker claims together."""

#: Outcomes of cheap entries are written together, and no later than this after they happened.
FLUSH_SECONDS = 0.25


class Groups:
    """How many entries are claimed together: what fits into a flush at the pace just seen, and at
    most twice as many as before. Kept from run to run, which are of one kind.
    """

    def __init__(self) -> None:
        self.size = 1

    def learn(self, size: int, *, seconds: float) -> None:
        fitting = int(size * FLUSH_SECONDS / max(seconds, 0.0001))
        # A run's last group may be small for want of entries, which says nothing against more.
        self.size = max(1, min(2 * max(size, self.size), fitting))
