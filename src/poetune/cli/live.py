"""A poem on the terminal while it is being written."""

import sys
from collections.abc import Sequence
from typing import TextIO


class Live:
    """Shows the first poem as it grows; `close` shows what is not there yet, the others among it."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._shown = ""

    def __call__(self, number: int, text: str) -> None:
        """The poem of that number has grown to `text`."""
        if number == 0 and text.startswith(self._shown):
            self._out.write(text[len(self._shown) :])
            self._out.flush()
            self._shown = text

    def close(self, texts: Sequence[str]) -> None:
        """All poems as they were kept. A title that was taken out of the first one has been shown and stays."""
        first, untitled = texts[0], self._shown.lstrip("\n").partition("\n")[2].strip("\n")
        if first.startswith(self._shown):
            self._out.write(first[len(self._shown) :])
        elif untitled and first.startswith(untitled):
            self._out.write(first[len(untitled) :])
        else:
            self._out.write("\n\n" + first)
        for text in texts[1:]:
            self._out.write("\n\n" + text)
        self._out.write("\n")
        self._out.flush()
