"""Why the hub didn't give a model is told apart; what is cached in part is completed."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import constants

from physprobe.embed import huggingface
from physprobe.embed.networks import checkpoint

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SIZE = {"frames": 8, "height": 48, "width": 48, "threads": 1}


class Hub(ThreadingHTTPServer):
    """A hub with one model, somebody/tiny, and models that answer with a status, owner/404."""

    def __init__(self, folder: Path):
        super().__init__(("127.0.0.1", 0), Answer)
        self.folder, self.asked = folder, []

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir())}


class Answer(BaseHTTPRequestHandler):
    """What the hub says."""

    server: Hub

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, content: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        owner, name = re.search(r"/([\w-]+)/(\w+)/(?:revision|resolve|tree)/", self.path).groups()
        if name == "dropped":
            self.connection.close()
            return
        if name.isdigit():
            known = {"401": "", "403": "GatedRepo", "404": "RepoNotFound"}.get(name, "")
            self.answer(int(name), **({"X_Error_Code": known} if known else {}))
            return
        files = self.server.files()
        match self.path.split("?")[0].split("/"):
            case [*_, "revision", "main" | "0123456789abcdef0123456789abcdef01234567"]:
                about = {"id": f"{owner}/{name}", "sha": COMMIT, "siblings": []}
                self.answer(200, json.dumps(about).encode(), Content_Type="application/json")
            case [*_, "revision", _]:
                self.answer(404, X_Error_Code="RevisionNotFound")
            case [*_, "tree", _]:
                tree = [
                    {
                        "type": "file",
                        "path": path,
                        "size": len(content),
                        "oid": f"{len(content):040x}",
                    }
                    for path, content in files.items()
                ]
                self.answer(200, json.dumps(tree).encode(), Content_Type="application/json")
            case [*_, file] if file in files:
                content = files[file]
                tag = f'"{len(content):040x}"'
                self.answer(200, content, ETag=tag, X_Repo_Commit=COMMIT)
            case _:
                self.answer(404, X_Error_Code="EntryNotFound", X_Repo_Commit=COMMIT)

    do_HEAD = do_GET


@pytest.fixture
def hub(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    server = Hub(checkpoint)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr("time.sleep", lambda _: None)  # its library waits between trials
    for name in ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    huggingface_hub.close_session()
    yield server
    huggingface_hub.close_session()
    server.shutdown()
    thread.join()
    server.server_close()


def message(model: str, **fields: object) -> str:
    with pytest.raises(FileNotFoundError) as error:
        checkpoint.folder(model, **fields)
    found = str(error.value)
    assert "\n" not in found
    assert found.startswith(model)
    assert "Hint: " in found
    return found


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, r"no such model, or it is private \(401\)\. Hint: .*hf auth login"),
        (403, r"access is refused \(403\)\. Hint: accept the model's terms"),
        (404, r"no such model \(404\)\. Hint: check owner and name"),
        (429, r"too many requests \(429\)\. Hint: wait"),
        (500, r"out of order \(500\)\. Hint: try again later"),
        (503, r"out of order \(503\)"),
    ],
)
def test_answers_of_the_hub_are_told_apart(hub: Hub, status: int, expected: str):
    assert re.search(expected, message(f"owner/{status}"))


def test_a_dropped_connection_is_named(hub: Hub):
    assert "no connection, or it was dropped" in message("owner/dropped")
    hub.shutdown()
    hub.server_close()
    huggingface_hub.close_session()
    found = message("somebody/tiny", revision="abc")
    assert re.search(r"no connection.*Hint: .*`hf download somebody/tiny --revision abc`", found)


def test_a_proxy_is_named(hub: Hub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    huggingface_hub.close_session()
    found = message("somebody/tiny")
    assert re.search(r"a package is missing \(socksio\)\. Hint: pip install socksio", found)


def test_offline_is_named(hub: Hub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    huggingface_hub.close_session()
    assert "HF_HUB_OFFLINE is set" in message("somebody/tiny")


def test_a_cache_that_cannot_be_written_is_named(hub: Hub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", "/proc/nothing")
    found = message("somebody/tiny")
    assert re.search(r"the cache can't be written \(.*/proc/nothing.*HF_HOME", found)


def test_a_revision_or_file_that_is_not_there_is_named(hub: Hub):
    assert "no such revision (404)" in message("somebody/tiny", revision="v2")
    (hub.folder / "preprocessor_config.json").unlink()
    assert re.search(r"a file that is needed is not in its rep.*\(404\)", message("somebody/tiny"))


def test_a_model_is_fetched_once(hub: Hub):
    found = checkpoint.folder("somebody/tiny")
    assert found.name == COMMIT
    assert {path.name for path in found.iterdir()} >= set(hub.files()) - {"README.md"}
    hub.asked.clear()
    assert checkpoint.folder("somebody/tiny") == found
    assert hub.asked == []


def test_what_is_cached_in_part_is_completed_at_its_commit(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """As after AutoModel.from_pretrained, which fetches no processor."""
    repository = tmp_path / "cache" / "models--somebody--tiny"
    snapshot = repository / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):
        (snapshot / name).write_bytes((hub.folder / name).read_bytes())
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    huggingface_hub.close_session()
    found = message("somebody/tiny")
    command = f"hf download somebody/tiny --revision {COMMIT}"
    assert re.search(rf"not whole in the local cache.*HF_HUB_OFFLINE.*{command}", found)

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    huggingface_hub.close_session()
    hub.asked.clear()
    encoder = huggingface.load(huggingface.Spec(model="somebody/tiny"), **SIZE)
    assert encoder.preprocessing.mean == (0.5, 0.4, 0.3)
    assert encoder.provenance["revision"] == COMMIT
    assert not any("safetensors" in path for path in hub.asked)
