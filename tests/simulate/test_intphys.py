"""IntPhys: a development set is read whole, or what is wrong with it is named."""

import json
import os
import re
import shutil
import subprocess
import sys
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from pydantic import ValidationError

from physprobe.config.system import System
from physprobe.render import intphys as renderer
from physprobe.render import stage as render
from physprobe.scenes import intphys
from physprobe.simulate import entries
from physprobe.simulate import intphys as system
from physprobe.simulate import stage as simulate
from physprobe.statistics import splits
from physprobe.store import zarrs

SCENES, LENGTH, SIDE = 2, 5, 4
RIGHT = {1: True, 2: False, 3: False, 4: True}


def png(image, before=(), packed=None):
    """Bytes of a PNG, written by hand: the format's chunks around deflated rows."""

    def chunk(name, content):
        body = name + content
        return len(content).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    height, width, channels = image.shape
    colours = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    form = bytes([8 * image.itemsize, colours, 0, 0, 0])
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + form
    rows = b"".join(b"\0" + row.astype(image.dtype.newbyteorder(">")).tobytes() for row in image)
    parts = [(b"IHDR", header), *before, (b"IDAT", packed or zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def picture(principle, scene, movie, frame):
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    image[...] = 10 * principle, 20 * scene + movie, 30 + frame
    image[1, 2] = 255, 0, 7
    return image


@pytest.fixture
def folder(tmp_path: Path):
    """Small copy of the public layout."""
    for principle in (1, 2, 3):
        for scene in range(1, SCENES + 1):
            for movie, possible in RIGHT.items():
                place = tmp_path / "dev" / f"O{principle}" / f"{scene:02d}" / str(movie)
                (place / "scene").mkdir(parents=True)
                (place / "depth").mkdir()
                status = {"header": {"is_possible": possible}, "frames": []}
                (place / "status.json").write_text(json.dumps(status))
                for frame in range(1, LENGTH + 1):
                    path = place / "scene" / f"scene_{frame:03d}.png"
                    path.write_bytes(png(picture(principle, scene, movie, frame)))
    return tmp_path / "dev"


def spec(folder, **changed):
    return system.Spec(folder=str(folder), scenes=SCENES, length=LENGTH, frames=3, **changed)


def simulated(folder, tmp_path, force=False):
    out = tmp_path / "intphys" / "simulation.zarr" / "zarr.json"
    simulate.run(out=out, spec=spec(folder).canonical(), force=force)
    return out


def rendered(folder, source, force=False):
    out = source.parents[1] / "clips.zarr" / "zarr.json"
    about = renderer.Spec(folder=str(folder)).canonical()
    render.run(simulation=source, out=out, spec=about, force=force)
    return out


def test_movies_become_clips_with_their_labels(folder, tmp_path):
    source = simulated(folder, tmp_path)
    out = rendered(folder, source)
    labels, clips = zarrs.read(source), zarrs.read(out)
    assert clips.video.shape == (24, 3, SIDE, SIDE, 3)
    assert labels.principle.values.tolist() == ["O1"] * 8 + ["O2"] * 8 + ["O3"] * 8
    assert labels.possible.values.tolist() == [1, 0, 0, 1] * 6
    assert labels.movie.values.tolist() == [1, 2, 3, 4] * 6
    groups, _ = splits.declared_by(labels, outer=2, inner=2, seed=0)
    assert np.array_equal(groups, np.arange(24) // 4)
    for clip, video in enumerate(clips.video.values):
        principle, scene, movie = clip // 8 + 1, clip // 4 % 2 + 1, clip % 4 + 1
        expected = [picture(principle, scene, movie, frame) for frame in (1, 3, 5)]
        assert np.array_equal(video, expected)


def test_frames_are_taken_as_published():
    taken = system._taken(system.Spec(folder="dev"))
    assert taken.tolist() == np.round(np.linspace(0, 99, 16)).astype(int).tolist()
    assert system.coords(system.Spec(folder="dev"))["time"][-1] == 99 / system.RATE


def spoil_missing_frame(folder):
    (folder / "O2/01/3/scene/scene_004.png").unlink()
    return "missing .*O2/01/3/scene/scene_004.png"


def spoil_missing_status(folder):
    (folder / "O1/02/2/status.json").unlink()
    return "missing .*O1/02/2/status.json"


def spoil_missing_movie(folder):
    (folder / "O3/02/4").rename(folder / "O3/02/5")
    return "missing .*O3/02/4; not known .*O3/02/5"


def spoil_extra_frame(folder):
    (folder / "O1/01/1/scene/scene_006.png").write_bytes(b"")
    return "not known .*O1/01/1/scene/scene_006.png"


def spoil_extra_file(folder):
    (folder / "O1" / "notes.txt").write_text("")
    return "not known .*O1/notes.txt"


def spoil_truncated_frame(folder):
    path = folder / "O3/01/2/scene/scene_002.png"
    path.write_bytes(path.read_bytes()[:-5])
    return r"truncated .*O3/01/2/scene/scene_002.png \(\d+ bytes\)"


def spoil_empty_frame(folder):
    (folder / "O3/01/2/scene/scene_005.png").write_bytes(b"")
    return r"truncated .*scene_005.png \(0 bytes\)"


def spoil_size(folder):
    path = folder / "O3/01/2/scene/scene_002.png"
    path.write_bytes(png(np.zeros((SIDE, SIDE + 1, 3), np.uint8)))
    return r"O3/01/2/scene/scene_002.png: 4 x 5 px, expected 4 x 4 as of most"


def spoil_depth(folder):
    path = folder / "O3/01/2/scene/scene_002.png"
    path.write_bytes(png(np.zeros((SIDE, SIDE, 3), np.uint16)))
    return "scene_002.png: 16 bits of colour, expected 8 bits of colour"


def spoil_gray(folder):
    path = folder / "O3/01/2/scene/scene_002.png"
    path.write_bytes(png(np.zeros((SIDE, SIDE, 1), np.uint8)))
    return "scene_002.png: 8 bits of gray, expected 8 bits of colour"


def spoil_animated_frame(folder):
    path = folder / "O3/01/2/scene/scene_003.png"
    path.write_bytes(png(picture(3, 1, 2, 3), [(b"acTL", bytes([0, 0, 0, 2, 0, 0, 0, 0]))]))
    return "O3/01/2/scene/scene_003.png: is animated; a frame is one image"


def spoil_bits_within_frames(folder):
    for movie in (1, 2):
        path = folder / f"O3/01/{movie}/scene/scene_003.png"
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    return r"O3/01/1/scene/scene_003.png: is damaged at byte 33; .*O3/01/2/.*: is damaged"


def spoil_status(folder):
    (folder / "O2/02/1/status.json").write_text('{"header": {"is_possible": ')
    return "O2/02/1/status.json: no header.is_possible can be read"


def spoil_word(folder):
    (folder / "O2/02/1/status.json").write_text('{"header": {"is_possible": "yes"}}')
    return "is_possible is 'yes', not true or false"


def spoil_balance(folder):
    (folder / "O2/02/1/status.json").write_text('{"header": {"is_possible": false}}')
    return "O2/02: 1 possible movies, expected 2 of 4"


@pytest.mark.parametrize(
    "spoil", [value for name, value in list(globals().items()) if name.startswith("spoil_")]
)
def test_what_is_wrong_is_named(folder, tmp_path, spoil):
    message = spoil(folder)
    with pytest.raises(ValueError, match=message):
        simulated(folder, tmp_path)
    assert not (tmp_path / "intphys" / "simulation.zarr" / "zarr.json").exists()


def test_many_problems_are_counted(folder):
    for path in (folder / "O1").rglob("*.png"):
        path.unlink()
    with pytest.raises(ValueError, match=f"and {8 * LENGTH - intphys.SHOWN} more"):
        intphys.possible(folder, scenes=SCENES, frames=LENGTH)
    with pytest.raises(ValueError, match="no such folder"):
        intphys.possible(folder / "nowhere", scenes=SCENES, frames=LENGTH)


def test_a_file_that_changed_or_is_broken_inside_is_refused_when_it_is_rendered(folder):
    labels = {"principle": "O1", "number": 1, "movie": 2}
    path = folder / "O1/01/2/scene/scene_003.png"
    render_spec = renderer.Spec(folder=str(folder))
    field = system.field(spec(folder), labels)
    path.write_bytes(png(picture(3, 2, 1, 1)))
    with pytest.raises(ValueError, match=r"scene_003\.png: has changed.*Hint: simulate .*--force"):
        renderer.frames(render_spec, field)
    path.write_bytes(png(picture(3, 2, 1, 1), packed=b"nothing of the kind"))
    field = system.field(spec(folder), labels)
    with pytest.raises(ValueError, match=r"scene_003\.png: can't be decoded"):
        renderer.frames(render_spec, field)
    with pytest.raises(ValueError, match="numbers of files"):
        renderer.frames(render_spec, np.zeros((2, 3)))
    path.write_bytes(intphys.START + b"nothing of the kind" + intphys.END)
    with pytest.raises(ValueError, match=r"scene_003\.png: is damaged at byte 8\. Hint: put"):
        system.field(spec(folder), labels)


def test_an_opaque_frame_may_have_an_alpha_channel(folder):
    labels = {"principle": "O1", "number": 1, "movie": 2}
    path = folder / "O1/01/2/scene/scene_003.png"
    image = np.concatenate([picture(3, 2, 1, 1), np.full((SIDE, SIDE, 1), 255, np.uint8)], -1)
    path.write_bytes(png(image))
    render_spec = renderer.Spec(folder=str(folder))
    frames = renderer.frames(render_spec, system.field(spec(folder), labels))
    assert np.array_equal(frames[1], image[..., :3])
    image[0, 0, 3] = 254
    path.write_bytes(png(image))
    with pytest.raises(ValueError, match=r"scene_003\.png: has transparent pixels"):
        renderer.frames(render_spec, system.field(spec(folder), labels))
    path.write_bytes(png(image[..., :3], [(b"tRNS", bytes([0, 10, 0, 20, 0, 30]))]))
    image[1, 1, :3] = 10, 20, 30
    path.write_bytes(png(image[..., :3], [(b"tRNS", bytes([0, 10, 0, 20, 0, 30]))]))
    with pytest.raises(ValueError, match=r"scene_003\.png: has transparent pixels"):
        renderer.frames(render_spec, system.field(spec(folder), labels))


def replaced_frame(folder):
    (folder / "O1/01/2/scene/scene_003.png").write_bytes(png(picture(3, 2, 1, 1)))


def swapped_labels(folder):
    for movie, possible in ((1, False), (2, True)):
        status = {"header": {"is_possible": possible}, "frames": []}
        (folder / f"O2/01/{movie}/status.json").write_text(json.dumps(status))


@pytest.mark.parametrize("change", [replaced_frame, swapped_labels])
def test_a_changed_set_is_read_anew(folder, tmp_path, change):
    """Fault 10: the store went on with what it knew of the old files, and rendering failed."""
    before = spec(folder).listing(), spec(folder).content()
    source = simulated(folder, tmp_path)
    rendered(folder, source)
    digest = zarrs.digest(source)
    change(folder)
    assert spec(folder).listing() != before[0]
    assert spec(folder).content() != before[1]
    with pytest.raises(FileExistsError, match="other code, spec or inputs"):
        simulated(folder, tmp_path)
    source = simulated(folder, tmp_path, force=True)
    clips = rendered(folder, source, force=True)
    assert zarrs.digest(source) != digest
    labels, video = zarrs.read(source), zarrs.read(clips).video.values
    if change is replaced_frame:
        assert np.array_equal(video[1, 1], picture(3, 2, 1, 1))
    else:
        assert labels.possible.values[8:12].tolist() == [0, 1, 0, 1]


def test_file_times_and_frames_that_are_not_taken_are_no_input(folder):
    before = spec(folder).listing(), spec(folder).content()
    for path in folder.rglob("*.*"):
        os.utime(path, (1, 1))
    (folder / "O1/01/2/scene/scene_002.png").write_bytes(png(picture(3, 2, 1, 1)))
    assert (spec(folder).listing(), spec(folder).content()) == before
    assert system.Spec(folder=str(folder / "nowhere")).listing()


def test_snakemake_notices_a_changed_set(folder, tmp_path):
    """Fault 10: neither another label nor another frame made Snakemake read the set again."""
    root, here = Path(__file__).parents[2], tmp_path / "clone"
    here.mkdir()
    for part in ("Snakefile", "workflow", "profiles", "lib", "envs"):
        copy = shutil.copytree if (root / part).is_dir() else shutil.copy
        copy(root / part, here / part)
    text = (root / "tests/configs/smoke.yaml").read_text()
    movies = f"  movies:\n    simulate: {spec(folder).canonical()}\n"
    movies += f"    render: {renderer.Spec(folder=str(folder)).canonical()}\n"
    (here / "config.yaml").write_text(text.replace("systems:\n", f"systems:\n{movies}", 1))
    target = "results/movies/simulation.zarr/zarr.json"

    def snakemake(*options):
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return subprocess.run(
            [sys.executable, "-m", "snakemake", target, "--cores", "1", *options], cwd=here,
            env=os.environ | {"PATH": path}, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip

    snakemake()
    assert "Nothing to be done" in snakemake("--dry-run")
    before = spec(folder).listing()
    shutil.copytree(folder, tmp_path / "before")
    for change in (replaced_frame, swapped_labels):
        change(folder)
        assert re.search(r"^simulate +1$", snakemake("--dry-run"), re.MULTILINE)
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / "before", folder)
        assert spec(folder).listing() == before


def test_a_system_that_names_two_folders_is_refused():
    both = {"kind": "intphys", "folder": "dev"}
    System(simulate=both, render=both)
    with pytest.raises(ValidationError, match="two folders"):
        System(simulate=both, render={**both, "folder": "test"})


def test_a_renderer_that_reads_no_folder_does_not_draw_its_movies():
    drawn = System(simulate={"kind": "intphys", "folder": "dev"}, render={"kind": "fields"})
    told = " ".join(entries.problems(SimpleNamespace(systems={"dev": drawn}, resolutions={})))
    assert "fields draws fields on a grid, and intphys has" in told


def test_more_frames_than_there_are_is_refused(folder):
    many = system.Spec(folder=str(folder), scenes=SCENES, length=LENGTH, frames=8)
    labels = {"principle": "O1", "number": 1, "movie": 1}
    with pytest.raises(ValueError, match="don't ascend"):
        system.check(many, labels, system.field(many, labels))
