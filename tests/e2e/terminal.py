"""A command on a terminal of its own."""
import fcntl
import os
import pty
import select
import struct
import termios
import time

from conftest import until


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, command, columns, rows=50):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv(command[0], command)
        self.resize(columns, rows)
        self.text = ""

    def resize(self, columns, rows=50):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        while select.select([self.fd], [], [], 0)[0]:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                break
            if not data:
                break
            self.text += data.decode()
        return self.text

    def wait_for(self, words):
        until(lambda: words in self.read(), words, 20)

    def end(self):
        limit = time.monotonic() + 20
        while time.monotonic() < limit:
            self.read()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.read()
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.05)
        raise AssertionError("it does not end")
