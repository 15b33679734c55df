"""Active matter: growth, the kinetic equation on a grid, resolution, balance of stresses, gates."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from physprobe.simulate import _active_matter as solver
from physprobe.simulate import active_matter, stage
from physprobe.store import zarrs

SPEC = active_matter.Spec(
    trajectories=2, windows=2, frames=4, start=3, length=9, box=2.5, size=32, alpha=(-2.0, -1.0),
    zeta=(1.5, 2.5),
)  # fmt: skip


def rods(alpha, zeta):
    return solver.Rods(alpha, zeta, beta=0.8, drift=0.05, turning=0.05)


def last(moments, made, box, duration, steps):
    """State at the end, with arrays of its own."""
    *_, state = solver.solve(
        made, solver.Square(moments.shape[-1], box), moments, duration, 2, steps
    )
    return solver.State(*(part.copy() for part in state))


def planted(size, seed=0, waves=1, height=0.1, harmonics=1):
    spec = active_matter.Spec(
        size=size, solver=size, box=0.1, waves=waves, perturbation=height, harmonics=1
    )
    first = active_matter.initial(spec, np.random.default_rng(seed))
    return np.concatenate([first, np.zeros((harmonics - 1, *first.shape[1:]))])


def clip(labels, number):
    return {name: label[number] for name, label in labels.items()}


@pytest.fixture(scope="module")
def drawn():
    labels = active_matter.draw(SPEC)
    return labels, active_matter.solved(SPEC, labels)[0]


@pytest.fixture(scope="module")
def developed():
    """Moments at the top of the range of zeta, as fine as they get."""
    return last(planted(64, waves=2, height=0.4), rods(-5, 17), 2.5, 1.0, 60).moments


@pytest.mark.parametrize(
    ("alpha", "zeta", "harmonics"), [(-1, 1, 1), (-3, 9, 1), (-5, 17, 1), (-1, 1, 4), (-3, 9, 4)]
)
def test_small_disturbances_grow_as_the_linear_equation_has_it(alpha, zeta, harmonics):
    """Of all directions alike: by alignment, and with flow by the strain that it causes too."""
    box, cells, steps = 10.0, 32, 40
    place = 2 * np.pi * np.arange(cells) / cells
    made, start, rates, waves = rods(alpha, zeta), 0, [], [(1, 2), (3, -1)]
    for flows, (kx, ky) in enumerate(waves):
        angle = 2 * np.arctan2(ky, kx)
        towards = (np.sin(angle) - 1j * np.cos(angle)) if flows else np.exp(1j * angle)
        start = start + 1e-6 * towards * np.cos(kx * place + ky * place[:, None])
        rate = zeta - 4 * 0.05 - 0.05 * (2 * np.pi / box) ** 2 * (kx**2 + ky**2)
        rates.append(rate + flows * (-alpha + 0.8 * zeta / 2) / (4 * (1 + 0.8 / 8)))
    moments = np.zeros((harmonics, 2, cells, cells))
    moments[0] = start.real, start.imag
    ends = [m[0] + 1j * m[1] for m in (moments[0], last(moments, made, box, 0.1, steps).moments[0])]
    first, then = (
        np.fft.fft2(end)[[ky for _, ky in waves], [kx for kx, _ in waves]] for end in ends
    )
    np.testing.assert_allclose(np.log(then / first).real / 0.1, rates, rtol=1e-6)


class Kinetic:
    """The kinetic equation on a grid of places and angles, tensor by tensor, by plain steps."""

    def __init__(self, made, box, cells, angles):
        self.made, self.angles = made, angles
        k = 2j * np.pi / box * np.fft.fftfreq(cells, 1 / cells)
        k[cells // 2] = 0
        self.k = np.stack(np.broadcast_arrays(k, k[:, None]))
        self.square = -(self.k**2).sum(0)
        theta = 2 * np.pi * np.arange(angles) / angles
        self.p = np.stack([np.cos(theta), np.sin(theta)])
        self.across = np.stack([-np.sin(theta), np.cos(theta)])
        self.turn = 1j * np.fft.fftfreq(angles, 1 / angles)

    def moment(self, psi, *parts):
        letters = "abcd"[: len(parts)]
        weights = np.full(self.angles, 2 * np.pi / self.angles)
        subscripts = ",".join([*(f"{letter}t" for letter in letters), "t"])
        tensor = np.einsum(f"{subscripts}->{letters}t", *parts, weights)
        return np.tensordot(tensor, psi, (-1, -1))

    def slope(self, field):
        """Along x and y (2, ..., y, x), of the last two dimensions."""
        modes = np.fft.fft2(field)
        return np.stack([np.fft.ifft2(k * modes).real for k in self.k])

    def flow(self, psi):
        alpha, zeta, beta, *_ = self.made
        p = self.p
        order, fourth = self.moment(psi, p, p), self.moment(psi, p, p, p, p)
        aligned = np.einsum("ikyx,kjyx->ijyx", order, order)
        aligned = aligned - np.einsum("ijklyx,klyx->ijyx", fourth, order)
        strain = np.zeros_like(order)
        over = np.where(self.square > 0, self.square, np.inf)
        for _ in range(14):
            stress = alpha * order - 2 * zeta * beta * aligned
            stress = stress + beta * np.einsum("ijklyx,klyx->ijyx", fourth, strain)
            force = np.einsum("jyx,ijyx->iyx", self.k, np.fft.fft2(stress))
            along = np.einsum("iyx,iyx->yx", self.k, force) / over
            velocity = np.fft.ifft2((force + self.k * along) / over).real
            gradient = self.slope(velocity)  # [j, i] = du_i / dx_j
            strain = (gradient + gradient.swapaxes(0, 1)) / 2
        return order, strain, velocity, gradient

    def rates(self, psi):
        order, _, velocity, gradient = self.flow(psi)
        pull = gradient.swapaxes(0, 1) + 2 * self.made.zeta * order
        speed = np.einsum("it,ijyx,jt->yxt", self.across, pull, self.p)
        modes = np.fft.fft2(psi, axes=(0, 1))
        there = [np.fft.ifft2(k[..., None] * modes, axes=(0, 1)).real for k in self.k]
        found = -velocity[0][..., None] * there[0] - velocity[1][..., None] * there[1]
        found -= self.made.drift * np.fft.ifft2(self.square[..., None] * modes, axes=(0, 1)).real
        turned = self.turn * np.fft.fft(
            speed * psi
        ) - self.made.turning * self.turn**2 * np.fft.fft(psi)
        return found - np.fft.ifft(turned).real


def test_moments_are_those_of_the_kinetic_equation():
    """Of a density with three harmonics, on 16 x 16 places and 48 angles."""
    made, box, cells, angles, duration, steps = rods(-3, 2), 8.0, 16, 48, 0.2, 20
    heights = enumerate((0.02, 0.01, 0.005))
    moments = np.concatenate([planted(cells, seed, height=height) for seed, height in heights])
    moments = np.concatenate([moments, np.zeros((3, 2, cells, cells))])
    kinetic = Kinetic(made, box, cells, angles)
    theta = 2 * np.pi * np.arange(angles) / angles
    psi = np.full((cells, cells, angles), 1 / (2 * np.pi))
    for n, (real, imaginary) in enumerate(moments, 1):
        psi += (
            real[..., None] * np.cos(2 * n * theta) + imaginary[..., None] * np.sin(2 * n * theta)
        ) / np.pi
    h = duration / steps
    for _ in range(steps):
        one = kinetic.rates(psi)
        two = kinetic.rates(psi + h / 2 * one)
        three = kinetic.rates(psi + h / 2 * two)
        psi = psi + h / 6 * (one + 2 * two + 2 * three + kinetic.rates(psi + h * three))
    order, strain, velocity, _ = kinetic.flow(psi)
    channels = active_matter.named(last(moments, made, box, duration, 80))
    np.testing.assert_allclose(kinetic.moment(psi), channels[..., 0], atol=1e-10)
    for expected, place in ((velocity, 1), (order, 3), (strain, 7)):
        expected = np.moveaxis(expected.reshape(-1, cells, cells), 0, -1)
        np.testing.assert_allclose(
            channels[..., place : place + expected.shape[-1]], expected, atol=1e-10
        )


def test_the_closure_is_that_of_bingham():
    """As integrals of exp(kappa cos 2 theta) have it; no order beyond 1."""
    theta = np.pi * np.arange(4000) / 4000
    kappa = np.geomspace(0.01, 300, 60)[:, None]
    density = np.exp(kappa * (np.cos(2 * theta) - 1))
    first, second = ((density * np.cos(n * theta)).sum(1) / density.sum(1) for n in (2, 4))
    np.testing.assert_allclose(first**2 * solver.ratio(first**2), second, atol=1e-5)
    square = np.linspace(0, 1, 5001)
    assert np.abs(solver.ratio(square) - solver.bingham(square)).max() < 1e-5
    assert (square * solver.ratio(square)).max() <= 1 + 1e-14
    assert solver.ratio(np.array([0.0, 1.0])) == pytest.approx([0.5, 1])
    found = solver.Suspension(rods(-1, 1), solver.Square(16, 1.0), 1)
    found.moments[0] = planted(16, height=0.49)[0] * 2
    found._close()
    first, second = (part[0] + 1j * part[1] for part in (found.moments[0], found._second))
    np.testing.assert_allclose(second, first**2 * solver.ratio(np.abs(first) ** 2), atol=1e-12)


def test_sixteen_harmonics_are_enough():
    """At zeta 1, until all but a few rods are aligned; eight are not."""
    start = planted(12, height=0.45, harmonics=24)
    ends = {n: last(start[:n], rods(-1, 1), 4.0, 2.0, 25).moments[0] for n in (8, 16, 24)}
    assert np.hypot(*ends[24]).max() > 0.8
    apart = {n: np.linalg.norm(ends[n] - ends[24]) / np.linalg.norm(ends[24]) for n in (8, 16)}
    assert apart[16] < 1e-8 < apart[8]


def test_half_the_step_and_twice_the_cells_change_little(developed):
    """Over one frame, relative to all fields."""
    made = rods(-5, 17)
    found = last(developed, made, 2.5, 0.25, 15)
    other = last(developed, made, 2.5, 0.25, 30)
    waves = np.zeros((1, 2, 128, 65), complex)
    once = np.fft.rfft2(developed, norm="forward")
    waves[..., :32, :32], waves[..., -31:, :32] = once[..., :32, :32], once[..., -31:, :32]
    finer = last(np.fft.irfft2(waves, norm="forward"), made, 2.5, 0.25, 15)
    assert np.hypot(*found.moments[0]).max() < 1
    for one, two, three in zip(found, other, finer, strict=True):
        size = np.linalg.norm(one)
        assert np.linalg.norm(one - two) < 1e-3 * size
        assert np.linalg.norm(one - three[..., ::2, ::2]) < 1e-2 * size


def test_a_clip_tells_alpha_and_zeta(drawn):
    """From the float32 of any one frame, and of half as many cells."""
    labels, clips = drawn
    for number in range(SPEC.clips):
        for frames in (clips[number], clips[number][:1]):
            found = active_matter.told(SPEC, frames)
            assert found == pytest.approx({n: labels[n][number] for n in found}, rel=1e-3)
    few = np.stack([active_matter._truncated(frame.astype(float), 16) for frame in clips[0]])
    found = active_matter.told(SPEC, few)
    assert found == pytest.approx({n: labels[n][0] for n in found}, rel=0.05)


def test_windows_are_frames_of_their_trajectory(drawn):
    labels, clips = drawn
    assert clips.shape == (4, 4, 32, 32, 11) and clips.dtype == np.float32
    assert [*active_matter.coords(SPEC)] == ["time", "y", "x", "channel"]
    first = active_matter.field(SPEC, clip(labels, 0))
    np.testing.assert_array_equal(first, clips[0])
    np.testing.assert_array_equal(labels["activity"], -labels["alpha"])
    for number in range(SPEC.clips):
        active_matter.check(SPEC, clip(labels, number), clips[number])
    apart = round((labels["t0"][1] - labels["t0"][0]) / SPEC.interval)
    np.testing.assert_array_equal(clips[0][apart:], clips[1][: 4 - apart])


def test_rods_that_hardly_align_pass_too():
    """All that is there decays, so that float32 has little of it."""
    spec = SPEC.model_copy(update={"zeta": 0.01, "d_r": 1.0, "alpha": -0.1, "trajectories": 1})
    labels = active_matter.draw(spec)
    assert labels["zeta"].tolist() == [0.01, 0.01] and labels["alpha"][0] == -0.1
    found = active_matter.solved(spec, labels)[0]
    assert 0 < np.abs(found[..., 7:]).max() < 1e-4
    active_matter.check(spec, clip(labels, 1), found[1])


def test_fewer_cells_are_kept_by_their_modes():
    spec = SPEC.model_copy(update={"trajectories": 1, "size": 24, "length": 7})
    labels = active_matter.draw(spec)
    (found,) = active_matter.solved(spec, labels)[0][:1]
    whole = active_matter.field(spec.model_copy(update={"size": 32}), clip(labels, 0))
    active_matter.check(spec, clip(labels, 0), found)
    modes = [np.fft.rfft2(f, axes=(1, 2), norm="forward")[:, :11, :11] for f in (found, whole)]
    np.testing.assert_allclose(*modes, atol=1e-6)


def test_parameters_fill_the_square_evenly_in_their_logarithms():
    labels = active_matter.draw(active_matter.Spec(trajectories=400, windows=1))
    active_matter.check_labels(active_matter.Spec(trajectories=400, windows=1), labels)
    for name, low, high in (("activity", 1, 5), ("zeta", 1, 17)):
        part = np.log(labels[name] / low) / np.log(high / low)
        assert part.min() > 0 and part.max() < 1
        np.testing.assert_allclose(np.histogram(part, 4, (0, 1))[0], 100, atol=30)
    assert abs(np.corrcoef(labels["activity"], labels["zeta"])[0, 1]) < 0.15
    few = {name: label[:20] for name, label in labels.items()} | {"zeta": np.repeat(2.0, 20)}
    with pytest.raises(ValueError, match="zeta has 1 distinct values in 20"):
        active_matter.check_labels(active_matter.Spec(trajectories=20, windows=1), few)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"solver": 128}, "solver: 128 x 128 cells on a box of 10 .* zeta up to 17 .* 256 x 256"),
        ({"size": 64, "solver": 48, "box": 1.0}, "48 x 48 cells are fewer than the 64 x 64"),
        ({"harmonics": 16}, "16 are enough for zeta / d_r up to 60, .* zeta up to 3"),
        ({"harmonics": 8, "zeta": 1.0}, "8 are enough for zeta / d_r up to 15"),
        ({"alpha": (-1.0, -5.0)}, "the low end -1 has to be below the high end -5"),
        ({"alpha": 1.0}, "less than 0"),
        ({"beta": 3.0}, "less than or equal to 2"),
        ({"frames": 16, "stride": 8}, "don't fit into a trajectory of 81"),
        ({"size": 8, "solver": 32, "box": 1.0, "waves": 11}, "waves: 11 to a side .* the 10 of 32"),
    ],
)
def test_what_is_not_resolved_is_refused(entry, message):
    with pytest.raises(ValidationError, match=message):
        active_matter.Spec(**entry)


def test_grids_and_steps_follow_from_the_draws():
    assert active_matter.Spec().solver == 256
    assert active_matter.Spec(zeta=(1.0, 4.0), alpha=-1.5).solver == 128
    assert active_matter.Spec(box=5.0, size=64).solver == 128
    kinetic = active_matter.Spec(d_r=0.2, zeta=12.0, harmonics=16)
    for spec, alpha, zeta, count in (
        (active_matter.Spec(), -1.0, 17.0, 15),
        (active_matter.Spec(), -5.0, 17.0, 21),
        (active_matter.Spec(step=0.001), -5.0, 17.0, 250),
        (kinetic, -1.0, 12.0, 35),
    ):
        assert active_matter.steps(spec, {"alpha": alpha, "zeta": zeta}) == count


@pytest.mark.parametrize(
    ("channel", "change", "message"),
    [
        ("concentration", 1.001, "concentration: off by .* in frame 2"),
        ("velocity_x", 1.01, "divergence: off by .* in frame 2"),
        ("D_xx", 1.001, "trace of D: off by .* in frame 2"),
        ("D_yx", 1.001, "symmetry of D: off by"),
        ("E_xx", 1.001, "E_xx: off by"),
        ("E_xy", 1.001, "E_xy: off by"),
        ("E_yx", 1.001, "E_yx: off by"),
        ("E_yy", 1.001, "E_yy: off by"),
        ("D_xy", np.nan, "finite values: frame 2 has others"),
    ],
)
def test_a_changed_field_is_refused(drawn, channel, change, message):
    labels, clips = drawn
    wrong = clips[1].copy()
    wrong[2, ..., active_matter.CHANNELS.index(channel)] *= change
    with pytest.raises(ValueError, match=message):
        active_matter.check(SPEC, clip(labels, 1), wrong)


def test_another_parameter_and_too_much_order_are_refused(drawn):
    labels, clips = drawn
    for name in ("alpha", "zeta"):
        other = clip(labels, 1) | {name: 1.01 * labels[name][1]}
        with pytest.raises(ValueError, match=r"balance of stresses: vorticity of frame \d is off"):
            active_matter.check(SPEC, other, clips[1])
    wrong = clips[1].copy()
    for name, sign in (("D_xx", 1), ("D_yy", -1)):
        place = active_matter.CHANNELS.index(name)
        wrong[3, 5, 6, place] = 0.5 + sign * 0.55
    with pytest.raises(ValueError, match=r"realizable order: .* in frame 3 at y 5, x 6"):
        active_matter.check(SPEC, clip(labels, 1), wrong)


@pytest.mark.parametrize(
    ("name", "fault", "message"),
    [
        ("_turn", lambda self, field, out: out.fill(0), "balance of stresses: .* of frame 0"),
        ("move", lambda self: self.velocity.fill(0.1), "E_xx: off by .* in frame 0"),
        ("rates", lambda self, waves, strain: waves * np.nan, "finite values: frame 1 has others"),
        ("rates", lambda self, waves, strain: 30 * waves, "realizable order: .* in frame 1 at"),
    ],
)
def test_a_faulty_solver_is_refused(monkeypatch, name, fault, message):
    monkeypatch.setattr(solver.Suspension, name, fault)
    with pytest.raises(ValueError, match=f"trajectory 0 of active_matter: {message}"):
        active_matter.solved(SPEC, {n: v[:1] for n, v in active_matter.draw(SPEC).items()})


def test_too_few_cells_are_noticed_while_solving():
    """Of an entry that the check of the config would not have let pass."""
    spec = SPEC.model_copy(update={"size": 24, "solver": 24, "zeta": 17.0})
    labels = {name: value[:1] for name, value in active_matter.draw(spec).items()}
    with pytest.raises(ValueError, match=r"resolution: frame 1 has .* more cells .* than 24 x 24"):
        active_matter.solved(spec, labels)


def test_the_store_holds_fields_by_name(tmp_path: Path, drawn):
    out = tmp_path / "active_matter" / "simulation.zarr" / "zarr.json"
    spec = SPEC.model_copy(update={"trajectories": 1})
    stage.run(out=out, spec=spec.canonical())
    found = zarrs.read(out)
    labels, clips = drawn
    assert found.fluid.dims == ("clip", "time", "y", "x", "channel")
    np.testing.assert_array_equal(found.fluid.values, clips[:2])
    assert found.channel.values.tolist() == list(active_matter.CHANNELS)
    np.testing.assert_array_equal(found.zeta.values, labels["zeta"][:2])
