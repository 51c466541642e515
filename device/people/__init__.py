"""People of the clinic, as a box knows them."""
