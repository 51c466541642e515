"""Sound and picture, from the device to the sealed chunk on disk."""
