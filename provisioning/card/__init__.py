"""The card of a box: a stock Raspberry Pi OS that becomes a box by itself when it is first switched on (docs/card.md).

What is written is decided from arguments alone (``machine``, ``cloud``, ``box_files``, ``planning``, ``partitions``,
``drives``); ``boot`` and ``writing`` are the thin edge that touches a card.
"""
