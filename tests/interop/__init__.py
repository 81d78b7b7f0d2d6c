"""A second implementation of the confirmation protocol, on another JOSE library, run against the first."""
