"""Worlds that thresholds were set on: each law that we name, and neighbours of it."""

import numpy as np
from law_worlds import (
    FRAMES,
    KX,
    KY,
    SQUARE,
    TIME,
    World,
    bump,
    div,
    drifted,
    dx,
    dy,
    even,
    first_order,
    halves,
    integrated,
    lap,
    second_order,
    spectral,
    start,
    swing,
    to,
    turn,
    uniform,
    velocities,
    walled,
    wavy,
)

SOLE = uniform  # one parameter per clip


def decay(rng, clips):
    return first_order(start(rng, clips), -SOLE(rng, 0.01, 0.06, clips) + 0 * SQUARE)


def diffusion(rng, clips):
    return first_order(start(rng, clips), -SOLE(rng, 0.03, 0.15, clips) * SQUARE)


def half_diffusion(rng, clips):
    return first_order(start(rng, clips), -SOLE(rng, 0.02, 0.1, clips) * SQUARE**0.5)


def hyperdiffusion(rng, clips):
    return first_order(start(rng, clips), -SOLE(rng, 0.02, 0.2, clips) * SQUARE**2)


def fractional_diffusion(rng, clips):
    power = SOLE(rng, 0.6, 0.8, clips)
    return first_order(start(rng, clips), -SOLE(rng, 0.03, 0.12, clips) * SQUARE**power)


def advection(rng, clips):
    return first_order(start(rng, clips), turn(*velocities(rng, 0.1, 0.5, clips)))


def advection_diffusion(rng, clips):
    alpha = SOLE(rng, 0.03, 0.1, clips)
    return first_order(start(rng, clips), turn(*velocities(rng, 0.1, 0.5, clips)) - alpha * SQUARE)


def wave(rng, clips):
    return second_order(start(rng, clips), SOLE(rng, 0.2, 0.5, clips) ** 2 * SQUARE)


def damped_wave(rng, clips):
    c, gamma = SOLE(rng, 0.2, 0.5, clips), SOLE(rng, 0.02, 0.08, clips)
    return second_order(start(rng, clips), c**2 * SQUARE, gamma)


def klein_gordon(rng, clips):
    c, m = SOLE(rng, 0.2, 0.5, clips), SOLE(rng, 0.15, 0.4, clips)
    return second_order(start(rng, clips), c**2 * SQUARE + m**2)


def telegraph(rng, clips):
    c, m, gamma = (SOLE(rng, *ends, clips) for ends in ((0.2, 0.5), (0.15, 0.4), (0.02, 0.08)))
    return second_order(start(rng, clips), c**2 * SQUARE + m**2, gamma)


def beam(rng, clips):
    return second_order(start(rng, clips), SOLE(rng, 0.2, 0.6, clips) ** 2 * SQUARE**2)


def oscillator(rng, clips):
    return second_order(start(rng, clips), SOLE(rng, 0.15, 0.5, clips) ** 2 + 0 * SQUARE)


def damped_beam(rng, clips):
    b, gamma = SOLE(rng, 0.3, 0.6, clips), SOLE(rng, 0.02, 0.08, clips)
    return second_order(start(rng, clips), b**2 * SQUARE**2, gamma)


def damped_oscillator(rng, clips):
    omega, gamma = SOLE(rng, 0.2, 0.5, clips), SOLE(rng, 0.02, 0.08, clips)
    return second_order(start(rng, clips), omega**2 + 0 * SQUARE, gamma)


def walled_diffusion(rng, clips):
    return first_order(even(start(rng, clips)), -SOLE(rng, 0.03, 0.15, clips) * SQUARE)


def walled_wave(rng, clips):
    return second_order(even(start(rng, clips)), SOLE(rng, 0.2, 0.5, clips) ** 2 * SQUARE)


OBEYED = (
    decay, diffusion, half_diffusion, hyperdiffusion, fractional_diffusion, advection,
    advection_diffusion, wave, damped_wave, klein_gordon, telegraph, beam, damped_beam,
    oscillator, damped_oscillator,
)  # fmt: skip


def growing_advection(growth):
    """Velocity that grows evenly over the clip by a factor."""

    def make(rng, clips):
        vy, vx = (v[..., 0] for v in velocities(rng, 0.05, 0.25, clips))
        way = TIME + (growth - 1) * TIME**2 / (2 * FRAMES)
        return integrated(start(rng, clips), drifted(vy * way, vx * way))

    return make


def turning_advection(rng, clips):
    speed, angle = (uniform(rng, *e, clips)[..., 0] for e in ((0.15, 0.4), (0, 2 * np.pi)))
    heading = angle + TIME * (np.pi / 2 / FRAMES)
    way = np.cumsum(speed * np.stack([np.sin(heading), np.cos(heading)]), axis=-1)
    return integrated(start(rng, clips), drifted(*way))


