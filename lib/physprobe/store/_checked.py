"""Checked: a store as Zarr reads it, whose files are compared with what was written."""

import asyncio
from pathlib import Path
from typing import Self

from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import LocalStore

from physprobe.store.manifest import Manifest, said


class Checked(LocalStore):
    """A finished store whose files are compared with its manifest when they are first read.

    A chunk that is not there is an error too; to Zarr it would read as the fill value.
    """

    def __init__(self, root: Path, *, manifest: Manifest, read_only: bool = True):
        super().__init__(root, read_only=read_only)
        self.manifest = manifest
        self.sound: set[str] = set()

    def with_read_only(self, read_only: bool = False) -> Self:
        """Open it again; see the base class."""
        return type(self)(self.root, manifest=self.manifest, read_only=read_only)

    async def get(
        self,
        key: str,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Read a file, or a part of it; see the base class."""
        if key in self.manifest.files and key not in self.sound:
            await asyncio.to_thread(self.check, key)
        return await super().get(key, prototype, byte_range)

    def check(self, key: str) -> None:
        """Compare a file with the manifest.

        Raises
        ------
        RuntimeError
            If it is missing or damaged.
        """
        if not self.manifest.same(key):
            there = (self.root / key).exists()
            words = "is damaged: its content is not what was written" if there else "is missing"
            raise RuntimeError(said(self.root, key, words))
        self.sound.add(key)  # a set's add is atomic; twice at a time does no harm
