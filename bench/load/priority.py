"""How a benchmark fares against other programs of the machine."""
import contextlib
import os
import pathlib


def set_priority(nice):
    """Of this process and its children.  Where the kernel groups processes by session, it is the group's that counts."""
    if nice != 0:
        with contextlib.suppress(OSError):  # it leads one already
            os.setsid()
        os.nice(nice)
        with contextlib.suppress(OSError):
            pathlib.Path("/proc/self/autogroup").write_text(str(nice))
