"""Measures: what a client is asked before or after a session, how it is scored, and what of it is sealed.

A measure is a TOML file (docs/measures.md). Four are shipped; a clinic puts its own into a folder. All of this is pure
but for ``shelf``, which reads the files.
"""