def growing_diffusivity(growth):
    def make(rng, clips):
        alpha = uniform(rng, 0.03, 0.1, clips)[..., None]
        way = TIME + (growth - 1) * TIME**2 / (2 * FRAMES)
        return integrated(start(rng, clips), -alpha * SQUARE * way[:, None, None])

    return make


def speeding_wave(growth):
    def make(rng, clips):
        c = uniform(rng, 0.2, 0.4, clips)
        force = lambda u, v, t: c**2 * (1 + (growth**2 - 1) * t / FRAMES) * lap(u)  # noqa: E731
        return swing(start(rng, clips), force)

    return make


def fade(rng, clips):
    """Linear fade-out, by 0.4 to 0.95 of the brightness."""
    part = uniform(rng, 0.4, 0.95, clips)[..., None]
    return start(rng, clips)[:, None] * (1 - part * (TIME / FRAMES)[:, None, None])


def bell_fade(rng, clips):
    width = uniform(rng, 0.5, 1.2, clips)[..., None] * FRAMES
    return start(rng, clips)[:, None] * np.exp(-((TIME[:, None, None] / width) ** 2))


def varied_diffusion(factor, depth, inside=True):
    def make(rng, clips):
        alpha = uniform(rng, 0.04, 0.15, clips) * factor(rng, clips, depth)
        rest = (lambda u, t: to(div(u, alpha))) if inside else (lambda u, t: to(alpha * lap(u)))
        return spectral(start(rng, clips), np.zeros((clips, *SQUARE.shape)), rest)

    return make


def varied_wave(factor, depth):
    def make(rng, clips):
        square = (uniform(rng, 0.2, 0.4, clips) * factor(rng, clips, depth)) ** 2
        return swing(start(rng, clips), lambda u, v, t: square * lap(u))

    return make


def varied_advection(factor, depth):
    def make(rng, clips):
        vy, vx = velocities(rng, 0.1, 0.35, clips)
        shape = factor(rng, clips, depth)
        rest = lambda u, t: to(-shape * (vy * dy(u) + vx * dx(u)))  # noqa: E731
        return spectral(start(rng, clips), np.zeros((clips, *SQUARE.shape)), rest)

    return make


def varied_decay(factor, depth):
    def make(rng, clips):
        gamma = (uniform(rng, 0.02, 0.06, clips) * factor(rng, clips, depth))[:, None]
        return start(rng, clips)[:, None] * np.exp(-gamma * TIME[:, None, None])

    return make


def burgers(rng, clips):
    nu, strength = uniform(rng, 0.05, 0.15, clips), uniform(rng, 0.05, 0.2, clips)
    rest = lambda u, t: -strength * 0.5j * KX * to(u**2)  # noqa: E731
    return spectral(start(rng, clips), -nu * SQUARE, rest)


def allen_cahn(rng, clips):
    alpha, rate = uniform(rng, 0.05, 0.15, clips), uniform(rng, 0.01, 0.05, clips)
    return spectral(start(rng, clips), -alpha * SQUARE, lambda u, t: rate * to(u - u**3))


def porous(rng, clips):
    alpha, bent = uniform(rng, 0.05, 0.12, clips), uniform(rng, 0.2, 0.3, clips)
    rest = lambda u, t: to(div(u, alpha * (1 + bent * u)))  # noqa: E731
    return spectral(start(rng, clips), np.zeros((clips, *SQUARE.shape)), rest)


def sine_gordon(rng, clips):
    c, m = uniform(rng, 0.2, 0.4, clips), uniform(rng, 0.15, 0.3, clips)
    return swing(1.5 * start(rng, clips), lambda u, v, t: c**2 * lap(u) - m**2 * np.sin(u))


def fading_advection(rng, clips):
    gamma = uniform(rng, 0.01, 0.03, clips)
    return first_order(start(rng, clips), turn(*velocities(rng, 0.1, 0.5, clips)) - gamma)


def anisotropic_diffusion(rng, clips):
    alpha, ratio = uniform(rng, 0.03, 0.12, clips), uniform(rng, 1.5, 3, clips)
    return first_order(start(rng, clips), -alpha * (ratio * KY**2 + KX**2))


def anisotropic_wave(rng, clips):
    c, ratio = uniform(rng, 0.2, 0.4, clips), uniform(rng, 1.3, 1.8, clips)
    return second_order(start(rng, clips), c**2 * (ratio**2 * KY**2 + KX**2))


