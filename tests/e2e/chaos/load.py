"""The load: clients that know what they may expect.

A thread of its own sends requests at a steady rate and keeps a number of streams open.  What it asks for comes from the
seed and the number of the request; what it may get comes from the scenario, as the arms that may answer each model just
now (an offer).  Every request ends as an entry of the ledger."""
import asyncio
import dataclasses
import json
import random
import threading
import time

from conftest import until

from . import ledger
from .client import Connections, Cut, Failure, Lost, Unreached

HUNG_S = 120
KEYS = 40
MAX_RUNNING = 2000
TOKENS = (1, 8)  # of answers that are no streams
HEADERS_OF_KEYS = ("x-session-id", "session-id", "x-session-affinity")
PODS = "x-inference-pod"
OUTCOMES = {Unreached: ledger.UNREACHED, Lost: ledger.LOST, Cut: ledger.CUT}

# What is asked for: (weight, kind); streams are asked for by their own clients.
# A long body is longer than what a gateway holds, and comes slowly: it is drawn and passed on while it comes.
KINDS = ((70, "chat"), (15, "text"), (5, "large"), (3, "long"), (10, "list"))
PADDING = {"large": (0, 20000), "long": (250000, 600000)}  # words
SLICES = (10, 30)  # of a long body
SLICE_S = 0.1
STREAM_KINDS = ((70, "stream"), (20, "text stream"), (10, "leaver"))
MODELS = ((50, "mymodel"), (35, "travelhelper"), (15, "travel-helper-v2"))


def pick(chance, weighted):
    return chance.choices([value for _, value in weighted], [weight for weight, _ in weighted])[0]


@dataclasses.dataclass
class Wish:
    """One request to be sent."""
    kind: str
    model: str
    key: str
    key_header: str
    is_fresh: bool
    tokens: int
    padding: int = 0
    slices: int = 1  # in which the body is sent
    leaves_after: int = None  # events

    @property
    def is_stream(self):
        return self.kind in ("stream", "text stream", "leaver")

    def request(self):
        """(method, path, headers, body)."""
        headers = {self.key_header: self.key} if self.key else {}
        if self.is_fresh:
            headers["connection"] = "close"
        if self.kind == "list":
            return "GET", "/v1/models", headers, b""
        body = {"model": self.model, "max_tokens": self.tokens, "ignore_eos": True}
        is_long = self.kind == "long"
        text = "Who are you?" + (" word" * self.padding if not is_long else "")
        is_text = self.kind in ("text", "text stream")
        body |= {"prompt": text} if is_text else {"messages": [{"role": "user", "content": text}]}
        if self.is_stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        if is_long:
            body["note"] = "word " * self.padding  # longer than any context: not in the prompt
        path = "/v1/completions" if is_text else "/v1/chat/completions"
        return "POST", path, headers, json.dumps(body).encode()


def make_wish(seed, number, is_stream, offered, stream_tokens):
    """What request `number` asks for: the same for the same seed and the same offer."""
    chance = random.Random(f"{seed}/{'stream' if is_stream else 'request'}/{number}")
    kind = pick(chance, STREAM_KINDS if is_stream else KINDS)
    model = pick(chance, MODELS)
    has_key, key, header = chance.random() < 0.25, f"user-{chance.randrange(KEYS)}", chance.choice(HEADERS_OF_KEYS)
    is_fresh = chance.random() < 0.3
    tokens = chance.randint(*(stream_tokens if is_stream else TOKENS))
    if kind == "list" and "" not in offered:
        kind = "chat"
    if kind == "list":
        model, tokens = "", 0
    elif model not in offered:
        model = next(iter(m for m in offered if m))
    return Wish(kind, model, key if has_key else "", header, is_fresh, tokens,
                padding=chance.randrange(*PADDING[kind]) if kind in PADDING else 0,
                slices=chance.randint(*SLICES) if kind == "long" else 1,
                leaves_after=chance.randrange(1, tokens) if kind == "leaver" else None)


