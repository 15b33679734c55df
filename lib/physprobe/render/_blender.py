"""Blender: a scene through its Cycles, frame by frame; for a process of its own.

Blender has one scene per process, crashes in a thread, and prints past Python's streams: nothing of
it is loaded where the rest of the package runs.
"""

import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from physprobe.render import balls
from physprobe.scenes import scene

Thing = Any
"""Of Blender's, which has no types."""
FINE = 4  # texels of the floor along each side of a pixel
BEYOND = 1.25  # half of the floor's side over what the camera sees of it
# Beckmann's lobe exp(-tan^2 / m^2) / (4 m^2 cos^4) at the height and the width of Blinn's, g cos^n:
# near their middle they fall by (1 / m^2 - 2) angle^2 and n angle^2 / 2.
SLOPE = np.sqrt(2 / (balls.SHARPNESS + 4))
STRENGTH = 4 * SLOPE**2 * balls.GLOSS


def film(rows: list[dict[str, float]], samples: int, bounces: int, seed: int) -> np.ndarray:
    """Frames (time, y, x, rgb) uint8 of a scene's rows.

    Parameters
    ----------
    rows : list of dict
        As ``scene`` describes them.
    samples : int
        Paths per pixel.
    bounces : int
        Times that light goes on from what it meets.
    seed : int
        Of the paths; the same in every frame.
    """
    world = _world()
    world.settings(samples, bounces, seed)
    return np.stack([world.frame(row) for row in rows])


@cache
def _world() -> "_World":
    return _World()


class _World:
    """Floor, balls, light and camera; every frame sets all of them."""

    def __init__(self):
        self.bpy = bpy = _quietly()
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self.scene = bpy.context.scene
        self.camera = self._object("camera", bpy.data.cameras.new("camera"))
        self.scene.camera = self.camera
        self.sun = self._object("sun", bpy.data.lights.new("sun", "SUN"))
        self.sun.data.angle = 0.0
        world = self.scene.world = bpy.data.worlds.new("sky")
        world.use_nodes = True
        world.cycles.sampling_method = "MANUAL"  # else light from it would count as a bounce
        self.sky = world.node_tree.nodes["Background"].inputs
        self.floor = self._object("floor", _square(bpy))
        self.floor_texture = self._floor_material()
        ball = _sphere(bpy)
        self.balls = {body: self._object(body, ball.copy()) for body in scene.BODIES}
        self.colours = {body: self._ball_material(made) for body, made in self.balls.items()}
        self.drawn: dict[str, float] = {}

    def settings(self, samples: int, bounces: int, seed: int) -> None:
        """How paths are traced, and light becomes bytes."""
        render, cycles, view = self.scene.render, self.scene.cycles, self.scene.view_settings
        render.engine = "CYCLES"
        cycles.device = "CPU"
        cycles.samples, cycles.seed = samples, seed
        cycles.use_adaptive_sampling = cycles.use_denoising = False
        cycles.pixel_filter_type = "BOX"
        cycles.max_bounces = cycles.diffuse_bounces = cycles.glossy_bounces = bounces
        cycles.sample_clamp_direct = cycles.sample_clamp_indirect = 0.0
        render.threads_mode, render.threads = "FIXED", 1
        render.use_persistent_data = True
        render.resolution_percentage = 100
        render.dither_intensity = 0.0
        render.image_settings.file_format = "PNG"
        render.image_settings.color_mode, render.image_settings.color_depth = "RGB", "8"
        view.view_transform, view.look, view.exposure, view.gamma = "Standard", "None", 0.0, 1.0

    def frame(self, row: dict[str, float]) -> np.ndarray:
        """One frame (y, x, rgb) uint8, from its own row alone."""
        self._set(row)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "frame.png"
            self.scene.render.filepath = str(path)
            self.bpy.ops.render.render(write_still=True)
            return _decoded(path)

    def _set(self, row: dict[str, float]) -> None:
        camera, light = scene.Camera.of(row), scene.light(row)
        self.scene.render.resolution_x = self.scene.render.resolution_y = camera.pixels
        self.camera.data.angle = row["camera_view"]
        self.camera.matrix_world = _matrix(camera.axes, camera.place)
        self.sun.data.energy = np.pi * row["light_intensity"]
        aside = np.cross(light, np.eye(3)[np.abs(light).argmin()])
        aside /= np.linalg.norm(aside)
        self.sun.matrix_world = _matrix(
            np.stack([aside, np.cross(light, aside), light]), np.zeros(3)
        )
        self.sky["Color"].default_value = (1, 1, 1, 1)
        self.sky["Strength"].default_value = row["light_ambient"]
        for body, made in self.balls.items():
            radius = row[f"{body}_radius"]
            made.hide_render = not radius
            made.location, made.scale = scene.centre(row, body), [radius] * 3
            colour = [row[f"{body}_{name}"] for name in scene.COLOURS]
            self.colours[body].default_value = (*colour, 1)
        if any(self.drawn.get(name) != row[name] for name in balls.FIXED):
            self._paint(row, camera)
            self.drawn = dict(row)

    def _paint(self, row: dict[str, float], camera: scene.Camera) -> None:
        """The analytic floor as an image, over more than the camera sees."""
        corner = camera.rays(*np.array([[0, 0, 1, 1], [0, 1, 0, 1]]) * camera.pixels)
        seen = camera.place - corner * (camera.place[2] / corner[:, 2:])
        half, count = BEYOND * np.abs(seen[:, :2]).max(), FINE * camera.pixels
        self.floor.scale = [half] * 3
        place = ((np.arange(count) + 0.5) / count * 2 - 1) * half
        colour = balls.albedo(row, *np.meshgrid(place, place))
        texels = np.ones((count, count, 4), np.float32)
        texels[..., :3] = colour
        old = self.floor_texture.image
        image = self.bpy.data.images.new("floor", count, count, float_buffer=True, is_data=True)
        image.pixels.foreach_set(texels.ravel())
        image.update()
        self.floor_texture.image = image
        if old:
            self.bpy.data.images.remove(old)

    def _object(self, name: str, data: Thing) -> Thing:
        made = self.bpy.data.objects.new(name, data)
        self.scene.collection.objects.link(made)
        return made

    def _nodes(self, made: Thing) -> tuple[Thing, Thing]:
        """Node tree of a new material, and its output."""
        material = self.bpy.data.materials.new(made.name)
        material.use_nodes = True
        nodes = material.node_tree.nodes
        nodes.clear()
        made.data.materials.append(material)
        return material.node_tree, nodes.new("ShaderNodeOutputMaterial")

    def _floor_material(self) -> Thing:
        """Matt; its texture."""
        tree, output = self._nodes(self.floor)
        matt, texture = map(tree.nodes.new, ("ShaderNodeBsdfDiffuse", "ShaderNodeTexImage"))
        texture.extension = "EXTEND"
        tree.links.new(texture.outputs["Color"], matt.inputs["Color"])
        tree.links.new(matt.outputs[0], output.inputs["Surface"])
        return texture

    def _ball_material(self, made: Thing) -> Thing:
        """Matt with a gloss; its colour."""
        tree, output = self._nodes(made)
        matt, gloss, both = map(
            tree.nodes.new,
            ("ShaderNodeBsdfDiffuse", "ShaderNodeBsdfAnisotropic", "ShaderNodeAddShader"),
        )
        gloss.distribution = "BECKMANN"
        gloss.inputs["Roughness"].default_value = np.sqrt(SLOPE)  # Blender squares it
        gloss.inputs["Color"].default_value = (STRENGTH, STRENGTH, STRENGTH, 1)
        for place, shader in enumerate((matt, gloss)):
            tree.links.new(shader.outputs[0], both.inputs[place])
        tree.links.new(both.outputs[0], output.inputs["Surface"])
        return matt.inputs["Color"]


