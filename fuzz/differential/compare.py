#!/usr/bin/env python3
"""Several parsers read the same connections: Serin's, Node's (llhttp and JSON.parse), and jansson behind Serin's.

A disagreement on where a message begins or ends, on what it holds, or on the value of `model` ends the run with the
bytes.  Serin may refuse what Node accepts, for the reasons in REFUSALS; Node may refuse what Serin accepts only as
NODE_REFUSES and the expressions above it say.
"""
import argparse
import collections
import json
import pathlib
import random
import re
import struct
import subprocess
import sys
import threading
import time

from make import Maker

BATCH = 200
POST = b"POST / HTTP/1.1\r\nHost: h\r\n"
CORPUS = pathlib.Path(__file__).parents[1] / "corpus"

# What Serin refuses and Node reads, by Serin's reason, and who says that it may.
REFUSALS = {
    "bad_request_line": "RFC 9112 3: one space, nothing else, no lower-case name of the protocol",
    "bad_target": "RFC 9112 3.2: the four forms, visible ASCII without '#'",
    "bad_version": "RFC 9110 2.5: HTTP/1.0 and 1.1 are spoken here (505)",
    "bad_status_line": "RFC 9112 4: three digits from 100 on, a space, visible text",
    "bad_host": "RFC 9112 3.2: missing, repeated or malformed",
    "bad_field_name": "RFC 9112 5.1: a token, and no space before the colon",
    "bad_field_value": "RFC 9110 5.5: no control characters",
    "folded_header": "RFC 9112 5.2: obs-fold is refused",
    "bare_lf": "RFC 9112 2.2: a lone LF may be, and is not, taken for a line's end",
    "bare_cr": "RFC 9112 2.2: a CR without LF is invalid",
    "bad_content_length": "RFC 9112 6.3: digits only, once",
    "bad_transfer_encoding": "RFC 9112 6.1: chunked alone, once, not in HTTP/1.0",
    "both_lengths": "RFC 9112 6.3: may mean smuggling",
    "bad_chunk_size": "RFC 9112 7.1: hexadecimal digits, extensions of visible text",
    "bad_chunk_end": "RFC 9112 7.1: CRLF behind the data",
    "bad_trailer": "RFC 9110 6.5.1: no framing or routing behind the content",
    "target_too_long": "a limit", "head_too_large": "a limit",
    "too_many_headers": "a limit", "header_too_long": "a limit",
}
# RFC 8259 4 and 9; bad_model: the first of two, where JSON.parse goes by the second.
BODY_REFUSALS = {"duplicate_model", "json_too_deep", "model_too_long", "bad_model"}
# RFC 8259 8.1, 8.2: no UTF-8, half a surrogate pair.  JSON.parse reads both, as U+FFFD and as half a pair.
NOT_TEXT = re.compile(rb"\\u[dD][89a-fA-F]")

# What Node refuses and Serin accepts.
# RFC 9110 5.5: a tab behind a value is none of it.  Node refuses such a length, and reads a response that is "chunked"
# with a tab until its end.  What Serin passes on is safe: it writes framing fields of its own to both sides.
TAB_BEHIND = re.compile(rb"(?:transfer-encoding|content-length|te)[ \t]*:[^\r\n]*\t[ \t]*[\r\n]", re.I)
# RFC 9112 7.1.1: spaces around the ';' and the '=' of a chunk extension.
SPACE_IN_EXTENSION = re.compile(rb"[ \t][;=]|[;=][ \t]")
NODE_REFUSES = {
    "HPE_INVALID_METHOD": "Node knows only its list of methods; RFC 9110 9.1: any token",
    "HPE_PAUSED_UPGRADE": "CONNECT and Upgrade: Node stops reading HTTP",
}


class Parser:
    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def send(self, records):
        def write():
            for kind, text in records:
                self.process.stdin.write(kind + struct.pack(">I", len(text)) + text)
            self.process.stdin.flush()

        threading.Thread(target=write, daemon=True).start()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise Disagreement("the parser ended")
        return json.loads(line)

    def stop(self):
        self.process.stdin.close()
        return self.process.wait()


class Disagreement(Exception):
    pass


def is_text(body):
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return NOT_TEXT.search(body) is None


def compare_model(ours, node, seen):
    body = ours["body"].encode("latin1")
    if "dom" in ours:
        raise Disagreement(f"scanner and jansson: {ours['dom']}")
    refused, node_refused = ours.get("refused"), node.get("refused")
    if refused is None:
        if node_refused is not None:
            raise Disagreement(f"JSON.parse refuses the body: {node_refused}")
        if ours.get("model") != node.get("model"):
            raise Disagreement("another model")
    elif node_refused is None:
        if refused not in BODY_REFUSALS and not (refused == "malformed_json" and not is_text(body)):
            raise Disagreement(f"JSON.parse accepts the body that is {refused}")
        seen[refused] += 1


