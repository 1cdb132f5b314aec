"""`python -m poetune` is `poetune`."""

from poetune.cli import main

main()
