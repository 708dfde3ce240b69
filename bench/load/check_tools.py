#!/usr/bin/env python3
"""Checks of the load tool: what a proxy spoils is counted as an error, what it may change is not.

A small relay stands between the two ends of bench_load and changes bytes on their way.  Run before each benchmark.
"""
import pathlib
import re
import socket
import sys
import tempfile
import threading
import types

from data_plane import prompt
from targets import ORIGIN, Load

EVENT = rb"c8\r\n(data: .{194})\r\n"
RENAME = rb'"model":"chat"', b'"model":"chat-v1"'


class Spoiler:
    """A relay that passes what `request` and `answer` make of each piece of bytes; one thread per direction."""

    def __init__(self, number, request=None, answer=None):
        self.address, self.pid, self.check = ("127.13.57.60", 28400 + number), 0, "same"
        self.name, self.request, self.answer = f"spoiler {number}", request, answer
        self.listening = socket.create_server(self.address, backlog=64)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listening.accept()
            origin = socket.create_connection(ORIGIN)
            threading.Thread(target=self.move, args=(client, origin, self.request), daemon=True).start()
            threading.Thread(target=self.move, args=(origin, client, self.answer), daemon=True).start()

    @staticmethod
    def move(source, sink, change):
        try:
            while piece := source.recv(1 << 20):
                piece = change(piece) if change else piece
                if piece is None:
                    break
                sink.sendall(piece)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def replace(old, new):
    return lambda piece: piece.replace(old, new)


def renamed(piece):
    """What Serin does with a model's name: three bytes more, and the length says so."""
    piece = re.sub(rb"(?i)content-length: (\d+)", lambda found: b"Content-Length: %d" % (int(found[1]) + 3), piece)
    return piece.replace(*RENAME)


def events(change):
    """`change` gets the list of the events in a piece and returns the list to pass on."""
    def on_piece(piece):
        whole = [found[0] for found in re.finditer(EVENT, piece, re.S)]
        if len(whole) < 3:
            return piece
        start, end = piece.index(whole[0]), piece.index(whole[-1]) + len(whole[-1])
        return piece[:start] + b"".join(change(whole)) + piece[end:]
    return on_piece


CASES = [  # what, options of the run, changes on the way, the error that must come ("" for none)
    ("untouched answers", {"kind": "post"}, {}, ""),
    ("another model where one is wanted", {"kind": "post", "check": "target"}, {"request": renamed}, ""),
    ("the old model where another is wanted", {"kind": "post", "check": "target"}, {}, "500 Wrong Body"),
    ("another model where none is wanted", {"kind": "post"}, {"request": renamed}, "500 Wrong Body"),
    ("a changed request", {"kind": "post"}, {"request": replace(b"replicas", b"replicaz")}, "500 Wrong Body"),
    ("a changed answer", {"kind": "post"}, {"answer": replace(b'"stop"', b'"stoq"')}, "other bytes"),
    ("another status", {"kind": "post"}, {"answer": replace(b" 200 OK", b" 503 No")}, "503 No"),
    ("half an answer", {"kind": "post"}, {"answer": lambda piece: None}, "ended before the answer"),
    ("untouched streams", {"kind": "unpaced", "events": 50}, {}, ""),
    ("untouched paced streams", {"kind": "paced", "period_ms": 50}, {}, ""),
    ("a lost event", {"kind": "unpaced", "events": 50}, {"answer": events(lambda all: all[:1] + all[2:])}, "lost"),
    ("a doubled event", {"kind": "unpaced", "events": 50}, {"answer": events(lambda all: all[:1] + all)}, "doubled"),
    ("events out of order", {"kind": "unpaced", "events": 50},
     {"answer": events(lambda all: all[1::-1] + all[2:])}, "out of order"),
    ("a changed event", {"kind": "unpaced", "events": 50}, {"answer": replace(b"token", b"tokem")}, "other bytes"),
    ("a stream without an end", {"kind": "unpaced", "events": 50},
     {"answer": replace(b"e\r\ndata: [DONE]\n\n\r\n", b"")}, "ends before [DONE]"),
]


def run(load, folder, spoiler, options):
    body = "stream.json" if options["kind"] in ("paced", "unpaced") else "1k.json"
    options = {"connections": 8, "warm_ms": 50, "measure_ms": 500, "body": folder / body, **options}
    try:
        return load.run(spoiler, **options), ""
    except SystemExit as end:
        return None, str(end)


def main():
    tools = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build/release").resolve()
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "1k.json").write_bytes(prompt(1024))
        (folder / "stream.json").write_bytes(prompt(1024, stream=True))
        load = Load(tools)
        for number, (what, options, changes, wanted) in enumerate(CASES):
            figures, error = run(load, folder, Spoiler(number, **changes), options)
            is_right = wanted in error and (wanted == "") == (error == "")
            if figures and options["kind"] == "paced":  # 8 streams x 20 events/s for half a second
                is_right = is_right and 60 <= figures["events"] <= 100 and figures["p99_us"] < 100000
            if not is_right:
                failed += 1
                print(f"{what}: expected {wanted or 'no error'!r}, got {error or figures!r}")
        direct = types.SimpleNamespace(address=ORIGIN, pid=load.process.pid, check="same", name="direct")
        figures, error = run(load, folder, direct, {"kind": "post"})
        if error or not 0.5 < figures["cpu_ns"] / 1e9 / (figures["load_cpu"] * figures["seconds"]) < 1.5:
            failed += 1
            print(f"CPU time of the load tool by two clocks differs: {error or figures}")
        load.stop()
    print(f"{len(CASES) + 1 - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
