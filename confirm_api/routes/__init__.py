"""Thin HTTP: each module gives the routes of one concern; what they do stands elsewhere."""
