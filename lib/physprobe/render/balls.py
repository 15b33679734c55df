"""Balls: rays from a camera meet spheres on a plane, under a light that casts shadows.

    sphere    |o + t d - c| = r    met where p < r,    p^2 = |c - o|^2 - ((c - o) . d)^2
    shadow    of a sphere on a point q, where |(c - q) x l| < r and (c - q) . l > 0

Light is ambient or comes from one direction l, surfaces are matt (Lambert) but for a faint gloss of
the balls (Blinn), and pixels are in sRGB. Edges are anti-aliased by how much of a pixel they leave:
the outline of a ball or of its shadow is straight across one pixel, and what a straight line cuts
off a square is known in closed form; only where two outlines meet in a pixel are many rays traced
in it. No ray is traced but where something moves: the floor of a
clip is drawn once, then every ball and its shadow within the box that they need.
"""

from typing import Literal

import numpy as np
from pydantic import Field

from physprobe.config.spec import Spec as Base
from physprobe.render._srgb import encode
from physprobe.scenes import scene

GLOSS, SHARPNESS = 0.25, 20
DRAWS, BACK = ("scene",), True
BLUER = 12
"""By how many steps of a byte a ball is bluer than red; floor and second ball are redder."""

MEETING = 6  # rays along each side of a pixel in which two edges meet
MARGIN = 2  # [px] around what is drawn: outlines that are sampled, and half a pixel of their edge
RING = np.stack([trig(np.linspace(0, 2 * np.pi, 32, endpoint=False)) for trig in (np.cos, np.sin)])
# Waves of the grain: direction [rad], length over that of the texture, phase [rad].
GRAIN = ((0.2, 1.0, 0.0), (1.3, 0.83, 1.7), (2.2, 1.21, 4.4), (2.9, 0.71, 2.6), (0.8, 1.47, 5.5))

Ball = tuple[np.ndarray, float, np.ndarray]
"""Centre [m], radius [m] and colour."""
Box = tuple[slice, slice]
"""Rows and columns."""


class Spec(Base):
    """Balls on a floor: how edges are drawn; all else is in the scene."""

    kind: Literal["balls"] = "balls"
    """Balls on a floor by analytic ray casting."""
    rays: int = Field(0, ge=0, le=16)
    """Rays along each side of a pixel, every one of them traced; 0 works out how much of a pixel an
    edge leaves, a hundred times as fast as 4 rays and closer to what many of them give."""


def frames(spec: Spec, field: np.ndarray) -> np.ndarray:
    """Frames of one clip.

    Parameters
    ----------
    spec : Spec
    field : (time, quantity)
        A scene, as ``scene`` describes it.

    Returns
    -------
    (time, y, x, rgb) uint8

    Raises
    ------
    ValueError
        If it is no scene, or a frame is not finite; the message names it.
    """
    rows = scene.rows(np.asarray(field))
    if spec.rays:
        return np.stack([_traced(row, spec.rays) for row in rows])
    floor = _Floor(rows[0])
    video = np.empty((len(rows), *floor.plate.shape), np.uint8)
    for number, row in enumerate(rows):
        if floor.differs(row):
            floor = _Floor(row)
        floor.draw(row, video[number])
    return video


def back(spec: Spec, frames: np.ndarray) -> np.ndarray:
    """Where the ball is in each frame, as the mean place of what is blue; nothing else.

    Parameters
    ----------
    spec : Spec
    frames : (time, y, x, rgb) uint8

    Returns
    -------
    (time, quantity) float64
        ``ball_row`` and ``ball_column`` [px] of a scene, to about a twentieth of a pixel, and nan
        where a part of the ball is out of view; all other quantities are nan.
    """
    found = np.full((len(frames), len(scene.QUANTITIES)), np.nan)
    row, column = (scene.QUANTITIES.index(f"ball_{name}") for name in ("row", "column"))
    for number, frame in enumerate(frames):
        red, green, blue = np.moveaxis(frame.astype(np.int16), -1, 0)
        ball = (blue > red + BLUER) & (blue > green)
        edge = ball[[0, -1]].any() or ball[:, [0, -1]].any()
        if ball.any() and not edge:
            y, x = np.nonzero(ball)
            found[number, row], found[number, column] = y.mean() + 0.5, x.mean() + 0.5
    return found


