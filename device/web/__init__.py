"""The page that the box shows on the clinic's network."""
