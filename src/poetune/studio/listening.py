"""Who hears what the studio says while it works; the command line shows it, tests collect it."""

from typing import Protocol


class Listener(Protocol):
    """Sentences, and one bar at a time."""

    def say(self, text: str) -> None:
        """A sentence for the user."""
        ...

    def begin(self, label: str, total: int) -> None:
        """A bar opens."""
        ...

    def advance(self, amount: int = 1, note: str = "") -> None:
        """The open bar moves on."""
        ...

    def end(self) -> None:
        """The bar closes."""
        ...


class Quiet:
    """Hears everything, keeps the sentences, shows nothing."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        """Keep a sentence."""
        self.said.append(text)

    def begin(self, label: str, total: int) -> None:
        """Show nothing."""

    def advance(self, amount: int = 1, note: str = "") -> None:
        """Show nothing."""

    def end(self) -> None:
        """Show nothing."""
