"""The ledger: every request that was sent, how it ended, and whether the scenario allows that.

The load writes an entry when a request is over; the scenario writes what it allows, and the phases in which shares are
known.  Times are seconds since the ledger was opened.  Nothing here does I/O."""
import collections
import dataclasses
import math
import time

# How a request may end.
WHOLE = "whole"          # answered in full, and as it was asked
REFUSED = "refused"      # an error status, answered in full
CUT = "cut"              # answered in part, then an error event or a reset
LOST = "lost"            # the connection ended before any byte of an answer
UNREACHED = "unreached"  # no connection
WRONG = "wrong"          # answered in full, but not what was asked: another arm, model or number of events
HUNG = "hung"            # no end in sensible time
LEFT = "left"            # the client left, as it had meant to
OUTCOMES = (WHOLE, LEFT, REFUSED, CUT, LOST, UNREACHED, WRONG, HUNG)
FINE = (WHOLE, LEFT)

POINTS = 0.015  # how far an achieved share may be from the wanted one ...
DRAWS = 2.5     # ... or how many requests: the first and the last round of a phase are not complete


@dataclasses.dataclass(slots=True, eq=False)
class Entry:
    """One request, from the client's side."""
    number: str
    kind: str
    model: str
    key: str               # of its session; "" without
    is_fresh: bool         # over a connection of its own
    wanted: int            # tokens asked for
    started: float = 0.0
    head_at: float = None  # when the response head was there
    ended: float = 0.0
    status: int = 0
    arm: str = ""
    pod: str = ""
    events: int = 0        # with text in them
    silence: float = 0.0   # longest time without an event
    outcome: str = ""
    reason: str = ""       # machine reason of an error
    detail: str = ""

    @property
    def pool(self):
        return self.arm.split("/")[0]

    def __str__(self):
        where = " ".join(word for word in (self.arm, self.pod) if word)
        head = f"head {self.head_at:.2f}" if self.head_at is not None else "no head"
        return (f"{self.number} {self.kind} {self.model or '-'}{' key ' + self.key if self.key else ''} "
                f"{self.started:.2f}..{self.ended:.2f} ({head}) {where}: {self.outcome} {self.status or ''} "
                f"{self.reason} {self.detail}".rstrip())


@dataclasses.dataclass
class Allowance:
    """What may go wrong, when, and why.  Empty sets mean: any."""
    why: str
    outcomes: tuple
    since: float
    until: float = math.inf
    begun_by: float = math.inf  # when it was sent at the latest
    pods: frozenset = frozenset()
    pools: frozenset = frozenset()
    reasons: frozenset = frozenset()
    kinds: frozenset = frozenset()
    used: int = 0

    def covers(self, entry):
        return (entry.outcome in self.outcomes and self.since <= entry.ended <= self.until
                and entry.started <= self.begun_by
                and (not self.pods or entry.pod in self.pods) and (not self.pools or entry.pool in self.pools)
                and (not self.reasons or entry.reason in self.reasons)
                and (not self.kinds or entry.kind in self.kinds))


@dataclasses.dataclass
class Split:
    """Models whose requests are drawn together ("": requests that name none), and the weights of the arms: pools, or
    pools with a target model."""
    models: frozenset
    weights: dict

    def arm_of(self, entry):
        return entry.arm if any("/" in arm for arm in self.weights) else entry.pool

    def draws(self, entries, phase):
        return [entry for entry in entries if entry.model in self.models and phase.holds(entry)]


@dataclasses.dataclass
class Share:
    """What one arm got in a phase."""
    phase: str
    arm: str
    got: int
    total: int
    wanted: float  # 0..1

    @property
    def is_kept(self):
        return abs(self.got - self.wanted * self.total) <= max(POINTS * self.total, DRAWS)


@dataclasses.dataclass
class Phase:
    """A time in which the weights of some splits stand still."""
    name: str
    splits: list
    since: float
    until: float = math.inf

    def holds(self, entry):
        """Whether it was drawn within the phase: it began after the weights were in force and before the phase was
        over.  They change only when the heads of all of these are there: to leave out those that wait for theirs
        would leave out the slower arm's."""
        return self.since <= entry.started <= self.until and entry.head_at is not None