def decaying_diffusion(rng, clips):
    alpha, gamma = uniform(rng, 0.03, 0.12, clips), uniform(rng, 0.005, 0.02, clips)
    return first_order(start(rng, clips), -alpha * SQUARE - gamma)


def stiff_wave(rng, clips):
    c, b = uniform(rng, 0.15, 0.3, clips), uniform(rng, 0.15, 0.4, clips)
    return second_order(start(rng, clips), c**2 * SQUARE + b**2 * SQUARE**2)


def heated_diffusion(rng, clips):
    """Diffusion with a source that stays."""
    alpha, source = uniform(rng, 0.05, 0.15, clips), 0.03 * start(rng, clips)
    return spectral(start(rng, clips), -alpha * SQUARE, lambda u, t: to(source))


def driven_wave(rng, clips):
    c, omega = uniform(rng, 0.2, 0.4, clips), uniform(rng, 0.2, 0.5, clips)
    source = 0.05 * start(rng, clips)
    return swing(start(rng, clips), lambda u, v, t: c**2 * lap(u) + source * np.cos(omega * t))


def two_diffusions(rng, clips):
    return diffusion(rng, clips) + first_order(
        start(rng, clips), -SOLE(rng, 0.3, 0.5, clips) * SQUARE
    )


def two_advections(rng, clips):
    return advection(rng, clips) + advection(rng, clips)


def wave_and_still(rng, clips):
    return wave(rng, clips) + 0.7 * start(rng, clips)[:, None]


BESIDE = {
    "advection growing 2.3-fold": growing_advection(2.3),
    "advection growing 1.5-fold": growing_advection(1.5),
    "advection that turns": turning_advection,
    "diffusion growing 2.3-fold": growing_diffusivity(2.3),
    "wave speeding up 1.5-fold": speeding_wave(1.5),
    "linear fade": fade,
    "bell fade": bell_fade,
    "diffusion, wavy": varied_diffusion(wavy, 0.5),
    "diffusion, bump": varied_diffusion(bump, 1.0, inside=False),
    "diffusion, halves": varied_diffusion(halves, 0.4),
    "wave, wavy": varied_wave(wavy, 0.3),
    "wave, bump": varied_wave(bump, 0.5),
    "wave, halves": varied_wave(halves, 0.2),
    "advection, wavy": varied_advection(wavy, 0.4),
    "advection, bump": varied_advection(bump, 0.6),
    "decay, wavy": varied_decay(wavy, 0.6),
    "burgers": burgers,
    "allen-cahn": allen_cahn,
    "porous": porous,
    "sine-gordon": sine_gordon,
    "advection and decay": fading_advection,
    "diffusion, anisotropic": anisotropic_diffusion,
    "wave, anisotropic": anisotropic_wave,
    "diffusion and decay": decaying_diffusion,
    "stiff wave": stiff_wave,
    "heated diffusion": heated_diffusion,
    "driven wave": driven_wave,
    "two diffusions": two_diffusions,
    "two advections": two_advections,
    "wave and still": wave_and_still,
}

MILD = {
    "advection growing 1.15-fold": growing_advection(1.15),
    "diffusion growing 1.3-fold": growing_diffusivity(1.3),
    "wave speeding up 1.1-fold": speeding_wave(1.1),
    "diffusion, wavy a little": varied_diffusion(wavy, 0.12),
    "diffusion, small bump": varied_diffusion(bump, 0.3),
    "diffusion, narrow bump": varied_diffusion(lambda r, c, d: bump(r, c, d, 8.0), 1.0),
    "wave, wavy a little": varied_wave(wavy, 0.05),
    "wave, small bump": varied_wave(bump, 0.12),
    "wave, narrow bump": varied_wave(lambda r, c, d: bump(r, c, d, 8.0), 0.3),
    "advection, wavy a little": varied_advection(wavy, 0.08),
    "advection, narrow bump": varied_advection(lambda r, c, d: bump(r, c, d, 8.0), 0.4),
    "decay, wavy a little": varied_decay(wavy, 0.15),
}

TUNING = (
    *(World(f"{make.__name__}, noise {noise}", make, make.__name__, noise)
      for make in OBEYED for noise in (0.0, 0.02, 0.1)),
    World("walled diffusion", walled(walled_diffusion), "diffusion", 0.02, periodic=False),
    World("walled wave", walled(walled_wave), "wave", 0.02, periodic=False),
    *(World(f"{name}, noise {noise}", make, None, noise)
      for name, make in BESIDE.items() for noise in (0.0, 0.02, 0.1)),
    *(World(f"mild: {name}, noise {noise}", make, None, noise)
      for name, make in MILD.items() for noise in (0.0, 0.05)),
)  # fmt: skip