class Load:
    """start(), offer() and offer() again while it runs, stop()."""

    def __init__(self, address, book, seed, rate, streams, stream_tokens):
        """rate: requests per second; streams: how many are open at all times, with a number of tokens from a range."""
        self.connections = Connections(address, 8080)
        self.book, self.seed, self.rate = book, seed, rate
        self.streams, self.stream_tokens = streams, stream_tokens
        self.offers = []      # (since, {model: set of arms}); the last one is in force
        self.running = set()  # the entries under way
        self.sent = {False: 0, True: 0}  # requests, streams
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.run()), name="load")

    def offer(self, arms):
        """From now on these models may be asked for, and these arms may answer.  An answer may come from an arm of any
        offer between its request and its head."""
        self.offers.append((self.book.now(), arms))

    def start(self):
        self.thread.start()

    def stop(self):
        """Sends nothing more, and waits until all that was sent is over."""
        self.is_over.set()
        if self.thread.ident is None:
            return
        self.thread.join(HUNG_S + 60)
        assert not self.thread.is_alive(), "the load does not end"

    def wait_heads(self, models=None):
        """Until all requests that are under way now, or those for some models, have their heads or have failed."""
        waiting = {e for e in tuple(self.running) if e.head_at is None and (models is None or e.model in models)}
        until(lambda: not any(e.head_at is None for e in waiting & self.running), "the heads of answers", HUNG_S)

    async def run(self):
        tasks = {asyncio.create_task(self.stream_again_and_again()) for _ in range(self.streams)}
        due = time.monotonic()
        while not self.is_over.is_set():
            if len(tasks) < MAX_RUNNING:
                task = asyncio.create_task(self.send_next(is_stream=False))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            due = max(due + 1 / self.rate, time.monotonic() - 1)
            await asyncio.sleep(max(0, due - time.monotonic()))
        await asyncio.gather(*tasks)
        self.connections.close()

    async def stream_again_and_again(self):
        while not self.is_over.is_set():
            entry = await self.send_next(is_stream=True)
            if entry.outcome not in ledger.FINE:
                await asyncio.sleep(0.2)

    async def send_next(self, is_stream):
        self.sent[is_stream] += 1
        wish = make_wish(self.seed, self.sent[is_stream], is_stream, self.offers[-1][1], self.stream_tokens)
        entry = ledger.Entry(f"{'s' if is_stream else 'r'}{self.sent[is_stream]}", wish.kind, wish.model, wish.key,
                             wish.is_fresh, wish.tokens, started=self.book.now())
        self.running.add(entry)
        try:
            async with asyncio.timeout(HUNG_S):
                await self.exchange(wish, entry)
        except TimeoutError:
            entry.outcome = ledger.HUNG
        entry.ended = self.book.now()
        self.running.discard(entry)
        self.book.add(entry)
        return entry

    async def exchange(self, wish, entry):
        """Sends a request and reads what comes; how that ended goes into the entry."""
        connection = None
        try:
            connection = await self.connections.take(wish.is_fresh)
            await connection.send(*wish.request(), slices=wish.slices, pause_s=SLICE_S)
            entry.status = await connection.head()
            entry.head_at = self.book.now()
            entry.arm = connection.headers.get("x-serin-arm", "")
            entry.pod = connection.headers.get(PODS, "")
            entry.reason = connection.headers.get("x-serin-reason", "")
            is_whole = await self.read(wish, entry, connection)
        except Failure as failure:
            entry.outcome = OUTCOMES[type(failure)]
            entry.reason = str(failure)
            is_whole = False
        except (ValueError, KeyError, IndexError, TypeError) as failure:
            entry.outcome, entry.detail = ledger.WRONG, f"not to be understood: {failure!r}"
            is_whole = False
        except asyncio.CancelledError:
            if connection is not None:
                connection.abort()
            raise
        if is_whole:
            self.connections.give_back(connection, wish.is_fresh)
        elif connection is not None:
            connection.abort()

    async def read(self, wish, entry, connection):
        """Reads the body; False when the connection is of no use any more."""
        if wish.is_stream and entry.status == 200:
            stream = Stream(entry)
            async for piece in connection.body():
                stream.feed(piece)
                if wish.leaves_after is not None and entry.events >= wish.leaves_after:
                    entry.outcome = ledger.LEFT
                    return False
            self.settle(entry, stream.complaint())
        else:
            body = b"".join([piece async for piece in connection.body()])
            self.settle(entry, complaint_about(entry, body) if entry.status == 200 else None)
            if entry.status != 200 and not entry.reason:
                entry.detail = body[:200].decode(errors="replace")
        return True

    def settle(self, entry, complaint):
        """The outcome of an exchange that was read to its end."""
        if entry.status != 200:
            entry.outcome = ledger.REFUSED
        elif complaint is not None and entry.reason:
            entry.outcome, entry.detail = ledger.CUT, complaint
        else:
            complaint = complaint or self.complaint_about_arm(entry)
            entry.outcome, entry.detail = (ledger.WRONG, complaint) if complaint else (ledger.WHOLE, "")

    def complaint_about_arm(self, entry):
        """None when an offer that was in force between request and head names the arm."""
        in_force = [arms for since, arms in self.offers if since <= entry.head_at]
        began = sum(since <= entry.started for since, _ in self.offers)
        allowed = set().union(*(arms.get(entry.model, set()) for arms in in_force[max(0, began - 1):]))
        return None if entry.arm in allowed else f"not by one of {', '.join(sorted(allowed))}"