class Ledger:
    def __init__(self):
        self.opened = time.monotonic()
        self.entries, self.allowances, self.phases = [], [], []

    def now(self):
        return time.monotonic() - self.opened

    def add(self, entry):
        self.entries.append(entry)

    def allow(self, why, *outcomes, since=None, seconds=math.inf, pods=(), pools=(), reasons=(), kinds=()):
        """Gives the allowance: its `until` may be set later."""
        since = self.now() if since is None else since
        allowance = Allowance(why, outcomes, since, since + seconds, pods=frozenset(pods), pools=frozenset(pools),
                              reasons=frozenset(reasons), kinds=frozenset(kinds))
        self.allowances.append(allowance)
        return allowance

    def begin_phase(self, name, splits):
        self.phases.append(Phase(name, splits, self.now()))
        return self.phases[-1]

    def count(self, outcome):
        return sum(entry.outcome == outcome for entry in self.entries)

    def unexplained(self):
        """The entries that nothing allows; counts how often each allowance was used."""
        left = []
        for allowance in self.allowances:
            allowance.used = 0
        for entry in self.entries:
            if entry.outcome in FINE:
                continue
            allowance = next((a for a in self.allowances if a.covers(entry)), None)
            if allowance is None:
                left.append(entry)
            else:
                allowance.used += 1
        return left

    def shares(self):
        """What each arm got of the requests without a key, phase by phase."""
        rows = []
        for phase in self.phases:
            for split in phase.splits:
                got = collections.Counter(split.arm_of(e) for e in split.draws(self.entries, phase) if not e.key)
                for arm in sorted({*split.weights, *got}):
                    wanted = split.weights.get(arm, 0) / sum(split.weights.values())
                    rows.append(Share(phase.name, arm, got[arm], got.total(), wanted))
        return rows

    def key_breaches(self):
        """Keys that were on two arms within a phase, or that moved against the change of the weights between two."""
        breaches, before = [], {}
        for phase in self.phases:
            for split in phase.splits:
                arms = collections.defaultdict(set)
                for entry in split.draws(self.entries, phase):
                    if entry.key and entry.outcome in FINE:
                        arms[entry.key].add(split.arm_of(entry))
                breaches += [f"{phase.name}: key {key} was on {', '.join(sorted(on))}"
                             for key, on in arms.items() if len(on) > 1]
                if split.models in before:
                    breaches += [f"{phase.name}: {move}" for move in moves_against(*before[split.models], split, arms)]
                before[split.models] = split, arms
        return breaches

    def table(self):
        """Requests by kind and outcome."""
        counts = collections.Counter((entry.kind, entry.outcome) for entry in self.entries)
        shown = [outcome for outcome in OUTCOMES if any(o == outcome for _, o in counts)]
        rows = [["requests", *shown, "all"]]
        for kind in sorted({kind for kind, _ in counts}):
            rows.append([kind, *(counts[kind, outcome] for outcome in shown),
                         sum(n for (k, _), n in counts.items() if k == kind)])
        rows.append(["all", *(sum(n for (_, o), n in counts.items() if o == outcome) for outcome in shown),
                     sum(counts.values())])
        return rows


def moves_against(old, old_arms, new, new_arms):
    """Keys that went to an arm whose weight had not grown against that of the arm they left."""
    for key, on in new_arms.items():
        was = old_arms.get(key, on)
        if was == on or len(was) > 1 or len(on) > 1:
            continue
        (left,), (come,) = was, on
        if new.weights.get(come, 0) * old.weights.get(left, 0) <= old.weights.get(come, 0) * new.weights.get(left, 0):
            yield f"key {key} went from {left} to {come}"


def format_table(rows):
    """Columns of text, the first one left and the others right aligned."""
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(str(cell).ljust(width) if i == 0 else str(cell).rjust(width)
                               for i, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows)
