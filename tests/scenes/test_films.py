"""Films read from files: exact where they are sound, refused with name and numbers where not."""

import json
import re
from pathlib import Path

import av
import filmed
import numpy as np
import pytest
from PIL import Image

from physprobe.scenes.films import arrays, containers, folder, shapes, stills, tables
from physprobe.scenes.films.film import Faulty

FRAMES = filmed.moving(12)


def reasons(folder_: Path, **how) -> list[str]:
    """Faults of a folder, each in one line."""
    listed = folder.listed(str(folder_), **how)
    return [f"{fault.file}: {fault.what}" for fault in folder.read(listed, how.get("array")).faults]


@pytest.mark.parametrize("ending", [e for e in containers.ENDINGS if e != ".m4v"])
def test_every_container_gives_its_frames_and_times(tmp_path, ending):
    path = filmed.write(tmp_path / f"film{ending}", FRAMES)
    film = containers.look(path)
    assert film.count == 12 and film.size == (16, 16) and film.pixel == 1
    np.testing.assert_allclose(film.times, np.arange(12) / 10, atol=1e-9)
    found = np.stack([image for image, _ in containers.frames(path)])
    assert found.shape == (12, 16, 16, 3) and found.dtype == np.uint8
    # codecs lose colour, not where the bar is
    weight = found.astype(float).mean((1, 3)) - 20
    at = (weight * np.arange(16)).sum(1) / weight.sum(1)
    np.testing.assert_allclose(at, 2 + np.arange(12), atol=1.2)


@pytest.mark.parametrize(
    ("name", "how", "decoded"),
    [
        ("film.mp4", {"bf": "3"}, False),
        ("film.mov", {"bf": "3"}, False),
        ("film.mkv", {"codec": "libx264", "bf": "3", "x264-params": "open-gop=1:keyint=8"}, False),
        ("film.mp4", {"stamps": [10 * n + n % 3 for n in range(24)], "bf": "2"}, False),
        ("film.webm", {"auto-alt-ref": "1", "lag-in-frames": "16"}, False),
        ("film.webm", {"stamps": [10 * n + n % 3 for n in range(24)]}, False),
        ("film.mkv", {}, False),
        ("film.mov", {"codec": "prores_ks", "pixels": "yuv422p10le"}, False),
        # packets of these may hold two frames, or none that is shown, or have made-up stamps
        ("film.mp4", {"codec": "mpeg4", "bf": "2"}, True),
        ("film.webm", {"codec": "libvpx"}, True),
        ("film.avi", {"codec": "mjpeg"}, True),
        ("film.gif", {}, True),
    ],
)
def test_packets_tell_the_same_as_frames(tmp_path, name, how, decoded):
    """And what is decoded then is what was told, or the generator would have ended in an error."""
    path = filmed.write(tmp_path / name, filmed.moving(24, (32, 48)), **how)
    told, found = (containers.look(path, whole=whole) for whole in (False, True))
    assert told.decoded == decoded and found.decoded
    np.testing.assert_array_equal(told.times, found.times)
    assert (told.size, told.count, told.notes) == (found.size, found.count, found.notes)
    assert len(list(containers.frames(path))) == told.count == 24


def test_stamps_that_do_not_ascend_are_no_order_of_packets(tmp_path):
    """AVI has none of its own: FFmpeg numbers its packets, which H.264 shows in another order."""
    filmed.write(tmp_path / "film.avi", filmed.moving(24), codec="libx264", bf="3")
    assert re.search("film.avi: [0-9]+ of 24 time stamps don't ascend", reasons(tmp_path)[0])


def test_a_film_whose_packets_lack_a_frame_is_refused_where_it_is_decoded(tmp_path):
    path = filmed.hidden(
        filmed.write(tmp_path / "film.webm", filmed.moving(24, (32, 48)), g="8"), 8
    )
    assert containers.look(path).count == 24
    with pytest.raises(Faulty, match="holds packets of 24 frames, decodes 23"):
        list(containers.frames(path))
    with pytest.raises(Faulty, match="holds packets of 24 frames, decodes 23"):
        containers.look(path, whole=True)


