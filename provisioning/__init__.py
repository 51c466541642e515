"""The clinic's side: keys, and opening what the boxes sealed."""