def fields_of(message):
    """Without Host, in whose place an absolute target's authority stands."""
    return [(field["name"].lower(), field["value"]) for field in message["fields"] if field["name"].lower() != "host"]


def compare_message(kind, ours, node, seen):
    for name in ("method", "status"):
        if ours.get(name) != node.get(name):
            raise Disagreement(f"another {name}")
    if kind == b"Q" and ours["target"] != node["target"] and not re.match("https?://", node["target"], re.I):
        raise Disagreement("another target")
    if fields_of(ours) != fields_of(node):
        raise Disagreement("other fields")
    if ("body" in ours) != ("body" in node):
        return  # see ends_agree()
    if "body" in ours and ours["body"] != node["body"]:
        raise Disagreement("another body")
    if "body" in ours and kind == b"Q":
        compare_model(ours, node, seen)


def whole(result):
    return sum("body" in message for message in result["messages"])


def compare_ends(text, ours, node, seen):
    """Who read on further, and why the other did not."""
    ahead = whole(node) - whole(ours)
    if ours["end"] == "bad" and node["end"] != "bad":
        if ours["reason"] not in REFUSALS:
            raise Disagreement(f"refused without a reason that is known: {ours['reason']}")
        seen[ours["reason"]] += 1
    elif ahead > 0 and ours["end"] not in ("bad", "closed"):
        raise Disagreement("Node sees a message's end where Serin waits")
    elif ahead < 0:
        is_known = node["end"] == "upgrade" or (node["end"] == "bad" and node["reason"] in NODE_REFUSES)
        if node["reason"] in ("HPE_STRICT", "HPE_INVALID_CHUNK_SIZE"):
            is_known = SPACE_IN_EXTENSION.search(text) is not None
        if not is_known:
            raise Disagreement(f"Serin reads on where Node does not: {node['end']} {node['reason']}")
        seen[node["reason"] or "upgrade"] += 1
    elif ahead == 0 and node["end"] == "bad" and ours["end"] == "done":
        raise Disagreement(f"Node refuses what Serin has read to the end: {node['reason']}")


def compare(kind, text, ours, node, seen):
    if TAB_BEHIND.search(text):
        seen["tab behind a value"] += 1
        return
    for mine, others in zip(ours["messages"], node["messages"]):
        compare_message(kind, mine, others, seen)
    compare_ends(text, ours, node, seen)


def posted(body):
    return b"Q", POST + b"Content-Length: %d\r\n\r\n" % len(body) + body


def corpus():
    """What the fuzzers of the single parsers keep."""
    for folder, kind, before in (("h1_request", b"Q", b""), ("h1_response", b"R", b""),
                                 ("chunked", b"Q", POST + b"Transfer-Encoding: chunked\r\n\r\n")):
        for path in sorted((CORPUS / folder).iterdir()):
            yield kind, before + path.read_bytes()
    for path in sorted((CORPUS / "openai_scan").iterdir()):
        yield posted(path.read_bytes())


def batches(records):
    batch = []
    for record in records:
        batch.append(record)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def connections(seed, until, is_old):
    maker = Maker(random.Random(seed))
    if not is_old:
        yield from corpus()
    while time.monotonic() < until:
        yield posted(maker.body()) if is_old else maker.connection()


def is_old(node):
    """Before 20, Node's HTTP parser is wrong in known ways: it reads bodies of 100 and 304, and lets CR alone end a head.
    Its JSON.parse is good enough."""
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return int(version.lstrip("v").split(".")[0]) < 20


def run(arguments, parsers):
    seen, count = collections.Counter(), 0
    until = time.monotonic() + arguments.seconds
    for batch in batches(connections(arguments.seed, until, is_old(arguments.node))):
        for parser in parsers:
            parser.send(batch)
        for kind, text in batch:
            results = [parser.read() for parser in parsers]
            count += 1
            try:
                compare(kind, text, *results, seen)
            except Disagreement as what:
                print(f"seed {arguments.seed}, connection {count}: {what}\n{kind.decode()} {text!r}\nSerin: "
                      f"{json.dumps(results[0])}\nNode:  {json.dumps(results[1])}")
                if not arguments.go_on:
                    return 1
    print(f"seed {arguments.seed}: {count} connections, no disagreement; accepted by one side only: "
          + ", ".join(f"{reason} {number}" for reason, number in sorted(seen.items())))
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ours", required=True, help="the program read_messages")
    parser.add_argument("--node", default="node")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--go-on", action="store_true", help="print every disagreement")
    arguments = parser.parse_args()
    script = pathlib.Path(__file__).with_name("read_messages.js")
    parsers = [Parser(arguments.ours), Parser(arguments.node, str(script))]
    code = run(arguments, parsers)
    if code == 0 and any(parser.stop() != 0 for parser in parsers):
        print("a parser failed at its end")
        code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
