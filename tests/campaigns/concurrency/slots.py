"""Two indices of two models behind one alias: the alias moves, the indices are deleted and made again."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import Any

from opensearchpy import NotFoundError

from opensearch_neural_sparse import NeuralSparseStore, ServerRequestError
from tests.campaigns.concurrency.models import Model

SETTINGS = {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "200ms"}
SWITCHES = 0.7
"""Part of the changes that move the alias alone."""
PAUSE = (0.4, 1.6)
"""Seconds between two changes, at least and at most."""
CALM = 0.25
"""Part of a run, up to `LONGEST_CALM` seconds, at whose end no index is deleted, so that there is something to lose."""
LONGEST_CALM = 10.0


@dataclass
class Slots:
    """Two indices behind an alias, and what changes them.

    Attributes:
        client: A client of the server.
        alias: The alias.
        models: The models.
        switches: How often the alias was moved.
        recreations: How often an index was deleted and made again by the other model.
        before_deletion: Called with the name of an index that is about to be deleted.
        bare: How often a write that was under way had made an index without a layout in place of the deleted one.
    """

    client: Any
    alias: str
    models: tuple[Model, Model]
    before_deletion: Callable[[str], None] = lambda name: None
    switches: int = 0
    recreations: int = 0
    bare: int = 0
    _model_of: dict[str, int] = field(default_factory=dict)
    _pointed: str = ""

    @property
    def names(self) -> tuple[str, str]:
        """Names of the indices."""
        return f"{self.alias}-left", f"{self.alias}-right"

    def make(self) -> dict[str, Model]:
        """Make both indices, point the alias to the first, and return marker -> model."""
        markers = {}
        for number, name in enumerate(self.names):
            self._create(name, number)
            with NeuralSparseStore(name, client=self.client) as store:
                markers[store.open().binding.marker] = self.models[number]  # type: ignore[union-attr]
        self._point(self.names[0])
        return markers

    def change_until(self, end: float, seed: int) -> None:
        """Move the alias and make indices again, until a time of `monotonic`."""
        chance, calm = random.Random(seed), end - min(LONGEST_CALM, CALM * (end - monotonic()))
        while monotonic() < end:
            sleep(chance.uniform(*PAUSE))
            if monotonic() > calm or chance.random() < SWITCHES:
                self._switch()
            else:
                self._recreate_both()

    def uuids(self) -> dict[str, str]:
        """Return index -> UUID."""
        found = self.client.indices.get(index=",".join(self.names))
        return {name: info["settings"]["index"]["uuid"] for name, info in found.items()}

    def remove(self) -> None:
        """Delete the indices."""
        self.client.indices.delete(index=",".join(self.names), ignore_unavailable=True)

    def _switch(self) -> None:
        self._point(next(name for name in self.names if name != self._pointed))
        self.switches += 1

    def _recreate_both(self) -> None:
        """Make both indices again, each by the other's model; for a moment the alias leads nowhere."""
        for name in sorted(self.names, key=lambda each: each == self._pointed):
            self.before_deletion(name)
            self.client.indices.delete(index=name)
            self._create(name, 1 - self._model_of[name])
            self.recreations += 1
            if name == self._pointed:
                self._point(name)

    def _create(self, name: str, model: int) -> None:
        with NeuralSparseStore(name, client=self.client, model=self.models[model].name) as store:
            while True:
                try:
                    store.create(settings=SETTINGS)
                except ServerRequestError as error:
                    if error.error_type != "resource_already_exists_exception":
                        raise
                    self.bare += 1
                    self.client.indices.delete(index=name, ignore_unavailable=True)
                else:
                    break
        self._model_of[name] = model

    def _point(self, name: str) -> None:
        actions: list[dict[str, Any]] = [{"add": {"index": name, "alias": self.alias}}]
        try:
            away = [each for each in self.client.indices.get_alias(name=self.alias) if each != name]
        except NotFoundError:
            away = []
        actions += [{"remove": {"index": each, "alias": self.alias}} for each in away]
        self.client.indices.update_aliases(body={"actions": actions})
        self._pointed = name
