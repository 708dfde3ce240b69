"""Steady traffic for tests that need hundreds of answers a second: connections that ask, read, and ask again.

Sockets and a few lines of HTTP instead of a client library: the load must not cost more than the gateway.  Every answer
is accounted for: its status, its arm, whether it was whole."""
import asyncio
import collections
import json
import threading


class Traffic:
    """A `with` block.  `answers` counts (arm, status), `broken` what did not end as HTTP says."""

    def __init__(self, host, port=8080, connections=16, body=None, stream=True, headers=(), path="/v1/chat/completions",
                 pause_s=0.0):
        self.host, self.port, self.connections, self.pause_s = host, port, connections, pause_s
        body = {"model": "mymodel", "messages": [{"role": "user", "content": "Tell me."}], "max_tokens": 6,
                "stream": stream, **(body or {})}
        if stream:
            body["stream_options"] = {"include_usage": True}
        text = json.dumps(body).encode()
        lines = [f"POST {path} HTTP/1.1", f"Host: {host}", "Content-Type: application/json",
                 f"Content-Length: {len(text)}", *headers]
        self.request = "\r\n".join(lines).encode() + b"\r\n\r\n" + text
        self.answers = collections.Counter()
        self.broken = []
        self.samples = {}  # (arm, status): the first body of its kind
        self.is_over = False
        self.thread = threading.Thread(target=lambda: asyncio.run(self.run()))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.is_over = True
        self.thread.join()

    def total(self, arm=None, status=None):
        return sum(count for (a, s), count in list(self.answers.items())
                   if (arm is None or a == arm) and (status is None or s == status))

    def statuses(self):
        """How many of each status, over all arms."""
        total = collections.Counter()
        for (_, status), count in list(self.answers.items()):
            total[status] += count
        return total

    async def run(self):
        await asyncio.gather(*(self.ask_on() for _ in range(self.connections)))

    async def ask_on(self):
        while not self.is_over:
            try:
                reader, writer = await asyncio.open_connection(self.host, self.port)
            except OSError as error:
                self.broken.append(f"connect: {error}")
                await asyncio.sleep(0.05)
                continue
            try:
                while not self.is_over and await self.ask(reader, writer):
                    await asyncio.sleep(self.pause_s)
            except (OSError, asyncio.IncompleteReadError) as error:
                self.broken.append(repr(error))
            finally:
                writer.close()

    async def ask(self, reader, writer):
        """One exchange; whether the connection is good for another."""
        writer.write(self.request)
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split()[1])
        fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        arm = fields.get("x-serin-arm", "")
        body = b""
        if "chunked" in fields.get("transfer-encoding", ""):
            while (size := int((await reader.readuntil(b"\r\n")).strip(), 16)) > 0:
                body += (await reader.readexactly(size + 2))[:-2]
            await reader.readexactly(2)
        else:
            body = await reader.readexactly(int(fields.get("content-length", 0)))
        self.answers[arm, status] += 1
        self.samples.setdefault((arm, status), body)
        if status == 200 and b"text/event-stream" in head and not body.rstrip().endswith(b"data: [DONE]"):
            self.broken.append(f"a stream without its end: {body[-200:]!r}")
        return fields.get("connection") != "close"
