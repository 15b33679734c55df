"""Koopman intervals: eigenvalues of bootstrap draws by reweighting, against refitting every draw.

200 clips of 32 times in 32 components, one core. A draw of clips reweights the sums of each clip;
the peers gather the drawn clips and fit again, with the same ridge, and with PyDMD's exact DMD. The
gate comes first: the same draws give the same eigenvalues to 1e-8.
"""

import time

import numpy as np
from pydmd import DMD
from threadpoolctl import threadpool_limits

from physprobe.fit.methods._pairs import FIRST, Layout, moments
from physprobe.fit.methods._spectrum import _eigenvalues, spectrum
from physprobe.fit.methods._transition import fit
from physprobe.statistics import seeds

CLIPS, TIMES, RANK, PENALTY, DRAWS, REFITS = 200, 32, 32, 1e-3, 1000, 40
GROUPS = np.arange(CLIPS)


def clips() -> np.ndarray:
    """Trajectories (clip, time, component) of a noisy linear system."""
    rng = np.random.default_rng(0)
    operator = 0.95 * np.linalg.qr(rng.normal(size=(RANK, RANK)))[0]
    found = [rng.normal(size=(CLIPS, RANK))]
    for _ in range(TIMES - 1):
        found.append(found[-1] @ operator.T + 0.3 * rng.normal(size=(CLIPS, RANK)))
    return np.stack(found, axis=1)


def reweighted(latent: np.ndarray) -> np.ndarray:
    """Eigenvalues (draw, eigenvalue), sums per clip included."""
    layout = Layout.of(RANK)
    sums = moments(latent, layout, GROUPS[:, None])
    return spectrum(sums, layout, RANK, 1, PENALTY, groups=GROUPS, draws=DRAWS, seed=0).draws


def drawn(draws: int = REFITS) -> np.ndarray:
    """Clips (draw, clip) of the same bootstrap."""
    rng = seeds.rng("spectrum", 0)
    counts = rng.multinomial(CLIPS, np.full(CLIPS, 1 / CLIPS), size=DRAWS)[:draws]
    return np.stack([np.repeat(GROUPS, count) for count in counts])


def refitted(latent: np.ndarray, draws: int = REFITS) -> np.ndarray:
    """Eigenvalues of the first draws, each from its own clips."""
    layout = Layout.of(RANK)
    found = []
    for chosen in drawn(draws):
        sums = moments(latent[chosen], layout, [GROUPS])
        found.append(_eigenvalues(fit(sums, layout, RANK, 1, PENALTY).companion))
    return np.stack(found)


def pydmd(latent: np.ndarray) -> None:
    """Exact DMD of the first draws."""
    for chosen in drawn():
        now = latent[chosen, FIRST:-1].reshape(-1, RANK).T
        then = latent[chosen, FIRST + 1 :].reshape(-1, RANK).T
        DMD(svd_rank=-1).fit(now, then)


def seconds(function, latent: np.ndarray, repeats: int) -> float:
    """Shortest of several runs [s]."""
    found = []
    for _ in range(repeats):
        begin = time.perf_counter()
        function(latent)
        found.append(time.perf_counter() - begin)
    return min(found)


def check(draws: int = 2) -> str:
    """Gate: the same eigenvalues by reweighting and by refitting."""
    latent = clips()
    for one, other in zip(reweighted(latent)[:draws], refitted(latent, draws), strict=True):
        distance = np.abs(one[:, None] - other).min(1).max()
        if not distance <= 1e-8:
            raise SystemExit(f"gate: eigenvalues differ by {distance:.1e}")
    return f"gate: eigenvalues of {draws} draws agree to 1e-8"


def main() -> None:
    """Gate, then both sides in turn."""
    latent = clips()
    with threadpool_limits(1):
        print(check(REFITS))
        ours = seconds(reweighted, latent, 3) / DRAWS
        refits = seconds(refitted, latent, 2) / REFITS
        exact = seconds(pydmd, latent, 2) / REFITS
    print(f"reweighting: {ours * DRAWS:.2f} s for {DRAWS} draws, {ours * 1e3:.2f} ms a draw")
    print(f"refitting: {refits * 1e3:.2f} ms a draw; PyDMD: {exact * 1e3:.2f} ms a draw")
    print(f"ratio: {refits / ours:.1f} x against refitting, {exact / ours:.1f} x against PyDMD")


if __name__ == "__main__":
    main()
