"""What is done to a gateway, step by step.  A plan depends on nothing but its seed: the same seed, the same steps.

A step is the name of a method of scenario.Run with its arguments.  A plan that has no end is taken for as long as there
is time.  The planner knows what its steps have done, so that each makes sense when its turn comes."""
import dataclasses
import itertools
import random


@dataclasses.dataclass
class Step:
    name: str
    arguments: dict

    def __str__(self):
        return " ".join([self.name.replace("_", " "), *(f"{k}={show(v)}" for k, v in self.arguments.items())])


def show(value):
    if isinstance(value, dict):
        return "/".join(str(part) for part in value.values())
    if isinstance(value, list):
        return "[" + ", ".join(map(str, value)) + "]"
    return str(value)


def step(name, /, **arguments):
    return Step(name, arguments)


def pools(base, candidate):
    return {"pool-base": base, "pool-candidate": candidate}


def adapters(first, second):
    return {"travel-helper-v1": first, "travel-helper-v2": second}


def walkthrough(seed, draws):
    """Both walkthroughs, first to last: a candidate takes over from the base model, an adapter from its predecessor.

    `draws`: requests without a key per split and phase."""
    del seed  # it is for the load only: the story is always the same
    return [
        step("apply_base"),
        step("phase", name="base alone", draws=draws),
        step("apply_candidate"),
        step("split", weights=pools(90, 10)),
        step("adapters", weights=adapters(90, 10)),
        step("phase", name="90/10", draws=draws),
        step("split", weights=pools(50, 50)),
        step("adapters", weights=adapters(50, 50)),
        step("phase", name="50/50", draws=draws),
        step("scale", deployment="candidate", replicas=3),
        step("phase", name="50/50, 3 replicas", draws=draws // 4),
        step("scale", deployment="candidate", replicas=2),
        step("restart", deployment="candidate"),
        step("restart", deployment="base"),
        step("command", deployment="base", model="Qwen-3-8B"),
        step("command", deployment="candidate", model="DeepSeek-R2-Distill-8B"),
        step("split", weights=pools(0, 100)),
        step("phase", name="0/100", draws=draws),
        step("split", weights=pools(90, 10)),
        step("adapters", weights=adapters(0, 100)),
        step("phase", name="rolled back", draws=draws),
        step("undo", deployment="candidate"),
        step("split", weights=pools(0, 100)),
        step("retire_base"),
        step("phase", name="candidate alone", draws=draws),
    ]


def kills(seed):
    """kill -9 of one of two replicas every 2 s."""
    chance = random.Random(f"{seed}/kills")
    yield step("apply_twins")
    while True:
        yield step("kill_every", deployment="twins", index=chance.randrange(2), period_s=2)


def restarts(seed):
    """The gateway itself ends by SIGTERM and comes back, again and again."""
    chance = random.Random(f"{seed}/restarts")
    yield step("apply_base")
    yield step("apply_candidate")
    yield step("split", weights=pools(50, 50))
    yield step("adapters", weights=adapters(90, 10))
    while True:
        yield step("restart_gateway")
        yield step("phase", name="after a restart", draws=chance.randint(20, 60))


class Mixed:
    """Anything, in any order, over the manifests of the walkthrough."""

    SIZES = {1: 1, 2: 3, 3: 2}

    def __init__(self, seed):
        self.chance = random.Random(f"{seed}/mixed")
        self.replicas = {"base": 2, "candidate": 2}
        self.has_candidate = True
        self.has_adapters = True
        self.numbers = itertools.count(1)

    def steps(self):
        yield step("apply_base")
        yield step("apply_candidate")
        yield step("split", weights=pools(50, 50))
        yield step("adapters", weights=adapters(90, 10))
        for deployment in self.replicas:
            yield step("scale", deployment=deployment, replicas=2)
        while True:
            yield self.next()

    def next(self):
        return self.pick(*self.calm(), *self.faults(), (4, self.rollout),
                         (1 if self.has_candidate else 4, self.retire_or_return),
                         (1 if self.has_adapters else 4, self.adapters_come_or_go))

    def pick(self, *choices):
        return self.chance.choices([make for _, make in choices], [weight for weight, _ in choices])[0]()

    def calm(self):
        return ((3, self.split), (1, self.adapters), (2, self.scale), (2, self.storm), (1, self.bad_apply),
                (1, self.listener))

    def faults(self):
        return ((3, self.kill), (1, self.kill_all), (2, self.delete_pod), (2, self.hold), (2, self.slow),
                (2, self.refuse), (1, self.errors), (1, self.die), (2, self.freeze))

    def deployment(self):
        return self.chance.choice(["base", "candidate"] if self.has_candidate else ["base"])

    def victim(self):
        deployment = self.deployment()
        return {"deployment": deployment, "index": self.chance.randrange(self.replicas[deployment]),
                "is_only": self.replicas[deployment] == 1}

    def split(self):
        if not self.has_candidate:
            return self.storm()
        return step("split", weights=pools(*self.chance.choice([(90, 10), (50, 50), (10, 90), (1, 2), (100, 0)])))

    def adapters(self):
        if not self.has_adapters:
            return self.storm()
        return step("adapters", weights=adapters(*self.chance.choice([(90, 10), (50, 50), (0, 100), (100, 0)])))

    def scale(self):
        deployment = self.deployment()
        replicas = self.chance.choices(list(self.SIZES), list(self.SIZES.values()))[0]
        self.replicas[deployment] = replicas
        return step("scale", deployment=deployment, replicas=replicas)

    def storm(self):
        return step("storm", patches=self.chance.randint(10, 40), pause_ms=self.chance.choice([0, 10, 50]))

    def bad_apply(self):
        return step("bad_apply", number=self.chance.randint(11, 23))

    def kill(self):
        return step("kill", **self.victim())

    def kill_all(self):
        return step("kill_all", deployment=self.deployment())

    def listener(self):
        return step("listener", port=self.chance.randint(8081, 8089))

    def delete_pod(self):
        return step("delete_pod", **self.victim())

    def hold(self):
        return step("hold", **self.victim(), at=self.chance.choice(["first-token", "event"]),
                    seconds=self.chance.choice([0.5, 2]))

    def slow(self):
        return step("slow", **self.victim(), delay_ms=self.chance.choice([300, 1500]), count=20)

    def refuse(self):
        return step("refuse", **self.victim(), seconds=self.chance.choice([0.5, 2]))

    def errors(self):
        return step("errors", **self.victim(), seconds=1)

    def die(self):
        return step("die", **self.victim(), events=self.chance.randint(0, 5), seconds=1)

    def freeze(self):
        return step("freeze", **self.victim(), seconds=self.chance.choice([0.5, 3]))

    def rollout(self):
        """A rollout, and something else in the middle of it."""
        deployment = self.deployment()
        how = self.chance.choice(["restart", "command", "stuck"])
        model = f"Model-{next(self.numbers)}"
        within = [self.pick((2, self.split), (1, self.adapters), (2, self.storm), (1, self.slow), (1, self.hold))
                  for _ in range(self.chance.randrange(3))]
        if self.replicas[deployment] > 1:
            within += [step("kill", deployment=deployment, index=self.chance.randrange(4), is_only=False)
                       for _ in range(self.chance.randrange(2))]
        return step("rollout", deployment=deployment, how=how, model=model, within=within)

    def retire_or_return(self):
        self.has_candidate = not self.has_candidate
        if self.has_candidate:
            self.replicas["candidate"] = 1
            return step("return_candidate")
        return step("retire_candidate")

    def adapters_come_or_go(self):
        self.has_adapters = not self.has_adapters
        if self.has_adapters:
            return step("adapters", weights=adapters(90, 10))
        return step("drop_adapters")


def mixed(seed):
    return Mixed(seed).steps()
