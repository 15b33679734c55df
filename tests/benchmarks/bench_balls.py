"""A frame of balls by analytic edges against as many traced rays as come close to it."""

import numpy as np
from _bench import compare

from physprobe.render import balls
from physprobe.scenes import scene
from physprobe.simulate import balls as system

RAYS, CLIPS = 4, 24


def drawn(clips: int) -> list[np.ndarray]:
    """Fields of some clips."""
    spec = system.Spec(clips=clips)
    labels = system.draw(spec)
    return [
        system.field(spec, {name: label[clip] for name, label in labels.items()})
        for clip in range(clips)
    ]


def check(clips: int = 1) -> str:
    """Gate: pixels and centres against brute force."""
    worst, far = np.inf, 0.0
    for field in drawn(clips):
        found, traced = (
            balls.frames(s, field[:1]).astype(int) for s in (balls.Spec(), balls.Spec(rays=8))
        )
        worst = min(worst, 10 * np.log10(255**2 / ((found - traced) ** 2).mean()))
        far = max(far, _apart(field))
    if worst < 50 or far > 0.1:
        raise SystemExit(f"gate: {worst:.1f} dB from 64 rays per pixel, centres {far:.3f} px off")
    return f"gate: {worst:.1f} dB or more from 64 rays per pixel, centres within {far:.3f} px"


def main() -> None:
    """Check against brute force, then time both."""
    print(check(4))
    fields, analytic = drawn(CLIPS), balls.Spec()

    def by_analysis() -> None:
        for field in fields:
            balls.frames(analytic, field)

    def by_rays() -> None:
        balls.frames(balls.Spec(rays=RAYS), fields[0][:1])

    frames = sum(map(len, fields))
    compare("frame", 5, analytic=(by_analysis, frames), rays_4x4=(by_rays, 1))


def _apart(field: np.ndarray) -> float:
    """Distance of the ball from its projected centre [px]: white without shade, all else black."""
    bare = field.copy()
    for number, name in enumerate(scene.QUANTITIES):
        if name.startswith(("floor", "distractor_radius", "light_intensity")):
            bare[:, number] = 0
        elif name in {"ball_red", "ball_green", "ball_blue", "light_ambient"}:
            bare[:, number] = 1
    side, apart = np.arange(256) + 0.5, []
    for frame, row in zip(balls.frames(balls.Spec(), bare), scene.rows(bare), strict=True):
        value = frame[..., 0] / 255
        light = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
        centre = np.array([light.sum(axis) @ side for axis in (1, 0)]) / light.sum()
        apart.append(np.hypot(*(centre - [row["ball_row"], row["ball_column"]])))
    return max(apart)


if __name__ == "__main__":
    main()
