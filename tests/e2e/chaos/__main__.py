"""python -m chaos --seed N --minutes M --scenario walkthrough|kills|restarts|mixed   (in tests/e2e)

Starts a gateway with its API server and simulated model servers, puts load on it, takes the steps of a plan, deletes
everything, and accounts for every request.  Exit code 0: nothing was lost that the plan does not allow."""
import argparse
import contextlib
import dataclasses
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import traceback

from conftest import ROOT, until

from . import plans, verdict
from .ledger import Ledger, format_table
from .load import Load
from .scenario import Run
from .world import Samples, World

# Per scenario: the manifests of tests/e2e/data, and what delays are divided by (a pod that is killed every 2 s must not
# wait for its restart).
SCENARIOS = {"walkthrough": ("walkthrough", 30), "kills": ("replicas", 1000), "restarts": ("walkthrough", 30),
             "mixed": ("walkthrough", 30)}
LEFT_S = 30            # how long what was deleted may leave descriptors open
DRAWS_PER_MINUTE = 40  # requests per split and phase of a walkthrough


@dataclasses.dataclass
class Options:
    scenario: str = "walkthrough"
    seed: int = 1
    minutes: float = 1
    rate: float = 30
    streams: int = 20
    itl_ms: int = 40
    stream_s: tuple = (5, 20)
    serin: str = str(ROOT / "build" / "serin")
    folder: str = None  # for manifests, logs and the ledger; None: a temporary one, kept when something is wrong


@dataclasses.dataclass
class Result:
    failures: list = dataclasses.field(default_factory=list)
    unaccounted: list = dataclasses.field(default_factory=list)
    crashes: list = dataclasses.field(default_factory=list)
    leftovers: list = dataclasses.field(default_factory=list)
    samples: list = dataclasses.field(default_factory=list)
    is_sanitized: bool = False
    book: Ledger = dataclasses.field(default_factory=Ledger)
    complaints: list = dataclasses.field(default_factory=list)


def plan_of(options):
    if options.scenario == "walkthrough":
        return plans.walkthrough(options.seed, max(20, int(options.minutes * DRAWS_PER_MINUTE)))
    return {"kills": plans.kills, "restarts": plans.restarts, "mixed": plans.mixed}[options.scenario](options.seed)


def take_steps(run, plan, seconds):
    """The steps in turn; those of an endless plan until the time is over."""
    began = time.monotonic()
    for step in plan:
        if not isinstance(plan, list) and time.monotonic() - began > seconds:
            return
        run.take(step)


@contextlib.contextmanager
def noting(result, what):
    """A failure is noted, and what comes after it is done nevertheless."""
    try:
        yield
    except Exception as failure:
        result.failures.append(f"{what}: {failure}")
        traceback.print_exc()


@contextlib.contextmanager
def watching(kubectl):
    """Watches that are open all the time, as people leave them."""
    with contextlib.ExitStack() as stack:
        for kind in ("pods", "httproutes"):
            stack.enter_context(kubectl.watching("get", kind, "-w"))
        yield


def play(options, plan, folder, result, say):
    """One gateway from its start to its end."""
    book = result.book
    manifests, speed = SCENARIOS[options.scenario]
    world = World(options.serin, folder, manifests, speed, options.itl_ms)
    gateway = world.gateway
    try:
        samples = Samples(gateway, book)
        fds = samples.take()[2]
        tokens = [int(seconds * 1000 / options.itl_ms) for seconds in options.stream_s]
        load = Load(gateway.address, book, options.seed, options.rate, options.streams, tokens)
        with watching(world.kubectl), noting(result, "plan"):
            take_steps(Run(world, load, book, say), plan, options.minutes * 60)
        with noting(result, "the end of the load"):
            load.stop()
        with noting(result, "the end"):
            if world.restarts == 0:  # what it counts begins anew
                result.unaccounted = verdict.unaccounted(book, gateway)
            say("delete everything")
            world.delete_all()
            samples.stop()  # its connections are descriptors, too
            result.leftovers = world.wait_nothing_left()
            with noting(result, "descriptors"):
                until(lambda: samples.take()[2] - fds <= verdict.FDS_LEFT, "descriptors closed as before", LEFT_S)
        samples.stop()
        result.samples = samples.rows
    finally:
        with noting(result, "the end of the gateway"):
            result.crashes = verdict.crashes(gateway.log_text())
            gateway.end()


def play_and_judge(options, plan=None, say=print):
    """Plays a scenario, or another plan with its manifests; gives a Result, without complaints when all is well."""
    folder = pathlib.Path(options.folder or tempfile.mkdtemp(prefix="chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    result = Result()
    book = result.book
    binary = pathlib.Path(options.serin).read_bytes()
    result.is_sanitized = b"__asan_init" in binary or b"__tsan_init" in binary
    say(f"chaos --scenario {options.scenario} --seed {options.seed} --minutes {options.minutes:g}")
    with noting(result, "run"):
        play(options, plan or plan_of(options), folder, result, lambda text: say(f"{book.now():8.1f} s  {text}"))
    result.complaints = verdict.judge(book, result)
    (folder / "ledger.jsonl").write_text("".join(json.dumps(dataclasses.asdict(e)) + "\n" for e in book.entries))
    for table in verdict.tables(book, result):
        say("\n" + format_table(table))
    for complaint in result.complaints:
        say(f"\n{complaint}")
    say(f"\nverdict: {'BAD, see above and ' + str(folder) if result.complaints else 'clean'}")
    return result


def main():
    defaults = Options()
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", choices=SCENARIOS, default=defaults.scenario)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31))
    parser.add_argument("--minutes", type=float, default=defaults.minutes)
    parser.add_argument("--rate", type=float, default=defaults.rate, help="requests per second, streams apart")
    parser.add_argument("--streams", type=int, default=defaults.streams, help="streams open at all times")
    parser.add_argument("--itl-ms", type=int, default=defaults.itl_ms, help="milliseconds between tokens")
    parser.add_argument("--stream-s", type=float, nargs=2, default=defaults.stream_s, metavar=("LEAST", "MOST"),
                        help="how long a stream lasts")
    parser.add_argument("--serin", default=defaults.serin, help="the binary under test")
    parser.add_argument("--folder", help="for manifests, logs and the ledger")
    parser.add_argument("--plan", type=int, metavar="N", help="only prints the first N steps of the plan")
    arguments = vars(parser.parse_args())
    count = arguments.pop("plan")
    options = Options(**arguments)
    if count is not None:
        for _, step in zip(range(count), plan_of(options)):
            print(step)
        return 0
    return 1 if play_and_judge(options, say=lambda text: print(text, flush=True)).complaints else 0


if __name__ == "__main__":
    sys.exit(main())
