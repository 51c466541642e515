"""Sync: every recording to the clinic's remote, by itself, and every erase order before it."""
