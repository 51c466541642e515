"""The clinic's folder: what it decided, whom it has, and the keys by which its boxes know it."""
