"""The command line: `poetune STAGE ...`; parses, calls the studio, shows."""

from poetune.cli.group import main

__all__ = ["main"]
