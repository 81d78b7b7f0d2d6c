"""Tests of the citizen's app."""
