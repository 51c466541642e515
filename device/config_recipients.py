"""The recipients that a configuration names, as keys that can be sealed to.

Apart from the configuration itself: most of those who read that never seal, and need not load what that takes.
"""

from __future__ import annotations

from device.age.errors import AgeError
from device.age.recipients import KeyRecipient, check_company, parse_recipient
from device.errors import RecipientError


def recipients_of(texts: tuple[str, ...]) -> list[KeyRecipient]:
    """The recipients as keys that can be sealed to.

    Raises:
        RecipientError: there is none, one is malformed, or post-quantum and classic ones are mixed.
    """
    if not texts:
        raise RecipientError(
            "there is no recipient, so nobody could open a recording",
            "make a key with `sotto-clinic key new` and name its recipient (age1…)",
        )
    found = []
    for number, text in enumerate(texts, start=1):
        try:
            found.append(parse_recipient(text))
        except AgeError as problem:
            raise RecipientError(f"recipient {number} cannot be used: {problem.what}", problem.hint) from problem
    try:
        check_company(found)
    except AgeError as problem:
        raise RecipientError(f"these recipients cannot be used together: {problem.what}", problem.hint) from problem
    return found
