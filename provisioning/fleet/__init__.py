"""A clinic's boxes from its desk: how they are, and what they are told (docs/fleet-desk.md)."""
