"""Tests of the simulated provider and its citizen's app."""
