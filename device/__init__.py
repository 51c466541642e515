"""The software of the box in the room."""
