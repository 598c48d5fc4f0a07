"""How attempts ended, over time: read from the outcome counts."""
