"""What happened to the attempts of a campaign: counts by outcome, and the first examples of each that is a fault."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

KEPT_EXAMPLES = 20
"""Examples of an outcome that a tally keeps, each of another place in the code."""
LONGEST_EXAMPLE = 400


class Outcome(StrEnum):
    """What happened to an attempt."""

    ACCEPTED = "accepted"
    REFUSED = "refused with a clear error"
    RAW_ERROR = "raw error"
    SILENT_LOSS = "silent loss"
    EXECUTION = "execution"
    LEAK = "leak"
    TORN = "torn result"
    HANG = "hang"

    @property
    def is_fault(self) -> bool:
        return self not in (Outcome.ACCEPTED, Outcome.REFUSED)


@dataclass
class Tally:
    """The attempts of a campaign by their outcome.

    Attributes:
        counts: Outcome -> number of attempts.
        examples: Outcome -> the first attempts that ended so, by the place where they did.
        notes: Measured numbers beside the outcomes, by name; kept as they are for the report.
    """

    counts: Counter[Outcome] = field(default_factory=Counter)
    examples: dict[Outcome, dict[str, str]] = field(default_factory=lambda: {each: {} for each in Outcome})
    notes: dict[str, object] = field(default_factory=dict)

    def add(self, outcome: Outcome, example: str = "", *, place: str = "") -> None:
        """Count an attempt.

        Args:
            outcome: What happened.
            example: The attempt in words.
            place: Where it ended; one example of each place is kept, and by default every one.
        """
        self.counts[outcome] += 1
        kept = self.examples[outcome]
        if len(kept) < KEPT_EXAMPLES:
            kept.setdefault(place or example, example[:LONGEST_EXAMPLE])

    def merge(self, other: Tally) -> None:
        """Add the attempts of another tally."""
        self.counts.update(other.counts)
        self.notes.update(other.notes)
        for outcome, examples in other.examples.items():
            for place, example in examples.items():
                if len(self.examples[outcome]) < KEPT_EXAMPLES:
                    self.examples[outcome].setdefault(place, example)

    @property
    def attempts(self) -> int:
        return self.counts.total()

    @property
    def faults(self) -> dict[str, list[str]]:
        """Outcome that must not be -> its first examples; empty where nothing gave way."""
        failed = [each for each in Outcome if self._failed(each)]
        return {f"{self.counts[each]} x {each}": list(self.examples[each].values()) for each in failed}

    def _failed(self, outcome: Outcome) -> bool:
        return outcome.is_fault and self.counts[outcome] > 0
