"""What the clinic prints for people: a therapist's card, and the card that a client reads before they press."""
