"""From weights to probabilities, decisions and reasons."""
