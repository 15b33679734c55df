"""Published balls beside the engine that moved them; runs where pybullet is installed."""

import numpy as np
import pytest

from physprobe.scenes import scene
from physprobe.simulate import _plane, balls_acceleration, balls_velocity

SUBSTEPS = 10
STEP = 1 / (_plane.FPS * SUBSTEPS)
PLACE = [scene.QUANTITIES.index(f"ball_{axis}") for axis in "xyz"]
SMOOTH = ("lateralFriction", "rollingFriction", "spinningFriction")
LASTING = ("restitution", "linearDamping", "angularDamping")


@pytest.fixture(scope="module")
def engine():
    """A frictionless ball of 1 kg on a plane, and the engine that moves it."""
    bullet = pytest.importorskip("pybullet")
    client = bullet.connect(bullet.DIRECT)
    bullet.setGravity(0, 0, -9.81)
    bullet.setTimeStep(STEP)
    plane = bullet.createMultiBody(0, bullet.createCollisionShape(bullet.GEOM_PLANE))
    shape = bullet.createCollisionShape(bullet.GEOM_SPHERE, radius=_plane.RADIUS)
    ball = bullet.createMultiBody(1.0, shape)
    for body in (plane, ball):
        bullet.changeDynamics(body, -1, **dict.fromkeys((*SMOOTH, *LASTING), 0.0))
    yield bullet, ball
    bullet.disconnect(client)


def moved(engine, start, velocity, force):
    """Places (time, 3) of the ball at every frame."""
    bullet, ball = engine
    bullet.resetBasePositionAndOrientation(ball, [*start, _plane.RADIUS], [0, 0, 0, 1])
    bullet.resetBaseVelocity(ball, [*velocity, 0], [0, 0, 0])
    places = []
    for _ in range(_plane.FRAMES):
        place = bullet.getBasePositionAndOrientation(ball)[0]
        places.append(place)
        for _ in range(SUBSTEPS):
            place = bullet.getBasePositionAndOrientation(ball)[0]
            bullet.applyExternalForce(ball, -1, [*force, 0], place, bullet.WORLD_FRAME)
            bullet.stepSimulation()
    return np.array(places)


@pytest.mark.parametrize("system", [balls_velocity, balls_acceleration])
def test_every_clip_moves_as_in_the_engine(engine, system):
    """Its steps push first and move then: under a force it is a t dt / 2 ahead, 0.013 m at most."""
    spec, time = system.Spec(), _plane.coords(_plane.FRAMES)["time"]
    labels = system.draw(spec)
    apart, ahead = [], []
    for clip in range(len(labels["x0"])):
        label = {name: values[clip] for name, values in labels.items()}
        start, velocity, force = (
            np.array([label.get(name, 0.0) for name in pair])
            for pair in (("x0", "y0"), ("vx", "vy"), ("ax", "ay"))
        )
        found = moved(engine, start, velocity, force) - system.field(spec, label)[:, PLACE]
        ahead.append(np.linalg.norm(found, axis=1))
        found[:, :2] -= time[:, None] * force * STEP / 2
        apart.append(np.abs(found))
    assert np.max(np.array(apart)[..., :2]) < 1e-6, "along the floor: float32 of the scene"
    assert np.max(np.array(apart)[..., 2]) < 2e-5, "off the floor: a contact gives way"
    assert np.max(ahead) < (2e-5 if system is balls_velocity else 0.0131)
