"""Worlds that nothing was set on: neighbours of the laws that we name, and those laws elsewhere.

Other starts, other ranges, other ways to vary than in ``law_tuning``.
"""

import numpy as np
from law_worlds import (
    FRAMES,
    KX,
    KY,
    SQUARE,
    TIME,
    World,
    X,
    Y,
    blobs,
    bump,
    div,
    dx,
    dy,
    even,
    evolve,
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

NOTHING = np.zeros_like(SQUARE)
T = TIME[:, None, None]


def either(rng, clips):
    """Random fields or bumps, with no mean."""
    found = (blobs, start)[rng.integers(2)](rng, clips)
    return (found - found.mean((1, 2), keepdims=True)) / found.std((1, 2), keepdims=True)


def one(symbol):
    """First order in time, constant coefficients."""
    return lambda rng, clips: first_order(either(rng, clips), symbol(rng, clips) + NOTHING)


def two(stiffness, damping=lambda rng, clips: 0.0):
    """Second order in time, constant coefficients."""
    return lambda rng, clips: second_order(
        either(rng, clips), stiffness(rng, clips) + NOTHING, damping(rng, clips)
    )


def u(low, high):
    return lambda rng, clips: uniform(rng, low, high, clips)


def in_time(symbol, way):
    """First order in time, all rates times a function of time whose integral is ``way``."""

    def make(rng, clips):
        passed = np.broadcast_to(way(rng, clips), (clips, FRAMES))[..., None, None]
        return integrated(either(rng, clips), (symbol(rng, clips) + NOTHING)[:, None] * passed)

    return make


def stuttering(rng, clips):
    omega = rng.uniform(0.13, 0.5, (clips, 1))
    return TIME + 0.8 * (1 - np.cos(omega * TIME)) / omega


def stopping(rng, clips):
    return np.minimum(TIME, rng.uniform(0.4, 0.7, (clips, 1)) * FRAMES)


def doubling(rng, clips):
    late = rng.uniform(0.3, 0.7, (clips, 1)) * FRAMES
    return TIME + np.maximum(TIME - late, 0)


def tiring(rng, clips):
    life = rng.uniform(0.5, 1.5, (clips, 1)) * FRAMES
    return life * (1 - np.exp(-TIME / life))


def speeding(factor):
    return lambda rng, clips: TIME + (factor - 1) * TIME**2 / (2 * FRAMES)


def carry(low=0.1, high=0.45):
    return lambda rng, clips: turn(*velocities(rng, low, high, clips))


def spread(low=0.02, high=0.12, power=1.0):
    return lambda rng, clips: -uniform(rng, low, high, clips) * SQUARE**power


def swings(low=0.15, high=0.45, power=1.0):
    return lambda rng, clips: uniform(rng, low, high, clips) ** 2 * SQUARE**power


def both(first, second):
    return lambda rng, clips: first(rng, clips) + second(rng, clips)


def vary(flux, factor, depth, low, high):
    """First order in time; a coefficient that varies in place."""

    def make(rng, clips):
        coefficient = uniform(rng, low, high, clips) * factor(rng, clips, depth)
        return spectral(
            either(rng, clips), np.zeros((clips, *SQUARE.shape)),
            lambda field, t: to(flux(field, coefficient)),
        )  # fmt: skip

    return make


def vary_wave(force, factor, depth, low=0.15, high=0.4):
    def make(rng, clips):
        c = uniform(rng, low, high, clips) * factor(rng, clips, depth)
        return swing(either(rng, clips), lambda field, v, t: force(field, c**2))

    return make


def ramp(rng, clips, depth):
    """A slope with a soft return: a saw tooth along a random axis."""
    phase, axis = uniform(rng, 0, 2 * np.pi, clips), rng.integers(0, 2, (clips, 1, 1))
    s = np.where(axis, Y, X) + phase
    return 1 + depth * (np.sin(s) - np.sin(2 * s) / 2 + np.sin(3 * s) / 3)


def checker(rng, clips, depth):
    py, px = uniform(rng, 0, 2 * np.pi, clips), uniform(rng, 0, 2 * np.pi, clips)
    return 1 + depth * np.sin(Y + py) * np.sin(X + px)


def fine(rng, clips, depth):
    """Three periods along a random axis."""
    phase, axis = uniform(rng, 0, 2 * np.pi, clips), rng.integers(0, 2, (clips, 1, 1))
    return 1 + depth * np.sin(3 * np.where(axis, Y, X) + phase)


def shear(rng, clips):
    """A velocity along x that depends on y."""
    speed, phase = uniform(rng, 0.1, 0.35, clips), uniform(rng, 0, 2 * np.pi, clips)
    flow = speed * (1 + 0.5 * np.sin(Y + phase))
    return spectral(either(rng, clips), np.zeros((clips, *SQUARE.shape)),
                    lambda field, t: to(-flow * dx(field)))  # fmt: skip


def vortex(rng, clips):
    speed = uniform(rng, 0.1, 0.3, clips)
    vy, vx = speed * np.sin(X), -speed * np.sin(Y)
    return spectral(either(rng, clips), np.zeros((clips, *SQUARE.shape)),
                    lambda field, t: to(-vy * dy(field) - vx * dx(field)))  # fmt: skip


def nonlinear(linear, rest):
    """First order in time; ``rest`` from fields, their parameters and time to fields."""

    def make(rng, clips):
        symbol, strength = linear(rng, clips) + NOTHING, uniform(rng, 0.5, 1.0, clips)
        return spectral(either(rng, clips), symbol, lambda field, t: to(rest(field, strength, t)))

    return make


def pull(force, size=1.0):
    """Second order in time; force from fields, velocities, time and a strength."""

    def make(rng, clips):
        c, strength = uniform(rng, 0.15, 0.35, clips), uniform(rng, 0.5, 1.0, clips)
        return swing(size * either(rng, clips),
                     lambda f, v, t: c**2 * lap(f) + force(f, v, t, strength))  # fmt: skip

    return make


def forced(kind, size):
    def make(rng, clips):
        source, omega = size * start(rng, clips), uniform(rng, 0.1, 0.6, clips)
        alpha = uniform(rng, 0.03, 0.12, clips)
        course = (lambda t: 1.0) if kind == "still" else (lambda t: np.cos(omega * t))
        return spectral(either(rng, clips), -alpha * SQUARE,
                        lambda field, t: to(source * course(t)))  # fmt: skip

    return make


def shaken(rng, clips):
    """Diffusion with new random patterns in every frame."""
    decay, now = np.exp(-uniform(rng, 0.03, 0.12, clips) * SQUARE), to(either(rng, clips))
    found = [now]
    for _ in range(FRAMES - 1):
        now = decay * now + 0.08 * to(start(rng, clips))
        found.append(now)
    return np.fft.irfft2(np.stack(found, axis=1))


def late(rate, lag):
    """First order in time, by what the field was ``lag`` frames before."""

    def make(rng, clips):
        symbol, fine_steps = rate(rng, clips) + NOTHING, 8
        back = round(lag * fine_steps)
        course = [to(either(rng, clips))] * (back + 1)
        for _ in range((FRAMES - 1) * fine_steps):
            course.append(course[-1] + symbol * course[-1 - back] / fine_steps)
        return np.fft.irfft2(np.stack(course[back::fine_steps], axis=1))

    return make


def remembering(rng, clips):
    """Diffusion of Cattaneo's kind with a slow memory: du/dt = w, dw/dt = (alpha lap u - w)/tau."""
    alpha, tau = uniform(rng, 0.1, 0.3, clips), uniform(rng, 6, 12, clips)

    def rate(state, t):
        return np.stack([state[:, 1], (alpha * lap(state[:, 0]) - state[:, 1]) / tau], axis=1)

    first = either(rng, clips)
    return evolve(np.stack([first, 0 * first], axis=1), rate)[:, :, 0]


def mix(first, second, weight):
    return lambda rng, clips: first(rng, clips) + weight * second(rng, clips)


def still(rng, clips):
    return np.repeat(start(rng, clips)[:, None], FRAMES, axis=1)


def flicker(rng, clips):
    """A pattern whose brightness goes up and down as no oscillator's does."""
    omega = uniform(rng, 0.1, 0.3, clips)[..., None]
    return start(rng, clips)[:, None] * (
        1 + 0.5 * np.sin(omega * T) + 0.3 * np.sin(2.7 * omega * T)
    )


def hyperbolic(rng, clips):
    life = uniform(rng, 0.2, 1.0, clips)[..., None] * FRAMES
    return start(rng, clips)[:, None] / (1 + T / life)


def to_a_floor(rng, clips):
    gamma, floor = (uniform(rng, *ends, clips)[..., None] for ends in ((0.04, 0.1), (0.1, 0.5)))
    return start(rng, clips)[:, None] * (floor + (1 - floor) * np.exp(-gamma * T))


def sudden(rng, clips):
    """Linear fade-out that begins late, or ends early."""
    begin, end = uniform(rng, 0, 0.3, clips)[..., None], uniform(rng, 0.8, 1.3, clips)[..., None]
    part = np.clip((T / FRAMES - begin) / (end - begin), 0, 1)
    return start(rng, clips)[:, None] * (1 - 0.8 * part)


def zooming(rng, clips):
    """Bumps that grow in size, as seen by a camera that comes nearer."""
    rate = uniform(rng, 0.2, 0.6, clips)[..., None]
    size = 1 + rate * T / FRAMES
    y, x = (uniform(rng, 0, 2 * np.pi, clips)[..., None] for _ in range(2))
    width = (2 * np.pi * uniform(rng, 2.0, 3.5, clips)[..., None] / 32 * size) ** 2
    return np.exp((np.cos(Y - y) + np.cos(X - x) - 2) / width)


def turning(rng, clips):
    """A smooth pattern that turns about the middle."""
    omega = uniform(rng, 0.01, 0.04, clips)[..., None] * rng.choice([-1, 1], (clips, 1, 1, 1))
    found = 0.0
    for _ in range(4):
        radius, angle = (
            uniform(rng, 3, 9, clips)[..., None],
            uniform(rng, 0, 6.28, clips)[..., None],
        )
        y, x = (radius * f(angle + omega * T) for f in (np.sin, np.cos))
        cell = np.arange(32) - 15.5
        found = found + np.exp(-((cell[:, None] - y) ** 2 + (cell - x) ** 2) / 8)
    return found


def bouncing(rng, clips):
    """A bump that falls and bounces."""
    speed, y0 = uniform(rng, 0.4, 1.0, clips)[..., None], uniform(rng, 0, 20, clips)[..., None]
    x = uniform(rng, 8, 24, clips)[..., None]
    y = 6 + np.abs((y0 + speed * T) % 40 - 20)
    cell = np.arange(32.0)
    return np.exp(-((cell[:, None] - y) ** 2 + (cell - x) ** 2) / 8)


def accelerating(rng, clips):
    """A bump that speeds up as a ball does on a slope."""
    angle, a = (uniform(rng, *ends, clips)[..., None] for ends in ((0, 6.28), (0.005, 0.02)))
    way = 0.05 * T + a * T**2 / 2
    y, x = (2 * np.pi * way / 32 * f(angle) + uniform(rng, 0, 6.28, clips)[..., None]
            for f in (np.sin, np.cos))  # fmt: skip
    return np.exp((np.cos(Y - y) + np.cos(X - x) - 2) / 0.3)


def absorbing(rng, clips):
    """Diffusion between walls that let everything out: sines, where cosines are looked for."""
    cell = np.arange(16) + 0.5
    alpha = uniform(rng, 0.03, 0.12, clips)[..., None]
    course = 0.0
    for m in range(1, 5):
        for n in range(1, 5):
            k = (np.pi / 16) ** 2 * (m**2 + n**2)
            shape = np.outer(np.sin(np.pi * m * cell / 16), np.sin(np.pi * n * cell / 16))
            size = rng.normal(size=(clips, 1, 1, 1))
            course = course + size * np.exp(-alpha * k * T) * shape
    return course


def cropped(make):
    """A part of a wider scene: what goes on outside comes in."""
    return lambda rng, clips: make(rng, clips)[:, :, 4:28, 2:24]


def walled_vary(rng, clips):
    alpha = uniform(rng, 0.03, 0.12, clips) * (1 + 0.6 * np.cos(Y + np.pi / 32))
    return spectral(even(start(rng, clips)), np.zeros((clips, *SQUARE.shape)),
                    lambda field, t: to(div(field, alpha)))  # fmt: skip


def walled_one(symbol):
    return lambda rng, clips: first_order(even(start(rng, clips)), symbol(rng, clips) + NOTHING)


def walled_two(stiffness):
    return lambda rng, clips: second_order(even(start(rng, clips)), stiffness(rng, clips) + NOTHING)


NEIGHBOURS = {
    # coefficients that go with time
    "advection, 1.3-fold": in_time(carry(), speeding(1.3)),
    "advection, 3-fold": in_time(carry(0.05, 0.2), speeding(3.0)),
    "advection, slowing": in_time(carry(), speeding(0.4)),
    "advection, stutters": in_time(carry(), stuttering),
    "advection, stops": in_time(carry(), stopping),
    "advection, doubles": in_time(carry(0.05, 0.25), doubling),
    "advection, tires": in_time(carry(), tiring),
    "diffusion, 1.6-fold": in_time(spread(), speeding(1.6)),
    "diffusion, slowing": in_time(spread(), speeding(0.4)),
    "diffusion, stutters": in_time(spread(), stuttering),
    "diffusion, stops": in_time(spread(), stopping),
    "diffusion, tires": in_time(spread(), tiring),
    "hyperdiffusion, tires": in_time(spread(0.02, 0.15, 2.0), tiring),
    "half-diffusion, doubles": in_time(spread(0.02, 0.08, 0.5), doubling),
    "decay, doubles": in_time(u(-0.04, -0.01), doubling),
    "wave, slowing": pull(lambda f, v, t, s: -0.05 * s * t / FRAMES * lap(f)),
    "wave, stutters": pull(lambda f, v, t, s: 0.06 * s * np.sin(0.4 * t) * lap(f)),
    "wave, damped later": pull(lambda f, v, t, s: -0.15 * s * t / FRAMES * v),
    "oscillator, chirp": lambda rng, clips: start(rng, clips)[:, None] * np.cos(
        uniform(rng, 0.1, 0.3, clips)[..., None] * (T + T**2 / (2 * FRAMES))),
    # coefficients that go with place
    "diffusion, div, checker": vary(div, checker, 0.7, 0.03, 0.12),
    "diffusion, ramp": vary(div, ramp, 0.4, 0.03, 0.12),
    "diffusion, fine": vary(div, fine, 0.6, 0.03, 0.12),
    "diffusion, weak wave": vary(div, wavy, 0.25, 0.03, 0.12),
    "diffusion, wide bump": vary(div, lambda r, c, d: bump(r, c, d, 0.7), 1.0, 0.03, 0.1),
    "diffusion, Fokker-Planck": vary(lambda f, a: lap(a * f), wavy, 0.4, 0.03, 0.1),
    "wave, checker": vary_wave(lambda f, q: q * lap(f), checker, 0.4),
    "wave, div": vary_wave(div, wavy, 0.35),
    "wave, ramp": vary_wave(lambda f, q: q * lap(f), ramp, 0.25),
    "wave, weak": vary_wave(lambda f, q: q * lap(f), wavy, 0.12),
    "wave, lens": vary_wave(lambda f, q: q * lap(f), lambda r, c, d: bump(r, c, d, 4.0), -0.5),
    "wave, interface": vary_wave(div, halves, 0.3),
    "Klein-Gordon, mass in place": lambda rng, clips: (lambda m, c: swing(
        either(rng, clips), lambda f, v, t: c**2 * lap(f) - m**2 * f))(
        u(0.15, 0.35)(rng, clips) * checker(rng, clips, 0.7), u(0.15, 0.35)(rng, clips)),
    "damping in place": lambda rng, clips: (lambda g, c: swing(
        either(rng, clips), lambda f, v, t: c**2 * lap(f) - g * v))(
        uniform(rng, 0.05, 0.15, clips) * wavy(rng, clips, 0.9), uniform(rng, 0.2, 0.4, clips)),
    "decay in place": lambda rng, clips: start(rng, clips)[:, None] * np.exp(
        -(uniform(rng, 0.01, 0.05, clips) * checker(rng, clips, 0.5))[:, None] * T),
    "advection, conservative": vary(lambda f, a: -dx(a * f), wavy, 0.3, 0.1, 0.35),
    "advection, ramp": vary(lambda f, a: -a * dy(f), ramp, 0.25, 0.1, 0.35),
    "shear": shear,
    "vortex": vortex,
    "turning": turning,
    # nonlinear
    "Burgers": nonlinear(spread(), lambda f, s, t: -0.15 * s * f * dx(f)),
    "Burgers, weak": nonlinear(spread(), lambda f, s, t: -0.05 * s * f * (dx(f) + dy(f))),
    "KdV": nonlinear(lambda rng, c: 0.15j * KX**3, lambda f, s, t: -0.2 * s * f * dx(f)),
    "KdV, linear": one(lambda rng, c: turn(*velocities(rng, 0.1, 0.3, c))
                       + 1j * uniform(rng, 0.05, 0.2, c) * KX**3),
    "Kuramoto-Sivashinsky": nonlinear(lambda r, c: uniform(r, 0.1, 0.3, c) * (SQUARE - SQUARE**2),
                                      lambda f, s, t: -0.2 * s * f * dx(f)),
    "Allen-Cahn": nonlinear(spread(), lambda f, s, t: 0.06 * s * (f - f**3)),
    "Cahn-Hilliard": nonlinear(spread(0.05, 0.1, 2.0), lambda f, s, t: 0.08 * s * lap(f**3 - f)),
    "Fisher": nonlinear(spread(), lambda f, s, t: 0.01 * s * (f + 5) * (2 - f)),
    "porous": nonlinear(spread(0.05, 0.1), lambda f, s, t: 0.02 * s * lap(f**2)),
    "porous, cubic": nonlinear(spread(0.02, 0.05), lambda f, s, t: 0.01 * s * lap(f**3)),
    "KPZ": nonlinear(spread(), lambda f, s, t: 0.15 * s * (dx(f) ** 2 + dy(f) ** 2)),
    "cubic decay": nonlinear(u(-0.02, -0.01), lambda f, s, t: -0.02 * s * f**3),
    "saturating advection": nonlinear(carry(), lambda f, s, t: 0.08 * s * (f - f**3)),
    "phi-four": pull(lambda f, v, t, s: -0.05 * s * f**3),
    "sine-Gordon": pull(lambda f, v, t, s: -0.08 * s * np.sin(2 * f) / 2),
    "Boussinesq": pull(lambda f, v, t, s: 0.004 * s * lap(f**2)),
    "wave, cubic damping": pull(lambda f, v, t, s: -2.0 * s * v**3),
    "Duffing": lambda rng, clips: (lambda w: swing(
        either(rng, clips), lambda f, v, t: -w**2 * (f + 0.2 * f**3)))(
        uniform(rng, 0.15, 0.4, clips)),
    # delays and memories
    "late diffusion": late(spread(0.05, 0.15), 4),
    "late decay": late(u(-0.06, -0.03), 9),
    "late advection": late(carry(0.1, 0.25), 2),
    # forces
    "diffusion, source": forced("still", 0.02),
    "diffusion, driven": forced("swings", 0.04),
    "diffusion, shaken": shaken,
    "wave, driven": pull(lambda f, v, t, s: 0.03 * s * np.cos(0.4 * t) * np.sin(X + 2 * Y)),
    "wave, lifted": pull(lambda f, v, t, s: 0.02 * s * np.cos(2 * X - Y)),
    # mixtures
    "still and diffusion": mix(one(spread()), still, 0.8),
    "still and advection": mix(one(carry()), still, 0.5),
    "still and wave": mix(two(swings()), still, 0.5),
    "diffusion and wave": mix(one(spread()), two(swings()), 0.7),
    "advection and diffusion apart": mix(one(carry()), one(spread()), 0.7),
    "fast and slow diffusion": mix(one(spread(0.02, 0.04)), one(spread(0.15, 0.3)), 1.0),
    "two waves": mix(two(swings(0.1, 0.2)), two(swings(0.35, 0.5)), 0.8),
    "decay and advection apart": mix(one(u(-0.05, -0.02)), one(carry()), 0.6),
    # linear neighbours
    "diffusion and slow growth": one(both(spread(), u(0.002, 0.01))),
    "diffusion and slow decay": one(both(spread(), u(-0.01, -0.002))),
    "advection, slow decay": one(both(carry(), u(-0.01, -0.003))),
    "advection, hyperdiffusion": one(both(carry(), spread(0.02, 0.2, 2.0))),
    "advection, half-diffusion": one(both(carry(), spread(0.02, 0.08, 0.5))),
    "advection, weakly dispersive": one(lambda rng, c: turn(*velocities(rng, 0.1, 0.4, c))
                                        * (1 - uniform(rng, 0.1, 0.3, c) * SQUARE)),
    "diffusion, hyper too": one(both(spread(0.02, 0.08), spread(0.03, 0.1, 2.0))),
    "diffusion, weakly anisotropic": one(lambda rng, c: -uniform(rng, 0.03, 0.12, c)
                                         * (KY**2 + uniform(rng, 1.15, 1.4, c) * KX**2)),
    "diffusion along one axis": one(lambda rng, c: -uniform(rng, 0.03, 0.12, c) * KX**2),
    "diffusion, tilted": one(lambda rng, c: -uniform(rng, 0.03, 0.12, c)
                             * (SQUARE + uniform(rng, 0.3, 0.8, c) * KX * KY)),
    "Schroedinger, real part": lambda rng, clips: second_order(
        either(rng, clips), (uniform(rng, 0.1, 0.4, clips) * (SQUARE + 0.3)) ** 2),
    "wave, viscous": two(swings(), lambda rng, c: uniform(rng, 0.03, 0.12, c) * SQUARE),
    "wave, weakly anisotropic": two(lambda rng, c: uniform(rng, 0.15, 0.4, c) ** 2
                                    * (KY**2 + uniform(rng, 1.15, 1.4, c) * KX**2)),
    "wave, stiff": two(both(swings(0.1, 0.3), swings(0.1, 0.3, 2.0))),
    "wave, k^1.5": two(swings(0.15, 0.4, 1.5)),
    "water waves": two(swings(0.15, 0.4, 0.5)),
    "wave in wind": lambda rng, clips: np.fft.irfft2(
        np.fft.rfft2(second_order(either(rng, clips), swings()(rng, clips)))
        * np.exp(turn(*velocities(rng, 0.05, 0.2, clips))[:, None] * T)),
    "beam under tension": two(both(swings(0.2, 0.5, 2.0), swings(0.05, 0.15))),
    "beam on springs": two(both(swings(0.2, 0.5, 2.0), lambda r, c: u(0.1, 0.3)(r, c) ** 2)),
    "oscillator, weakly coupled": two(lambda r, c: u(0.2, 0.4)(r, c) ** 2
                                      * (1 + u(0.1, 0.3)(r, c) * np.cos(KX) + 0 * KY)),
    "oscillator, k damped": two(lambda r, c: u(0.15, 0.4)(r, c) ** 2 + NOTHING,
                                lambda r, c: u(0.03, 0.1)(r, c) * SQUARE),
    # no dynamics of a field
    "linear fade, late": sudden,
    "hyperbolic fade": hyperbolic,
    "fade to a floor": to_a_floor,
    "flicker": flicker,
    "zoom": zooming,
    "bounce": bouncing,
    "ball on a slope": accelerating,
}  # fmt: skip

WALLED = {
    "walled, alpha in place": walled_vary,
    "walled, absorbing": absorbing,
    "walled, anisotropic": walled_one(lambda r, c: -u(0.03, 0.12)(r, c) * (KY**2 + 2 * KX**2)),
    "walled, decay too": walled_one(both(spread(), u(-0.03, -0.01))),
    "walled, water waves": walled_two(swings(0.15, 0.4, 0.5)),
}

LAWFUL = {
    "decay": one(u(-0.05, -0.015)),
    "diffusion": one(spread(0.02, 0.2)),
    "half_diffusion": one(spread(0.02, 0.1, 0.5)),
    "hyperdiffusion": one(spread(0.03, 0.3, 2.0)),
    "fractional_diffusion": one(
        lambda r, c: -u(0.03, 0.1)(r, c) * SQUARE ** (u(1.3, 1.6)(r, c) / 2)
    ),
    "advection": one(carry(0.05, 0.6)),
    "advection_diffusion": one(both(carry(0.05, 0.4), spread(0.03, 0.12))),
    "wave": two(swings(0.15, 0.6)),
    "damped_wave": two(swings(0.25, 0.6), u(0.03, 0.1)),
    "klein_gordon": two(both(swings(), lambda r, c: u(0.12, 0.4)(r, c) ** 2)),
    "telegraph": two(both(swings(), lambda r, c: u(0.15, 0.4)(r, c) ** 2), u(0.03, 0.08)),
    "beam": two(swings(0.2, 0.6, 2.0)),
    "oscillator": two(lambda r, c: u(0.15, 0.5)(r, c) ** 2),
    "damped_beam": two(swings(0.3, 0.7, 2.0), u(0.02, 0.1)),
    "damped_oscillator": two(lambda r, c: u(0.25, 0.5)(r, c) ** 2, u(0.02, 0.1)),
}

NOISES = (0.0, 0.01, 0.05, 0.2)
JUDGING = (
    *(World(f"{name}, {noise}", make, None, noise)
      for name, make in NEIGHBOURS.items() for noise in (0.0, 0.03)),
    *(World(f"{name}, {noise}", make, None, noise)
      for name, make in list(NEIGHBOURS.items())[::3] for noise in (0.15,)),
    *(World(f"{name}, {noise}", walled(make) if name != "walled, absorbing" else make, None, noise,
            periodic=False) for name, make in WALLED.items() for noise in (0.0, 0.05)),
    *(World(f"cropped {name}, 0.02", cropped(make), name, 0.02, periodic=False)
      for name, make in LAWFUL.items()),
    *(World(f"{name}, {noise}", make, name, noise)
      for name, make in LAWFUL.items() for noise in NOISES),
)  # fmt: skip
