"""False verdicts on laws, over worlds that nothing was set on; and what a verdict costs.

Each world of ``law_judging`` is judged as a system of a few clips and clip by clip. False is a
verdict that names another law than the world's own, or any where it obeys none of the candidates.
Prints every false verdict, the rates by sort of world with Wilson's 95 % interval, and last how
long the tests of what a law leaves out take beside the fits of all candidates.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from law_judging import JUDGING
from law_tuning import TUNING
from law_worlds import World
from scipy.stats import binomtest
from threadpoolctl import threadpool_limits

from physprobe.discover import _evidence, _modes, _order, _verdict
from physprobe.discover._laws import BY_NAME

CLIPS, SEED, SHUFFLES, MOST = 4, 1, 499, 0.02


def judged(world: World, clips: int = CLIPS) -> tuple[list[str | None], float, float]:
    """Laws named for the system and for each clip; seconds of the fits and of all the rest."""
    modes = _modes.analyse(world.clips(clips, SEED), periodic=world.periodic)
    start = time.perf_counter()
    evidence = _evidence.gather(modes)
    fitted = time.perf_counter()
    shuffled = _order.succession(modes, SHUFFLES)
    verdicts = [_verdict.pooled(evidence, shuffled), *_verdict.of_clips(evidence, shuffled)]
    laws = [verdict.law for verdict in verdicts]
    return laws, fitted - start, time.perf_counter() - fitted


def false(world: World, law: str | None) -> bool:
    """Whether a law that is named has another verdict than the world's."""
    right = BY_NAME[world.law].verdict if world.law else None
    return law is not None and BY_NAME[law].verdict != right


def share(happened: list[bool]) -> str:
    """Rate with its interval."""
    test = binomtest(sum(happened), len(happened))
    low, high = test.proportion_ci(method="wilson")
    return (
        f"{sum(happened)} of {len(happened)}"
        f" = {100 * test.statistic:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
    )


def check() -> str:
    """Gate: a world of each sort that thresholds were set on."""
    told = {"decay", "wave", "advection growing 2.3-fold", "linear fade"}
    worlds = [world for world in TUNING if world.name in {f"{name}, noise 0.02" for name in told}]
    for world in worlds:
        laws = judged(world)[0]
        if set(laws) != {world.law}:
            raise SystemExit(f"gate: {world.name}: {laws}, expected {world.law}")
    return f"gate: {len(worlds)} worlds, {len(told)} expected"


def main() -> None:
    """Every world, rates, seconds."""
    print(check())
    systems, clips, right = {True: [], False: []}, {True: [], False: []}, []
    fitting = testing = 0.0
    for world in JUDGING:
        laws, fitted, rest = judged(world)
        fitting, testing = fitting + fitted, testing + rest
        wrong = [false(world, law) for law in laws]
        systems[world.law is not None].append(wrong[0])
        clips[world.law is not None] += wrong[1:]
        if world.law:
            right.append(laws[0] == world.law)
        if any(wrong):
            print(f"false: {world.name}: system {laws[0]}, clips {laws[1:]}", flush=True)
    print(f"named worlds: right of systems {share(right)}")
    for own, said in ((True, "named worlds"), (False, "neighbours")):
        print(f"{said}: false of systems {share(systems[own])}, of clips {share(clips[own])}")
    every = [wrong for kind in systems.values() for wrong in kind]
    single = [wrong for kind in clips.values() for wrong in kind]
    print(f"all: false of systems {share(every)}, of clips {share(single)}")
    print(f"ratio: (fits + tests) / fits = {(fitting + testing) / fitting:.2f}")
    if max(sum(one) / len(one) for one in (every, single)) > MOST:
        raise SystemExit(f"more than {100 * MOST:.0f} % are false")


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
