"""Which pairs are worth comparing at all."""
