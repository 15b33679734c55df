"""Hub: files of a checkpoint that are not on this machine yet, and why they can't be had."""

import errno
from collections.abc import Callable
from pathlib import Path

from physprobe.config import checkpoints

SMALL = (checkpoints.CONFIG, *checkpoints.PROCESSORS)
LARGE = ("*.safetensors", checkpoints.INDEX)


def fetch(
    model: str,
    revision: str | None,
    *,
    weights: bool,
    missing: Callable[[Path], list[str]],
) -> Path:
    """Folder of a hub checkpoint in the local cache; what is there is not fetched.

    Parameters
    ----------
    model : str
        Hub id.
    revision : str, optional
        Commit, tag or branch.
    weights : bool
        Whether its tensors are needed too.
    missing : callable
        From a folder to the names of needed files that are not in it.

    Raises
    ------
    FileNotFoundError
        If a file can't be had; the message says why, and what to do.
    """
    try:
        import huggingface_hub

        cached = _cached(model, revision)
        if cached and not missing(cached):
            return cached
        # what is cached in part is completed, not mixed with what the owner has pushed since
        revision = cached.name if cached else revision
        found = Path(
            huggingface_hub.snapshot_download(
                model, revision=revision, allow_patterns=[*SMALL, *(LARGE if weights else ())]
            )
        )
        for name in missing(found):  # the hub may not have been asked: then this asks
            huggingface_hub.hf_hub_download(model, name, revision=found.name)
        return found
    except Exception as error:  # from here or there: libraries of three layers, with their own
        raise FileNotFoundError(_explained(model, revision, error)) from error


def _cached(model: str, revision: str | None) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(model, checkpoints.CONFIG, revision=revision)
    return Path(found).parent if isinstance(found, str) else None


def _explained(model: str, revision: str | None, error: BaseException) -> str:
    at = f" at {revision}" if revision else ""
    chain = _chain(error)
    kinds = {name for each in chain for name in _kinds(each)}
    reasons = filter(None, (_reason(each, kinds) for each in chain))
    reason, hint = next(reasons, (None, None))
    if reason is None:
        reason, hint = _first_line(error), None
    command = f"hf download {model}{f' --revision {revision}' if revision else ''}"
    hint = hint or f"with a network, run `{command}`; or point the entry at a local folder."
    return (
        f"{model}{at} is no folder here and not whole in the local cache, and the hub didn't give"
        f" it: {reason}. Hint: {hint}"
    )


def _chain(error: BaseException | None) -> list[BaseException]:
    """Cause first: what lies deepest says most."""
    found = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found[::-1]


def _kinds(error: BaseException) -> set[str]:
    """Names of its classes: the hub's library speaks HTTP through one package or another."""
    return {kind.__name__ for kind in type(error).__mro__}


def _reason(error: BaseException, kinds: set[str]) -> tuple[str, str | None] | None:
    """What went wrong, and what to do about it, if it isn't the usual; None if this isn't it."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None:
        return _answer(status, kinds)
    names = _kinds(error)
    if "OfflineModeIsEnabled" in names:
        return "HF_HUB_OFFLINE is set", None
    if isinstance(error, ImportError) and "socks" in str(error).lower():
        return (
            "the proxy is a SOCKS proxy, for which a package is missing (socksio)",
            "pip install socksio; or unset ALL_PROXY, HTTPS_PROXY and HTTP_PROXY.",
        )
    if "ProxyError" in names or "proxy" in str(error).lower():
        return (
            f"the proxy didn't let it through ({_first_line(error)})",
            "look at HTTPS_PROXY and ALL_PROXY.",
        )
    if "TimeoutException" in names:
        return f"no answer in time ({type(error).__name__})", None
    if "TransportError" in names or isinstance(error, ConnectionError):
        return f"no connection, or it was dropped ({type(error).__name__})", None
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full ({error.filename})", "make room, or set HF_HOME to another disk."
    if isinstance(error, OSError) and error.errno and error.filename:
        return (
            f"the cache can't be written ({error.filename}: {error.strerror})",
            "set HF_HOME to a folder that can be written.",
        )
    if "HFValidationError" in names:
        return _first_line(error), "give a hub id (owner/name), or a folder."
    return None


def _answer(status: int, kinds: set[str]) -> tuple[str, str | None]:
    """What an answer of the hub means."""
    if "RevisionNotFoundError" in kinds:
        return f"it has no such revision ({status})", "look up its commits on the hub."
    if "RemoteEntryNotFoundError" in kinds:
        return (
            f"a file that is needed is not in its repository ({status})",
            "only safetensors with config.json and preprocessor_config.json are read;"
            " save the model with save_pretrained into a folder, and name that.",
        )
    if "GatedRepoError" in kinds or status == 403:
        return (
            f"access is refused ({status})",
            "accept the model's terms on its page, and run `hf auth login`.",
        )
    if status == 401:
        return (
            "there is no such model, or it is private (401)",
            "check the name; for a private model run `hf auth login`.",
        )
    if status == 404:
        return "there is no such model (404)", "check owner and name."
    if status == 429:
        return "too many requests (429)", "wait some minutes; `hf auth login` raises the limit."
    if status >= 500:
        return f"the hub is out of order ({status})", "try again later."
    return f"the hub answers {status}", None


def _first_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return (text[:160] + "..." if len(text) > 160 else text).rstrip(".") or type(error).__name__
