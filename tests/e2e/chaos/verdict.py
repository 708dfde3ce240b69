"""The end of a run: tables, and what is wrong."""
import collections
import dataclasses
import re

from . import ledger

WARM_S = 300            # from then on memory and descriptors are flat
LONG_S = 2 * WARM_S     # shorter runs say nothing about that
GROWTH = 0.05           # of memory, that a run may show after it is warm
GROWTH_BYTES = 1 << 20
FDS_LEFT = 2            # more than at the start, when nothing runs any more: the store's files
SHOWN = 30
CRASH = re.compile(r".*: its process (?:ended with status|was killed by signal (?!9;)).*")  # 9 was us


@dataclasses.dataclass
class Complaint:
    what: str
    lines: list

    def __str__(self):
        more = [f"  ... and {len(self.lines) - SHOWN} more"] if len(self.lines) > SHOWN else []
        return "\n".join([f"{self.what}:", *(f"  {line}" for line in self.lines[:SHOWN]), *more])


def complain(what, lines):
    lines = list(lines)
    return [Complaint(what, lines)] if lines else []


def share_table(shares):
    rows = [["shares by phase", "arm", "wanted", "got", "of", "points off", ""]]
    for share in shares:
        got = share.got / share.total if share.total else 0
        rows.append([share.phase, share.arm, f"{share.wanted:.1%}", f"{got:.1%}", share.total,
                     f"{100 * (got - share.wanted):+.2f}", "" if share.is_kept else "OFF"])
    return rows


def allowance_table(book):
    used = collections.Counter()
    for allowance in book.allowances:
        used[allowance.why.rsplit(" of ", 1)[0], "/".join(allowance.outcomes)] += allowance.used
    return [["allowed", "outcome", "requests"],
            *([why, outcome, count] for (why, outcome), count in sorted(used.items()) if count)]


def time_table(rows, lines=12):
    """Evenly chosen samples."""
    shown = [rows[i * (len(rows) - 1) // max(1, lines - 1)] for i in range(min(lines, len(rows)))]
    return [["seconds", "RSS KiB", "fds", "active", "upstreams"],
            *([f"{at:.0f}", f"{rss / 1024:.0f}", f"{fds:.0f}", f"{active:.0f}", f"{upstreams:.0f}"]
              for at, rss, fds, active, upstreams in shown)]


def latency_table(entries):
    rows = [["milliseconds to the head", "half", "99 %", "longest"]]
    by_kind = collections.defaultdict(list)
    for entry in entries:
        if entry.head_at is not None:
            by_kind[entry.kind].append(1000 * (entry.head_at - entry.started))
    for kind, times in sorted(by_kind.items()):
        times.sort()
        rows.append([kind, *(f"{times[min(len(times) - 1, int(part * len(times)))]:.0f}" for part in (0.5, 0.99, 1))])
    silences = [entry.silence for entry in entries if entry.silence]
    if silences:
        rows.append([f"longest silence in a stream: {max(silences):.1f} s", "", "", ""])
    return rows


def growth(rows, is_sanitized):
    """What grew after the warm-up: sentences."""
    warm = [row for row in rows if row[0] >= WARM_S]
    if not rows or rows[-1][0] < LONG_S or len(warm) < 10:
        return []
    part = max(5, len(warm) // 10)

    def mean(of, column):
        return sum(row[column] for row in of) / len(of)

    found = []
    (rss, late_rss), (fds, late_fds) = ((mean(warm[:part], c), mean(warm[-part:], c)) for c in (1, 2))
    if not is_sanitized and late_rss > rss * (1 + GROWTH) + GROWTH_BYTES:
        found.append(f"memory went from {rss / 1024:.0f} to {late_rss / 1024:.0f} KiB")
    if late_fds > fds * 1.2 + 20:
        found.append(f"descriptors went from {fds:.0f} to {late_fds:.0f}")
    return found


def unaccounted(book, gateway):
    """Every exchange that the gateway saw the end of is one of ours."""
    reached = sum(e.outcome not in (ledger.UNREACHED, ledger.LOST) for e in book.entries)
    lost = sum(e.outcome == ledger.LOST for e in book.entries)
    ends = gateway.metric("serin_request_ends_total")
    if not reached <= ends <= reached + lost:
        return [f"the gateway ended {ends:.0f} exchanges, clients saw {reached}"]
    return []


def crashes(log):
    return [line[0] for line in CRASH.finditer(log)]


def judge(book, result):
    """All complaints about a run; `result` is what __main__.run() found out."""
    return [
        *complain("requests that nothing explains", book.unexplained()),
        *complain("shares that are off", (s for s in share_table([s for s in book.shares() if not s.is_kept])[1:])),
        *complain("sessions that did not stick", book.key_breaches()),
        *complain("steps that failed", result.failures),
        *complain("exchanges", result.unaccounted),
        *complain("model servers that ended by themselves", result.crashes),
        *complain("left over after everything was deleted", result.leftovers),
        *complain("growth", growth(result.samples, result.is_sanitized)),
    ]


def tables(book, result):
    yield book.table()
    yield share_table(book.shares())
    yield allowance_table(book)
    yield latency_table(book.entries)
    yield time_table(result.samples)