class _Floor:
    """What doesn't move: the rays, the floor where they meet it, and how it looks without balls."""

    def __init__(self, row: dict[str, float]):
        self.row = row
        self.camera, self.light = scene.Camera.of(row), scene.light(row)
        side = np.arange(self.camera.pixels) + 0.5
        self.rays = self.camera.rays(side[:, None], side)
        self.points, self.albedo = _floor(row, self.camera.place, self.rays)
        self.sun = row["light_intensity"] * self.light[2]
        self.plate = encode(self.albedo * (row["light_ambient"] + self.sun))

    def differs(self, row: dict[str, float]) -> bool:
        """Whether a frame has another floor, light or camera."""
        return any(row[name] != self.row[name] for name in FIXED)

    def draw(self, row: dict[str, float], frame: np.ndarray) -> None:
        """Draw a frame (y, x, rgb) uint8."""
        frame[...] = self.plate
        balls = bodies(row, self.camera)
        for box in _merged([self._box(centre, radius) for centre, radius, _ in balls]):
            part = self._part(row, balls, box)
            if part is not None:
                frame[box] = part

    def _part(self, row: dict, balls: list[Ball], box: Box) -> np.ndarray | None:
        rays, points = self.rays[box], self.points[box]
        if min(rays.shape[:2]) < 2:
            return None
        shades = [coverage(_shade(points, c, r, self.light))[0] for c, r, _ in balls]
        edges = np.sum([_partial(shade) for shade in shades], axis=0)
        lit = np.prod([1 - shade for shade in shades], axis=0)
        colour = self.albedo[box] * (row["light_ambient"] + self.sun * lit)[..., None]
        for number, (centre, radius, own) in enumerate(balls):
            along, beside = _nearest(rays, centre - self.camera.place)
            cover, pixel = coverage(radius - beside)
            seen = cover > 0
            edges += _partial(cover)
            cover = cover[seen][:, None]
            rays_, along, beside = rays[seen], along[seen], beside[seen]
            aside = self.camera.place + along[:, None] * rays_ - centre
            aside /= np.maximum(beside, 1e-12)[:, None]
            across, up = _mean_normal(beside / radius, pixel[seen] / (2 * radius), cover[:, 0])
            normal = across[:, None] * aside - up[:, None] * rays_
            sun = np.ones(len(rays_))
            for other, size, _ in balls[:number] + balls[number + 1 :]:
                if _reaches(other, size, centre, radius, self.light):
                    shade = np.full(seen.shape, -size)
                    shade[seen] = _shade(centre + radius * normal, other, size, self.light)
                    sun *= 1 - coverage(shade)[0][seen]
            shine = _surface(row, own, normal, -rays_, self.light, sun)
            colour[seen] += cover * (shine - colour[seen])
        # two edges in one pixel may hide each other
        y, x = np.nonzero(edges > 1)
        if len(y):
            y, x = y + box[0].start, x + box[1].start
            colour[edges > 1] = _supersampled(row, self.camera, balls, self.light, y, x, MEETING)
        return encode(colour)

    def _box(self, centre: np.ndarray, radius: float) -> Box:
        """Rows and columns that hold a ball and its shadow."""
        ball = self.camera.outline(centre, radius, RING)
        flat = self.light[:2]
        long = np.linalg.norm(flat)
        along = np.array([*flat / long, 0.0]) if long > 1e-9 else np.array([1.0, 0.0, 0.0])
        across = np.array([-along[1], along[0], 0.0])
        middle = centre - self.light * (centre[2] / self.light[2])
        shadow = middle + radius * RING.T @ np.stack([along / self.light[2], across])
        ends = np.stack(self.camera.project(np.concatenate([ball, shadow])))
        low = np.maximum(np.floor(ends.min(1)).astype(int) - MARGIN, 0)
        high = np.minimum(np.ceil(ends.max(1)).astype(int) + MARGIN, self.camera.pixels)
        rows, columns = (slice(int(a), max(int(a), int(b))) for a, b in zip(low, high, strict=True))
        return rows, columns


FIXED = tuple(
    name for name in scene.QUANTITIES if name.startswith(("floor", "texture", "light", "camera"))
)


