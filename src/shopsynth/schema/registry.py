"""One registry a room: methods found by file name, plug-ins by entry point.

In: a method's name. Out: its class, imported only now.

A built-in method lives in the file of its own name (``generate/markov.py`` holds ``markov``) and
its class carries :meth:`Registry.register`. Files that hold no method start with an underscore or
are listed in ``support``. A plug-in names its class under the entry-point group
``shopsynth.<room>``. Listing names imports nothing, so help stays fast.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from inspect import getsourcefile
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Generic, TypeVar

from shopsynth.schema.errors import ShopsynthError, UnknownNameError, nearest
from shopsynth.schema.fingerprint import sha256_of_file

T = TypeVar("T")

_SUPPORT = frozenset({"base", "settings"})


class Registry(Generic[T]):
    """The methods of one room, by name.

    Args:
        room: Package below ``shopsynth``, for example ``"generate"`` or ``"train.next_item"``.
        support: Further files of the room that hold no method.
        group: Entry-point group of plug-ins; ``shopsynth.<room>`` if not given.
        folders: Built-in methods are the room's folders instead of its files.
    """

    def __init__(
        self,
        room: str,
        support: frozenset[str] = frozenset(),
        *,
        group: str | None = None,
        folders: bool = False,
    ) -> None:
        self.room = room
        self._package = f"shopsynth.{room}"
        self._support = _SUPPORT | support
        self._group = group or self._package
        self._folders = folders
        self._classes: dict[str, type[Any]] = {}

    def register(self, name: str) -> Callable[[type[T]], type[T]]:
        """Decorate a class to make it the method ``name``.

        Raises:
            ShopsynthError: If another class already has the name.
        """

        def mark(cls: type[T]) -> type[T]:
            known = self._classes.get(name)
            if known is not None and known.__qualname__ != cls.__qualname__:
                raise ShopsynthError(
                    f"room {self.room}: two classes claim the name {name!r}: "
                    f"{known.__module__} and {cls.__module__}"
                )
            self._classes[name] = cls
            return cls

        return mark

    def names(self) -> list[str]:
        """List every method's name, built-in and plug-in, without importing any.

        Raises:
            ShopsynthError: If a plug-in takes the name of a built-in or of another plug-in.
        """
        return sorted({*self._built_in(), *self._plug_ins(), *self._classes})

    def get(self, name: str) -> type[T]:
        """Import and return the class of method ``name``.

        Raises:
            UnknownNameError: If no method has the name; lists those that exist.
        """
        if name not in self._classes:
            plug_ins = self._plug_ins()
            if name in self._built_in():
                import_module(f"{self._package}.{name}")
            elif name in plug_ins:
                self.register(name)(plug_ins[name].load())
        if name not in self._classes:
            raise UnknownNameError(f"{self.room} has no {name!r}; {nearest(name, self.names())}")
        return self._classes[name]

    def source_sha256(self, name: str) -> str:
        """Hash the file that holds method ``name``, so that a changed plug-in runs anew.

        Raises:
            UnknownNameError: If no method has the name.
        """
        path = getsourcefile(self.get(name))
        return sha256_of_file(Path(path)) if path else ""

    def _built_in(self) -> set[str]:
        spec = find_spec(self._package)
        # A plug-in's room is no package of ours: None would list every module there is.
        places = (spec.submodule_search_locations if spec else None) or []
        return {
            module.name
            for module in iter_modules(places)
            if module.ispkg == self._folders
            and not module.name.startswith("_")
            and module.name not in self._support
        }

    def _plug_ins(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for point in entry_points(group=self._group):
            if point.name in found or point.name in self._built_in():
                raise ShopsynthError(
                    f"room {self.room}: the plug-in {point.value} takes the name {point.name!r}, "
                    "which is already taken; rename one of them"
                )
            found[point.name] = point
        return found
