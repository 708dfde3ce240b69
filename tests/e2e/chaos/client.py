"""An HTTP/1.1 client on asyncio streams that tells exactly how an exchange ended; no more than the load needs."""
import asyncio
import time

MAX_HEAD_BYTES = 64 << 10


class Failure(Exception):
    """An exchange that did not come to its end; the message says what was seen."""


class Unreached(Failure):
    """No connection."""


class Lost(Failure):
    """The connection ended before any byte of a response."""


class Cut(Failure):
    """The connection ended within a response."""


class Connection:
    """One connection: connect(), then send(), head() and body() in turn."""

    def __init__(self, address, port):
        self.address, self.port = address, port
        self.reader = self.writer = None
        self.headers = {}
        self.resting_since = 0.0

    async def connect(self):
        try:
            self.reader, self.writer = await asyncio.open_connection(self.address, self.port, limit=MAX_HEAD_BYTES)
        except OSError as error:
            raise Unreached(str(error)) from None
        return self

    def close(self):
        if self.writer is not None:
            self.writer.close()

    def abort(self):
        """Leaves without a word: a reset, as when a client's process is killed."""
        if self.writer is not None:
            self.writer.transport.abort()

    async def send(self, method, path, headers, body=b"", slices=1, pause_s=0.0):
        """The body in so many pieces, with a pause between two."""
        lines = [f"{method} {path} HTTP/1.1", f"host: {self.address}", *(f"{k}: {v}" for k, v in headers.items())]
        if method != "GET":
            lines += ["content-type: application/json", f"content-length: {len(body)}"]
        try:
            size = -(-len(body) // slices)
            self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body[:size])
            await self.writer.drain()
            for at in range(size, len(body), max(1, size)):
                await asyncio.sleep(pause_s)
                self.writer.write(body[at:at + size])
                await self.writer.drain()
        except OSError:
            pass  # what counts is whether an answer comes

    async def head(self):
        """The status; the headers, with lower-case names, are in .headers."""
        try:
            data = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            raise (Cut("closed within the head") if error.partial else Lost("closed")) from None
        except OSError as error:
            raise Lost(describe(error)) from None
        first, *fields = data[:-4].decode("latin-1").split("\r\n")
        self.headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        return int(first.split(" ", 2)[1])

    async def body(self):
        """The pieces of the body, as they come."""
        try:
            if self.headers.get("transfer-encoding") == "chunked":
                while size := int(await self.reader.readuntil(b"\r\n"), 16):
                    yield (await self.reader.readexactly(size + 2))[:-2]
                await self.reader.readexactly(2)
            else:
                yield await self.reader.readexactly(int(self.headers.get("content-length", "0")))
        except asyncio.IncompleteReadError:
            raise Cut("closed") from None
        except OSError as error:
            raise Cut(describe(error)) from None

    def is_reusable(self):
        return self.headers.get("connection", "").lower() != "close" and not self.reader.at_eof()


def describe(error):
    return "reset" if isinstance(error, ConnectionResetError) else repr(error)


class Connections:
    """Connections that rest between requests.  One that rested for long is not used again: the server may be about to
    close it, and whose fault the lost request is could not be told."""

    MAX_REST_S = 10

    def __init__(self, address, port):
        self.address, self.port = address, port
        self.resting = []

    async def take(self, is_fresh):
        if not is_fresh:
            self.drop_old()
            while self.resting:
                connection = self.resting.pop()
                if connection.is_reusable():
                    return connection
                connection.close()
        return await Connection(self.address, self.port).connect()

    def give_back(self, connection, is_fresh):
        if is_fresh or not connection.is_reusable():
            connection.close()
            return
        connection.resting_since = time.monotonic()
        self.resting.append(connection)

    def drop_old(self):
        oldest = time.monotonic() - self.MAX_REST_S
        while self.resting and self.resting[0].resting_since < oldest:
            self.resting.pop(0).close()

    def close(self):
        while self.resting:
            self.resting.pop().close()
