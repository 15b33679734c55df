"""Scene: two balls on a plane, a light and a camera; a row of numbers for each frame.

What a simulation of balls hands to a renderer: (time, quantity) float32, the quantities as named
here. A row holds all that its frame shows, so that a frame can be drawn from its own row alone and
any quantity may change from frame to frame.

The world is right-handed: x to the right of the image, y up, z towards the camera; the floor is
z = 0. The camera looks at the origin from ``camera_distance``, straight down but for a rotation by
``camera_tilt`` about the horizontal axis that is at right angles to ``camera_azimuth``. Rows and
columns are counted from the upper left corner of the image, pixel j reaches from j to j + 1.
"""

from dataclasses import dataclass

import numpy as np

from physprobe.scenes import frames

BODIES = ("ball", "distractor")
UNITS = {
    **{
        f"{body}_{name}": unit
        for body in BODIES
        for name, unit in {
            "x": "m",
            "y": "m",
            "z": "m",
            "radius": "m",  # 0: there is no such ball
            "red": "1",
            "green": "1",
            "blue": "1",
            "row": "px",
            "column": "px",
            "visible": "1",  # part of the ball's image that is in view
        }.items()
    },
    "floor_red": "1",
    "floor_green": "1",
    "floor_blue": "1",
    "texture": "1",  # see ``TEXTURES``
    "texture_contrast": "1",
    "texture_wavelength": "m",
    "texture_angle": "rad",
    "texture_x": "m",
    "texture_y": "m",
    "light_azimuth": "rad",
    "light_elevation": "rad",
    "light_intensity": "1",
    "light_ambient": "1",
    "camera_distance": "m",
    "camera_view": "rad",  # angle across the image
    "camera_tilt": "rad",
    "camera_azimuth": "rad",
    "camera_pixels": "px",
}
QUANTITIES = tuple(UNITS)
UNIT = "by quantity: " + ", ".join(f"{name} [{unit}]" for name, unit in UNITS.items())
"""Unit of the whole array, as stored."""
TEXTURES = ("stripes", "squares", "grain")
COLOURS = ("red", "green", "blue")

# Points evenly over a disc, by the golden angle.
_COUNT = 256
_TURN = np.pi * (3 - np.sqrt(5)) * np.arange(_COUNT)
DISC = np.sqrt((np.arange(_COUNT) + 0.5) / _COUNT) * np.stack([np.cos(_TURN), np.sin(_TURN)])


@dataclass(frozen=True)
class Camera:
    """A pinhole camera."""

    place: np.ndarray
    """(3,) where it is [m]."""
    axes: np.ndarray
    """(3, 3) unit vectors to the right, up, and back, away from what it looks at."""
    tangent: float
    """Of half the angle across the image."""
    pixels: int
    """Along each side of the image."""

    @classmethod
    def of(cls, row: dict[str, float]) -> "Camera":
        """Camera of a frame."""
        tilt, azimuth = row["camera_tilt"], row["camera_azimuth"]
        towards = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
        axis = np.array([-towards[1], towards[0], 0.0])
        axes = np.eye(3)
        # Rodrigues' rotation of each axis
        axes = (
            axes * np.cos(tilt)
            + np.cross(axis, axes) * np.sin(tilt)
            + np.outer(axes @ axis, axis) * (1 - np.cos(tilt))
        )
        distance, tangent = row["camera_distance"], np.tan(row["camera_view"] / 2)
        return cls(distance * axes[2], axes, float(tangent), round(row["camera_pixels"]))

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Row and column [px] of points (..., 3) [m]."""
        right, up, back = np.moveaxis((points - self.place) @ self.axes.T, -1, 0)
        scale = self.pixels / (2 * self.tangent * -back)
        return self.pixels / 2 - up * scale, self.pixels / 2 + right * scale

    def rays(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Unit vectors (..., 3) from the camera through points of the image [px]."""
        rows, columns = np.broadcast_arrays(rows, columns)
        step = 2 * self.tangent / self.pixels
        right, up = (columns - self.pixels / 2) * step, (self.pixels / 2 - rows) * step
        ways = np.stack([right, up, np.full(rows.shape, -1.0)], -1) @ self.axes
        return ways / np.linalg.norm(ways, axis=-1, keepdims=True)

    def outline(self, centres: np.ndarray, radius: float, disc: np.ndarray) -> np.ndarray:
        """Flat discs (..., point, 3) that balls look like, for points (2, point) of a unit disc."""
        way = centres - self.place
        distance = np.linalg.norm(way, axis=-1, keepdims=True)
        way = way / distance
        across = np.cross(way, self.axes[1])
        across /= np.linalg.norm(across, axis=-1, keepdims=True)
        sine = np.minimum(radius / distance, 1.0)
        middle, size = centres - radius * sine * way, radius * np.sqrt(1 - sine**2)
        sides = np.stack([across, np.cross(across, way)], axis=-2)
        return middle[..., None, :] + size[..., None] * (disc.T @ sides)

    def visible(self, centres: np.ndarray, radius: float) -> np.ndarray:
        """Part of each ball's image (...) that is in view."""
        rows, columns = self.project(self.outline(centres, radius, DISC))
        inside = (rows >= 0) & (rows <= self.pixels) & (columns >= 0) & (columns <= self.pixels)
        return inside.mean(-1)


def light(row: dict[str, float]) -> np.ndarray:
    """Unit vector (3,) towards the light of a frame."""
    azimuth, elevation = row["light_azimuth"], row["light_elevation"]
    flat = np.cos(elevation)
    return np.array([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)])


def centre(row: dict[str, float], body: str) -> np.ndarray:
    """Centre (3,) of a ball [m]."""
    return np.array([row[f"{body}_{axis}"] for axis in "xyz"])


def rows(scene: np.ndarray) -> list[dict[str, float]]:
    """Every frame's quantities by name; see :func:`frames.rows`."""
    return frames.rows(
        scene, QUANTITIES, "draws balls; a field in false colour is for kind `fields`"
    )