class Stream:
    """The events of one stream: what they say is kept in the entry."""

    def __init__(self, entry):
        self.entry = entry
        self.rest = b""
        self.is_done = False
        self.usage = self.finish = self.error = None
        self.models = set()
        self.last = time.monotonic()

    def feed(self, piece):
        now = time.monotonic()
        self.entry.silence = max(self.entry.silence, now - self.last)
        self.last = now
        *events, self.rest = (self.rest + piece).split(b"\n\n")
        for event in events:
            self.take(event)

    def take(self, event):
        data = event.removeprefix(b"data: ")
        if data == b"[DONE]":
            self.is_done = True
            return
        event = json.loads(data)
        if "error" in event:
            self.error = event["error"]
            self.entry.reason = self.error["code"]
            return
        self.models.add(event["model"])
        self.usage = event.get("usage") or self.usage
        for choice in event["choices"]:
            self.entry.events += bool(choice.get("text") or choice.get("delta", {}).get("content"))
            self.finish = choice["finish_reason"] or self.finish

    def complaint(self):
        """None when it is whole and what was asked for."""
        entry = self.entry
        if self.error is not None:
            return f"error event after {entry.events} of {entry.wanted}"
        if not self.is_done or self.rest:
            return f"no [DONE] after {entry.events} of {entry.wanted} events"
        told = self.usage["completion_tokens"] if self.usage else None
        if not entry.events == told == entry.wanted or self.finish != "length":
            return f"{entry.events} events, usage {told}, {entry.wanted} wanted, finish {self.finish}"
        return complaint_about_model(entry, self.models)


def complaint_about(entry, body):
    """None when a whole answer is what was asked for."""
    answer = json.loads(body)
    if entry.kind == "list":
        return None if answer["data"] else "an empty list"
    told = answer["usage"]["completion_tokens"]
    if told != entry.wanted:
        return f"{told} tokens, {entry.wanted} wanted"
    choice = answer["choices"][0]
    if not (choice.get("text") or choice.get("message", {}).get("content")):
        return "no text"
    return complaint_about_model(entry, {answer["model"]})


def complaint_about_model(entry, models):
    target = entry.arm.partition("/")[2]
    return None if models == {target} else f"answered by {', '.join(sorted(models))}, the arm is {entry.arm}"