def test_a_lossless_film_comes_back_bit_by_bit(tmp_path):
    path = filmed.write(tmp_path / "film.mkv", FRAMES)
    found = np.stack([image for image, _ in containers.frames(path)])
    np.testing.assert_array_equal(found, FRAMES)


@pytest.mark.parametrize("degrees, turns", [(90, -1), (180, 2), (270, 1)])
def test_a_film_that_says_it_is_turned_is_turned(tmp_path, degrees, turns):
    plain = filmed.write(tmp_path / "plain.mp4", FRAMES[:, :, :12], pixels="yuv444p")
    expected = [np.rot90(image, turns) for image, _ in containers.frames(plain)]
    path = filmed.turned(plain, degrees)
    film = containers.look(path)
    np.testing.assert_array_equal([image for image, _ in containers.frames(path)], expected)
    assert film.size == expected[0].shape[:2] and "turned" in film.notes[0]


@pytest.mark.parametrize(
    "pixels, size, note",
    [("gray", (16, 16), "gray"), ("yuv420p10le", (16, 16), "10 bits"), ("bgr0", (17, 31), None)],
)
def test_gray_ten_bits_and_odd_sizes_are_read(tmp_path, pixels, size, note):
    path = filmed.write(tmp_path / "film.mkv", filmed.moving(4, size), pixels=pixels)
    film = containers.look(path)
    assert film.size == size
    assert note is None or any(told.startswith(note) for told in film.notes)
    assert next(containers.frames(path))[0].shape == (*size, 3)


def spoil_empty(place):
    (place / "film.mp4").write_bytes(b"")
    return r"film.mp4: is empty \(0 bytes\)"


def spoil_no_film(place):
    (place / "film.mp4").write_bytes(b"not a film at all" * 9)
    return r"film.mp4: can't be opened as a film \(153 bytes\)"


def spoil_truncated_mp4(place):
    filmed.cut(filmed.write(place / "film.mp4", FRAMES), 0.9)
    return "film.mp4: .*declares 12 frames, decodes 1$"


def spoil_truncated_webm(place):
    filmed.cut(filmed.write(place / "film.webm", FRAMES), 0.9)
    return r"film.webm: declares 1.200 s, decodes 1.000 s \(10 frames\)"


def spoil_truncated_mkv(place):
    filmed.cut(filmed.write(place / "film.mkv", FRAMES), 0.5)
    return "film.mkv: declares 1.200 s, decodes 0.[0-9]+ s"


def spoil_truncated_gif(place):
    filmed.cut(filmed.write(place / "film.gif", FRAMES), 0.8)
    return "film.gif: is truncated: its [0-9]+ bytes"


def spoil_truncated_avi(place):
    filmed.cut(filmed.write(place / "film.avi", FRAMES), 0.9)
    return "film.avi: can't be opened as a film"


def spoil_declared(place):
    path = filmed.write(place / "film.avi", FRAMES)
    filmed.patched(path, b"strh", 36, (20).to_bytes(4, "little"))
    return "film.avi: declares 20 frames, decodes 12$"


def spoil_damaged(place):
    path = filmed.write(place / "film.mp4", FRAMES)
    filmed.patched(path, b"mdat", 700, bytes(60))
    return "film.mp4: frame 0 can't be decoded"


def spoil_two_streams(place):
    filmed.write(place / "film.mkv", FRAMES, streams=2)
    return "film.mkv: holds 2 streams of video, expected 1"


