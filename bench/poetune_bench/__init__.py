"""Timings of poetune beside other tools; see bench/README.md."""
