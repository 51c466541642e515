from __future__ import annotations

import io

from provisioning.report import Bar


class Terminal(io.StringIO):
    """A terminal that keeps what was drawn."""

    def isatty(self) -> bool:
        return True


def test_a_bar_grows_on_a_terminal_and_goes_away() -> None:
    terminal = Terminal()
    bar = Bar("000007-abcdefghij", to=terminal)
    bar.show(1, 2)
    bar.clear()
    assert terminal.getvalue() == f"\r000007-abcdefghij [{'#' * 15:<30}]  50%\r\x1b[K"


def test_where_there_is_no_terminal_one_plain_line_says_what_is_done() -> None:
    plain = io.StringIO()
    bar = Bar("000007-abcdefghij", to=plain)
    bar.show(1, 2)
    bar.clear()
    assert plain.getvalue() == "opening 000007-abcdefghij\n"