def bodies(row: dict[str, float], camera: scene.Camera) -> list[Ball]:
    """Centre [m], radius [m] and colour of every ball of a frame, the farthest first."""
    found = [
        (
            scene.centre(row, body),
            row[f"{body}_radius"],
            np.array([row[f"{body}_{colour}"] for colour in scene.COLOURS]),
        )
        for body in scene.BODIES
        if row[f"{body}_radius"] > 0
    ]
    return sorted(found, key=lambda ball: -np.linalg.norm(ball[0] - camera.place))


def coverage(depth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Part of every pixel (y, x) in which a quantity is positive, as if it were linear there.

    A line at a distance s from the middle of a square, its unit normal (m, n) with m >= n >= 0,
    leaves 1/2 + s / m of it while it cuts opposite sides, and (a + s)^2 / (2 m n) or one less
    (a - s)^2 / (2 m n) while it cuts off a corner; a = (m + n) / 2.

    Returns
    -------
    cover, steep : (y, x)
        That part, and by how much the quantity changes over a pixel.
    """
    down, right = np.gradient(depth)
    steep = np.hypot(down, right)
    near = np.abs(depth) < 0.75 * steep
    found = (depth > 0).astype(float)
    slope = steep[near]
    signed = depth[near] / slope
    short, long = np.sort(np.abs(np.stack([down[near], right[near]])) / slope, axis=0)
    distance = np.abs(signed)
    corner = np.maximum((short + long) / 2 - distance, 0)
    left = np.where(
        distance <= (long - short) / 2,
        0.5 - distance / long,
        corner**2 / np.maximum(2 * short * long, 1e-12),
    )
    found[near] = np.where(signed > 0, 1 - left, left)
    return found, steep


def _partial(cover: np.ndarray) -> np.ndarray:
    return ((cover > 0) & (cover < 1)).astype(int)


def _mean_normal(
    middle: np.ndarray, half: np.ndarray, cover: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Parts of a sphere's normal across and towards the camera, averaged over pixels.

    At the distance u from its middle, in radii, the normal of a unit sphere has the parts u and
    sqrt(1 - u^2). The second falls so steeply at the outline that its value in the middle of a
    pixel is not its mean, (F(u1) - F(u0)) / (u1 - u0) with 2 F(u) = u sqrt(1 - u^2) + asin u.
    """
    edge = cover < 1
    far = np.where(edge, 1.0, np.minimum(middle + half, 1.0))
    near = np.where(edge, 1 - 2 * half * np.maximum(cover, 1e-3), np.minimum(middle - half, 0.999))
    near = np.maximum(near, -1.0)
    whole = [u * np.sqrt(1 - u**2) + np.arcsin(u) for u in (near, far)]
    return (near + far) / 2, (whole[1] - whole[0]) / (2 * (far - near))


def _merged(boxes: list[Box]) -> list[Box]:
    """Boxes, those that overlap as one."""
    found: list[Box] = []
    for box in boxes:
        for other in list(found):
            if all(a.start < b.stop and b.start < a.stop for a, b in zip(box, other, strict=True)):
                found.remove(other)
                box = _union(box[0], other[0]), _union(box[1], other[1])
        found.append(box)
    return found


def _union(one: slice, other: slice) -> slice:
    return slice(min(one.start, other.start), max(one.stop, other.stop))


def _nearest(rays: np.ndarray, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far along each ray it comes nearest to a point, and how near."""
    along = rays @ centre
    return along, np.sqrt(np.maximum(centre @ centre - along**2, 0))


def _shade(points: np.ndarray, centre: np.ndarray, radius: float, light: np.ndarray) -> np.ndarray:
    """How deep points (..., 3) are inside the shadow of a ball; negative outside [m]."""
    way = centre - points
    along = way @ light
    beside = np.sqrt(np.maximum((way**2).sum(-1) - along**2, 0))
    return np.where(along > 0, radius - beside, -radius)


def _reaches(
    other: np.ndarray, size: float, centre: np.ndarray, radius: float, light: np.ndarray
) -> bool:
    """Whether another ball casts its shadow on this one."""
    way = other - centre
    along = way @ light
    return bool(along > 0 and way @ way - along**2 < (size + radius) ** 2)


def _floor(
    row: dict[str, float], place: np.ndarray, rays: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where rays (..., 3) meet the floor, and its colour there."""
    points = place - rays * (place[2] / rays[..., 2:])
    return points, albedo(row, points[..., 0], points[..., 1])


def albedo(row: dict[str, float], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Part of the light (..., rgb) that the floor returns at places (...) [m]."""
    plain = np.array([row[f"floor_{colour}"] for colour in scene.COLOURS])
    if not row["texture_contrast"]:
        return np.broadcast_to(plain, (*x.shape, 3))
    pattern = 1 + row["texture_contrast"] * _texture(row, x, y)
    return plain * pattern[..., None]


def _texture(row: dict[str, float], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Smooth pattern of the floor, -1 to 1."""
    number, angle = 2 * np.pi / row["texture_wavelength"], row["texture_angle"]
    x, y = x - row["texture_x"], y - row["texture_y"]

    def wave(turn: float = 0.0, length: float = 1.0, phase: float = 0.0) -> np.ndarray:
        along = x * np.cos(angle + turn) + y * np.sin(angle + turn)
        return np.cos(along * (number / length) + phase)

    match scene.TEXTURES[round(row["texture"])]:
        case "stripes":
            return wave()
        case "squares":
            return wave() * wave(np.pi / 2)
    return sum((wave(*part) for part in GRAIN), np.zeros(())) / len(GRAIN)


def _surface(
    row: dict[str, float],
    colour: np.ndarray,
    normal: np.ndarray,
    back: np.ndarray,
    light: np.ndarray,
    sun: np.ndarray,
) -> np.ndarray:
    """Light (point, 3) from points of a ball, towards ``back``, given what reaches them."""
    half = light + back
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    facing = np.maximum(normal @ light, 0)
    gloss = GLOSS * np.maximum((normal * half).sum(1), 0) ** SHARPNESS * (facing > 0)
    strength = row["light_intensity"] * sun
    return (
        colour * (row["light_ambient"] + strength * facing)[:, None] + (strength * gloss)[:, None]
    )


def _traced(row: dict[str, float], count: int) -> np.ndarray:
    """Frame (y, x, rgb) uint8 from count x count rays per pixel: slow, and simple."""
    camera, light = scene.Camera.of(row), scene.light(row)
    balls, side = bodies(row, camera), np.arange(camera.pixels)
    lines = [_supersampled(row, camera, balls, light, y, side, count) for y in side]
    return encode(np.stack(lines))


def _supersampled(
    row: dict[str, float],
    camera: scene.Camera,
    balls: list[Ball],
    light: np.ndarray,
    y: np.ndarray | np.integer,
    x: np.ndarray,
    count: int,
) -> np.ndarray:
    """Light (pixel, 3) in pixels, from count x count rays in each."""
    steps = (np.arange(count) + 0.5) / count
    down, right = np.repeat(steps, count), np.tile(steps, count)
    rays = camera.rays(np.add.outer(y, down), np.add.outer(x, right))
    return _radiance(row, camera.place, rays, balls, light).mean(-2)


def _radiance(
    row: dict[str, float],
    place: np.ndarray,
    rays: np.ndarray,
    balls: list[Ball],
    light: np.ndarray,
) -> np.ndarray:
    """Light (..., 3) that comes along rays, each met by the first thing in its way."""
    points, albedo = _floor(row, place, rays)
    sun = ~_blocked(points, balls, light)
    found = albedo * (row["light_ambient"] + row["light_intensity"] * light[2] * sun)[..., None]
    depth = np.full(rays.shape[:-1], np.inf)
    for number, (centre, radius, colour) in enumerate(balls):
        half = rays @ (place - centre)
        root = half**2 - ((place - centre) @ (place - centre) - radius**2)
        hit = root > 0
        near = -half[hit] - np.sqrt(root[hit])
        closer = near < depth[hit]
        hit[hit], near = closer, near[closer]
        depth[hit] = near
        surface = place + near[:, None] * rays[hit]
        others = balls[:number] + balls[number + 1 :]
        free = ~_blocked(surface, others, light)
        found[hit] = _surface(row, colour, (surface - centre) / radius, -rays[hit], light, free)
    return found


def _blocked(points: np.ndarray, balls: list[Ball], light: np.ndarray) -> np.ndarray:
    """Whether a ball is between points (..., 3) and the light."""
    found = np.zeros(points.shape[:-1], bool)
    for centre, radius, _ in balls:
        way = centre - points
        along = way @ light
        found |= (along > 0) & ((way**2).sum(-1) - along**2 < radius**2)
    return found
