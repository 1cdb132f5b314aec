"""The largest resident size of this process over a stretch of work."""

import sys
from pathlib import Path

_HIGH_WATER = "5"  # what /proc/self/clear_refs takes to count the peak anew (proc(5), Linux 4.0)


def count_anew() -> None:
    """Forget the peak so far, where the system can; elsewhere the peak goes on being that of the whole process."""
    try:
        Path("/proc/self/clear_refs").write_text(_HIGH_WATER, "ascii")
    except OSError:
        return


def peak() -> int:
    """In bytes, since it was last counted anew; 0 where the system does not say it."""
    try:
        import resource
    except ImportError:  # not on Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
