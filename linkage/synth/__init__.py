"""Registers with known truth, for the demo, the tests and the benchmarks."""

from linkage.synth.generator import Summary, generate

__all__ = ["Summary", "generate"]
