"""The protocol as a stranger would write it: from the specification alone, on jwcrypto, importing nothing of ours."""
