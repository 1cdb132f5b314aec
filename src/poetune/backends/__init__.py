"""Engines behind the doors of `ports`; `table` opens them by name, as late as possible."""