def _quietly() -> Thing:
    """``bpy``, without what it and Cycles write past Python's streams."""
    with Path(os.devnull).open("w") as nowhere:
        for stream in (1, 2):
            os.dup2(nowhere.fileno(), stream)
    import bpy

    return bpy


def _matrix(axes: np.ndarray, place: np.ndarray) -> list[list[float]]:
    """Of an object whose axes are the rows (3, 3), at a place (3,); column by column."""
    whole = np.eye(4)
    whole[:3, :3], whole[3, :3] = axes, place
    return whole.tolist()


def _square(bpy: Thing) -> Thing:
    """Two by two, with the coordinates of an image over all of it."""
    mesh = bpy.data.meshes.new("floor")
    mesh.from_pydata([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)], [], [(0, 1, 2, 3)])
    corners = mesh.uv_layers.new().data
    corners.foreach_set("uv", np.array([0, 0, 1, 0, 1, 1, 0, 1], np.float32))
    return mesh


def _sphere(bpy: Thing) -> Thing:
    """Of radius one, of 20,480 triangles with smooth normals: 0.001 px off a sphere."""
    bpy.ops.mesh.primitive_ico_sphere_add(subdivisions=6, radius=1.0)
    made = bpy.context.object
    mesh = made.data
    bpy.data.objects.remove(made)
    mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), bool))
    return mesh


def _decoded(path: Path) -> np.ndarray:
    import av

    with av.open(str(path)) as image:
        return next(image.decode(video=0)).to_ndarray(format="rgb24")
