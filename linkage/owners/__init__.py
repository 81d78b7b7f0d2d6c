"""Quy chủ: the lines of one real person become one person."""

from linkage.owners.gather import Gathered, gather

__all__ = ["Gathered", "gather"]
