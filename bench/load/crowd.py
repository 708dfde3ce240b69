"""The crowd of overload.py: uploads that share a rate, and clients that are slow in every way, in one thread.

Each visitor is a socket and a plan: what it sends at first, then a piece at a time; how much it reads at a time.  One
that was answered with an error, or cut, comes again.
"""
import collections
import errno
import re
import selectors
import socket
import time

TURN_S = 0.02
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: crowd.example\r\nContent-Type: application/json\r\n"
FIRST = b'{"model":"crowd","max_tokens":1,"messages":[{"role":"user","content":"'
LAST = b'{"max_tokens":1,"messages":[{"role":"user","content":"'
QUESTION = b'{"model":"crowd","max_tokens":60000,"messages":[{"role":"user","content":"hi"}]}'


class Visitor:
    def __init__(self, kind, first, piece=b"", size=0, period_s=1.0, reads=65536):
        self.kind, self.first, self.piece, self.size = kind, first, piece, size
        self.period_s, self.reads = period_s, reads
        self.socket, self.sent, self.due, self.got = None, 0, 0.0, b""


def visitors(uploads, slow, upload_bytes, rate):
    """Half of the uploads name their model first, half last; of the slow ones a third each drips heads, drips bodies,
    and reads long answers by the spoon."""
    piece = b"word " * 4096
    period_s = uploads * len(piece) / rate
    for number in range(uploads):
        first = HEAD + b"Content-Length: %d\r\n\r\n" % upload_bytes + (FIRST if number % 2 else LAST)
        kind = "upload, model first" if number % 2 else "upload, model last"
        yield Visitor(kind, first, piece, upload_bytes, period_s)
    for number in range(slow):
        if number % 3 == 0:
            yield Visitor("dripping head", b"GET /v1/models HTTP/1.1\r\nHost: crowd.example\r\nX-A: ", b"a", period_s=2)
        elif number % 3 == 1:
            yield Visitor("dripping body", HEAD + b"Content-Length: 100000\r\n\r\n" + FIRST, b"a", period_s=2)
        else:
            yield Visitor("slow reader", HEAD + b"Content-Length: %d\r\n\r\n" % len(QUESTION) + QUESTION, period_s=2,
                          reads=200)


class Crowd:
    """Comes to an address at so many connections per second; `turn()` does what is due."""

    def __init__(self, address, everybody, arrivals_per_s):
        self.address, self.arrivals_per_s = address, arrivals_per_s
        self.outside = collections.deque(everybody)
        self.selector = selectors.DefaultSelector()
        self.calendar = collections.defaultdict(list)  # turn -> visitors that are due
        self.now = self.arrived = 0
        self.inside = 0
        self.counts = collections.Counter()
        self.upload_bytes = 0

    def turn(self):
        end = time.monotonic() + TURN_S
        self.arrived += self.arrivals_per_s * TURN_S
        while self.outside and self.arrived >= 1:
            self.arrived -= 1
            self.enter(self.outside.popleft())
        for visitor in self.calendar.pop(self.now, ()):
            if visitor.socket is not None and visitor.due == self.now:
                self.act(visitor)
        self.now += 1
        for key, _ in self.selector.select(max(0, end - time.monotonic())):
            self.hear(key.data)
        time.sleep(max(0, end - time.monotonic()))

    def enter(self, visitor):
        visitor.socket = socket.socket()
        visitor.socket.setblocking(False)
        visitor.sent, visitor.got = 0, b""
        if visitor.kind == "slow reader":
            visitor.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        result = visitor.socket.connect_ex(self.address)
        if result not in (0, errno.EINPROGRESS):
            self.leave(visitor, "cannot connect")
            return
        self.inside += 1
        if visitor.kind != "slow reader":
            self.selector.register(visitor.socket, selectors.EVENT_READ, visitor)
        self.plan(visitor, 1)

    def plan(self, visitor, turns=None):
        visitor.due = self.now + (turns or max(1, round(visitor.period_s / TURN_S)))
        self.calendar[visitor.due].append(visitor)

    def act(self, visitor):
        """Sends its next piece; a slow reader takes a spoonful."""
        try:
            if visitor.sent == 0:
                visitor.sent = visitor.socket.send(visitor.first)
            elif visitor.kind == "slow reader":
                self.take(visitor, visitor.socket.recv(visitor.reads))
            elif visitor.size == 0 or visitor.sent < visitor.size:
                count = visitor.socket.send(visitor.piece)
                visitor.sent += count
                self.upload_bytes += count if visitor.size else 0
        except BlockingIOError:
            pass
        except OSError as error:
            self.leave(visitor, errno.errorcode.get(error.errno, "error"))
        if visitor.socket is not None:
            self.plan(visitor)

    def hear(self, visitor):
        try:
            self.take(visitor, visitor.socket.recv(visitor.reads))
        except BlockingIOError:
            pass
        except OSError as error:
            self.leave(visitor, errno.errorcode.get(error.errno, "error"))

    def take(self, visitor, data):
        if not data:
            self.leave(visitor, answer_of(visitor.got))
        elif len(visitor.got) < 1000:
            visitor.got += data

    def leave(self, visitor, why):
        self.counts[f"{visitor.kind}: {why}"] += 1
        if self.inside > 0:
            self.inside -= 1
        if visitor.kind != "slow reader" and why != "cannot connect":
            self.selector.unregister(visitor.socket)
        visitor.socket.close()
        visitor.socket = None
        self.outside.append(visitor)


def answer_of(got):
    reason = re.search(rb"x-serin-reason: (\w+)", got)
    status = re.match(rb"HTTP/1.1 (\d+)", got)
    return "closed" if status is None else status[1].decode() + (" " + reason[1].decode() if reason else "")


def run(address, arguments, control):
    """In a process of its own, until `control` says so; answers with the counts whenever it is asked."""
    crowd = Crowd(address, visitors(arguments.uploads, arguments.slow, arguments.upload_mb * 1000000,
                                    arguments.rate_mb * 1e6), arguments.arrivals)
    while True:
        crowd.turn()
        if control.poll():
            if control.recv() == "end":
                return
            control.send({"inside": crowd.inside, "upload_bytes": crowd.upload_bytes, "counts": dict(crowd.counts)})
