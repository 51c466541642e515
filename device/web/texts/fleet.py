"""What the clinic's desk is told, and what an admin sees of its orders."""

from __future__ import annotations

from typing import Final

TEXTS: Final = {
    "fleet.400": "That is no piece of an order.",
    "fleet.400.do": "Send it with sotto-clinic of the same version.",
    "fleet.403": "This is for the clinic's desk alone.",
    "fleet.403.do": "Come with a certificate that `sotto-clinic fleet key` made.",
    "fleet.404": "There is nothing at this address.",
    "fleet.404.do": "Compare the versions of desk and box.",
    "fleet.413": "The order is too large.",
    "fleet.413.do": "No order is that large; make it anew.",
    "fleet.507": "There is no room for the order.",
    "fleet.507.do": "Wait until the box sent more of its recordings, or until it dealt with the orders that wait.",
    "fleet.422": "The order came otherwise than it was sent.",
    "fleet.422.do": "Send it again.",
    "fleet.other.do": "Look into the journal of the box.",
    "fleet.no_orders": "This box takes no orders.",
    "fleet.no_orders.do": "Add [orders] to its configuration (docs/fleet-desk.md).",
    "health.order": "Last order of the clinic",
    "health.order.value": "{about}, {when}: {outcome}.",
    "health.order.waiting": "it waits",
    "health.order.done": "done",
    "health.order.refused": "refused, and nothing was changed",
    "health.order.undone": "undone again",
    "health.order.about.roster": "Who can open recordings",
    "health.order.about.config": "The configuration",
    "health.order.about.certificates": "The page's certificates",
    "health.order.about.people": "The list of people",
    "health.order.about.update": "Another version",
    "health.update": "The version that came",
    "health.update.waits": "Version {version} came, and is used once nobody was near for a quarter of an hour.",
    "health.update.on_trial": "Version {version} runs on trial.",
    "health.update.failed": "Version {version} was given up: {why}. The one before it runs.",
    "health.update.do": "Nothing is lost by it. Look into the journal before another version is sent.",
    "health.order.about.unknown": "Something that could not be read",
}