def spoil_only_sound(place):
    with av.open(str(place / "film.mp4"), "w") as film:
        audio = film.add_stream("aac", rate=8000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        silence.sample_rate = 8000
        film.mux([*audio.encode(silence), *audio.encode()])
    return "film.mp4: holds no streams of video, expected 1"


def spoil_transparent(place):
    alpha = np.full((*FRAMES.shape[:3], 1), 100, np.uint8)
    filmed.write(place / "film.mkv", np.concatenate([FRAMES, alpha], -1), pixels="bgra")
    return "film.mkv: has transparent pixels"


def spoil_askew(place):
    filmed.turned(filmed.write(place / "film.mp4", FRAMES), 45)
    return "film.mp4: is turned by -45 degrees"


def spoil_trimmed(place):
    path = filmed.write(place / "film.mp4", FRAMES)
    filmed.patched(path, b"elst", 12, (4 * 2048).to_bytes(4, "big"))
    return r"film.mp4: declares 12 frames, decodes [0-9]+ \([0-9]+ hidden by an edit list\)"


def spoil_fast(place):
    path = filmed.write(place / "film.mp4", FRAMES)
    filmed.patched(path, b"elst", 16, (2 << 16).to_bytes(4, "big"))
    return "film.mp4: an edit list plays it at 2 times its rate"


def spoil_interlaced(place):
    still = filmed.moving(4, (32, 32))
    filmed.write(place / "film.mp4", still, **{"x264-params": "interlaced=1"})
    return "film.mp4: 4 frames are interlaced"


def spoil_doubled(place):
    content = filmed.write(place / "film.mkv", FRAMES).read_bytes()
    (place / "more.mkv").write_bytes(content)
    return "more.mkv: has the same content as film.mkv"


def stack(place, count=4, size=(8, 6), ending=".png", first=1):
    place.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(filmed.moving(count, size)):
        Image.fromarray(image).save(place / f"frame_{number + first:03d}{ending}")
    return place


def spoil_gap(place):
    (stack(place / "stack") / "frame_003.png").unlink()
    return "stack: frames are missing in 1 places, .* frame_002.png and frame_004.png"


def spoil_number_twice(place):
    (stack(place / "stack") / "frame_2.png").write_bytes(b"")
    return "stack: frame 2 is there twice: frame_002.png, frame_2.png"


def spoil_no_number(place):
    (stack(place / "stack") / "last.png").write_bytes(b"")
    return "stack: 1 images have no number, such as last.png"


def spoil_other_size(place):
    Image.new("RGB", (5, 5)).save(stack(place / "stack") / "frame_002.png")
    return "stack: 1 of 4 frames are of another size, .*frame_002.png: 5 x 5 px, expected 8 x 6"


def spoil_cut_image(place):
    filmed.cut(stack(place / "stack") / "frame_004.png", 0.6)
    return r"stack: frame_004.png can't be decoded \([0-9]+ bytes\)"


def spoil_no_image(place):
    (stack(place / "stack") / "frame_004.png").write_bytes(b"nothing")
    return r"stack: frame_004.png is no image that can be read \(7 bytes\)"


def spoil_many_in_one(place):
    images = [Image.fromarray(image) for image in filmed.moving(3, (8, 6))]
    images[0].save(
        stack(place / "stack", ending=".tif") / "frame_002.tif",
        save_all=True,
        append_images=images[1:],
    )
    return "stack: frame_002.tif holds 3 images"


def spoil_transparent_image(place):
    Image.new("RGBA", (6, 8), (1, 2, 3, 100)).save(stack(place / "stack") / "frame_001.png")
    return "stack: frame_001.png has transparent pixels"


def spoil_beside(place):
    stack(place)
    filmed.write(place / "film.mkv", FRAMES)
    return "holds 4 images beside films"


def spoil_shape(place):
    np.save(place / "clips.npy", np.zeros((4, 5, 6), np.uint8))
    return r"clips.npy: holds no \(clip, time, y, x\[, channel\]\): it \(4, 5, 6\)"


def spoil_channels(place):
    np.save(place / "clips.npy", np.zeros((2, 5, 6, 6, 2), np.uint8))
    return "clips.npy: has 2 channels"


def spoil_not_finite(place):
    clips = np.zeros((2, 5, 6, 6), np.float32)
    clips[1, 3, 0, 2] = np.nan
    np.save(place / "clips.npy", clips)
    return "clips.npy#1: 1 values are not finite, first in frame 3"


def spoil_several(place):
    np.savez(place / "clips.npz", a=np.zeros((2, 5, 6, 6)), b=np.zeros((2, 5, 6, 6)))
    return "clips.npz: holds several films: a, b"


def spoil_times(place):
    np.savez(place / "clips.npz", film=np.zeros((2, 5, 6, 6)), time=np.arange(4.0))
    return "clips.npz: has 4 times for 5 frames"


def spoil_label(place):
    np.savez(place / "clips.npz", film=np.zeros((2, 5, 6, 6)), v=np.array([1, np.inf]))
    return "clips.npz: label v is not finite in 1 clips, first in clip 1"


def spoil_pickled(place):
    np.save(place / "clips.npy", np.array([{"a": 1}]), allow_pickle=True)
    return "clips.npy: can't be read"


def spoil_nothing(place):
    (place / "readme.md").write_text("films will come")
    return "holds no film"


def spoil_left_out(place):
    filmed.write(place / "film.mkv", FRAMES)
    return "gone.mkv: is to be left out, but isn't there"


SPOILS = [value for name, value in globals().items() if name.startswith("spoil_")]


@pytest.mark.parametrize("spoil", SPOILS, ids=lambda spoil: spoil.__name__.removeprefix("spoil_"))
def test_what_is_wrong_with_a_film_is_told_with_its_numbers(tmp_path, spoil):
    expected = spoil(tmp_path)
    leave_out = ["gone.mkv"] if spoil is spoil_left_out else []
    found = reasons(tmp_path, leave_out=leave_out)
    assert len(found) >= 1 and re.search(expected, "; ".join(found)), found


def test_a_folder_that_is_not_there_is_told(tmp_path):
    assert "there is no such folder" in reasons(tmp_path / "none")[0]
    assert "there is no such table" in reasons(tmp_path / "none.csv")[0]


def tabled(place, text, name="metadata.csv"):
    for film in ("a.mkv", "b.mkv"):
        if not (place / film).exists():
            filmed.write(place / film, filmed.moving(8, (8, 8), 1 + (film == "b.mkv")))
    (place / name).write_text(text)
    return place


@pytest.mark.parametrize(
    "text, expected",
    [
        ("file_name,v\na.mkv,1\nb.mkv,2\nc.mkv,3\n", "metadata.csv, line 4: c.mkv isn't there"),
        ("file_name,v\na.mkv,1\n", "b.mkv: has no row in metadata.csv"),
        ("file_name,v\na.mkv,1\nb.mkv,2\na.mkv,3\n", "line 4: a.mkv is there twice: .* line 2"),
        ("file_name,v\na.mkv,1\nb.mkv,nan\n", "label v is 'nan' in line 3, expected a finite"),
        ("file_name,v\na.mkv,inf\nb.mkv,1\n", "label v is 'inf' in line 2"),
        ("file_name,v\na.mkv,1\nb.mkv,\n", "label v is empty in line 3"),
        ("file_name,v\na.mkv,1\nb.mkv,fast\n", "label v is 'fast' in line 3"),
        ("file_name,v [m/s]\na.mkv,slow\nb.mkv,fast\n", "label v is 'slow' in line 2, line 3"),
        ("file_name,v,v\na.mkv,1,1\nb.mkv,1,1\n", "has the column 'v' twice"),
        ("file_name,v [m],v [s]\na.mkv,1,1\nb.mkv,1,1\n", "has two columns 'v'"),
        ("file_name,2v\na.mkv,1\nb.mkv,1\n", "column '2v' is no name"),
        ("file_name,clip\na.mkv,1\nb.mkv,1\n", "label 'clip' is a name that is taken"),
        ("name,v\na.mkv,1\nb.mkv,1\n", "has no column file_name; it has name, v"),
        ("file_name,split\na.mkv,train\nb.mkv,dev\n", "split is 'dev' in line 3"),
        (
            "file_name,group,split\na.mkv,x,train\nb.mkv,x,test\n",
            "group 'x' is in 2 splits",
        ),
        (
            "file_name,start,end\na.mkv,0,.5\na.mkv,.4,.6\nb.mkv,,\n",
            "line 3: a.mkv is there twice",
        ),
        ("file_name,start,end\na.mkv,.5,.2\nb.mkv,,\n", "a.mkv goes from 0.5 s to 0.2 s"),
        ("file_name,fps\na.mkv,quick\nb.mkv,3\n", "fps is 'quick' in line 2"),
        ("file_name,group\na.mkv,\nb.mkv,3\n", "group is empty in line 2"),
        ("", "can't be read as a table"),
    ],
)
def test_what_is_wrong_with_a_table_is_told_with_its_line(tmp_path, text, expected):
    found = reasons(tabled(tmp_path, text))
    assert any(re.search(expected, line) for line in found), found


def test_all_faults_are_told_at_once(tmp_path):
    tabled(tmp_path, "file_name,v\na.mkv,nan\nc.mkv,3\n")
    (tmp_path / "b.mkv").write_bytes(b"")
    found = " | ".join(reasons(tmp_path))
    for part in ("c.mkv isn't there", "b.mkv: has no row", "b.mkv: is empty", "v is 'nan'"):
        assert part in found


@pytest.mark.parametrize("ending", tables.ENDINGS)
def test_every_form_of_table_says_the_same(tmp_path, ending):
    import pandas as pd

    frame = pd.DataFrame(
        {
            "file_name": ["a.mkv", "b.mkv"],
            "speed [px/s]": [1.5, 20.0],
            "colour": ["red", "blue"],
            "group": ["x", "y"],
        }
    )
    path = tmp_path / f"metadata{ending}"
    match ending:
        case ".csv" | ".tsv":
            frame.to_csv(path, index=False, sep="\t" if ending == ".tsv" else ",")
        case ".jsonl":
            frame.to_json(path, orient="records", lines=True)
        case _:
            pytest.importorskip("pyarrow")
            frame.to_parquet(path)
    table, faults = tables.read(path)
    assert not faults and table is not None
    assert [row.file for row in table.rows] == ["a.mkv", "b.mkv"]
    assert table.rows[1].group == "y" and table.units == {"speed": "px/s"}
    assert table.numbers["speed"].tolist() == [1.5, 20.0]
    assert table.classes["colour"].tolist() == ["red", "blue"]


def test_a_table_that_is_named_itself_chooses_the_films(tmp_path):
    tabled(tmp_path, "file_name,v\nb.mkv,2\n", "mine.csv")
    listed = folder.listed(str(tmp_path / "mine.csv"))
    assert [source.name for source in listed.sources] == ["b.mkv"] and not listed.faults


def test_a_line_of_json_that_lacks_a_label_is_told(tmp_path):
    rows = [{"file_name": "a.mkv", "v": 1}, {"file_name": "b.mkv"}]
    tabled(tmp_path, "\n".join(map(json.dumps, rows)), "metadata.jsonl")
    assert "metadata.jsonl: label v is missing in line 2" in reasons(tmp_path)


@pytest.mark.parametrize("ending", [".png", ".jpg", ".tif"])
def test_a_folder_of_images_is_a_film(tmp_path, ending):
    stack(tmp_path / "deep/stack", 11, ending=ending, first=5)
    listed = folder.listed(str(tmp_path))
    assert [source.name for source in listed.sources] == ["deep/stack"]
    film = listed.sources[0].look(None)
    assert film.count == 11 and film.size == (8, 6) and film.times is None
    found = np.stack([image for image, _ in listed.sources[0].frames(None)])
    # a bar of one pixel is hard on jpg
    np.testing.assert_allclose(found, filmed.moving(11, (8, 6)), atol=90 * (ending == ".jpg"))


def test_images_of_16_bits_lose_their_lower_half(tmp_path):
    values = np.arange(48, dtype=np.uint16).reshape(6, 8) * 1300
    for number in range(2):
        Image.fromarray(values).save(tmp_path / f"{number}.png")
    film = stills.look(tmp_path)
    assert film.notes == ("16 bits a colour are read as 8",)
    image, _ = next(stills.frames(tmp_path))
    np.testing.assert_array_equal(image[..., 1], values >> 8)


@pytest.mark.parametrize("ending", arrays.ENDINGS)
def test_every_form_of_array_gives_its_clips_and_labels(tmp_path, ending):
    clips = np.stack([filmed.moving(6, (8, 8), speed) for speed in (1, 2, 3)])
    speed = np.array([1.0, 2.0, 3.0])
    path = tmp_path / f"clips{ending}"
    match ending:
        case ".npy":
            np.save(path, clips)
        case ".npz":
            np.savez(path, film=clips, speed=speed, time=np.arange(6) / 4)
        case ".zarr":
            import zarr

            group = zarr.create_group(path)
            for name, values in (("film", clips), ("speed", speed), ("time", np.arange(6) / 4)):
                group.create_array(name, data=values)
            group["speed"].attrs["units"] = "px/s"
        case _:
            import h5py

            with h5py.File(path, "w") as file:
                for name, values in (("film", clips), ("speed", speed), ("time", np.arange(6) / 4)):
                    file[name] = values
                file["speed"].attrs["units"] = "px/s"
    listed = folder.listed(str(tmp_path))
    assert not listed.faults
    assert [source.name for source in listed.sources] == [f"clips{ending}#{n}" for n in range(3)]
    film = listed.sources[1].look(None)
    images = [image for image, _ in listed.sources[1].frames(None)]
    np.testing.assert_array_equal(images, clips[1])
    if ending != ".npy":
        assert [each["speed"] for each in listed.labels.values()] == speed.tolist()
        np.testing.assert_allclose(film.times, np.arange(6) / 4)
    if ending in (".zarr", ".h5", ".hdf5"):
        assert listed.units == {"speed": "px/s"}


def test_arrays_of_numbers_need_black_and_white(tmp_path):
    clips = np.linspace(0, 1, 2 * 3 * 4 * 4).reshape(2, 3, 4, 4).astype(np.float32)
    np.save(tmp_path / "clips.npy", clips)
    path = tmp_path / "clips.npy"
    with pytest.raises(Faulty, match=r"holds float32, from 0 to 0.494.*`low` and `high`"):
        next(arrays.frames(path, 0, None, None))
    with pytest.raises(Faulty, match=r"has values from 0.505.* to 1, not 0 to 0.9"):
        next(arrays.frames(path, 1, None, (0.0, 0.9)))
    image, _ = next(arrays.frames(path, 0, None, (0.0, 1.0)))
    np.testing.assert_array_equal(image[..., 0], np.rint(clips[0, 0] * 255))


def test_frames_get_their_size_in_the_way_that_is_named():
    image = np.zeros((40, 80, 3), np.uint8)
    image[:, 20:60] = 200  # the middle of the long side
    whole = shapes.fitted(image, (10, 10), "resize")
    np.testing.assert_array_equal((whole[5, :, 0] > 100).nonzero()[0], np.arange(3, 7) + 0)
    assert (shapes.fitted(image, (10, 10), "crop") == 200).all()
    padded = shapes.fitted(image, (20, 20), "pad")
    assert not padded[:5].any() and not padded[15:].any() and padded[5:15, 5:15].min() == 200
    assert shapes.fitted(image, None, "crop") is image
    # pixels twice as high as wide: 40 x 80 are a square
    assert (shapes.fitted(image, (10, 10), "pad", 0.5)[:, :2] == 0).all()
    assert shapes.fitted(image, (10, 10), "pad", 0.5)[0, 5, 0] == 200
    with pytest.raises(Faulty, match=r"pixels are 0.500 times as wide as high"):
        shapes.fitted(image, None, "pad", 0.5)
    gray = shapes.gray(np.array([[[255, 0, 0], [0, 255, 0]]], np.uint8))
    assert gray.tolist() == [[[76] * 3, [150] * 3]]
