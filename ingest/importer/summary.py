"""Summarise the outcome of a file's rows as numbers that add up."""

from collections import Counter
from dataclasses import dataclass, field

from ingest.importer.rows import Layout, Row
from schemas.events.envelope import RefusalError


@dataclass
class Summary:
    """The outcome of a file's rows: every row is accepted, a repeat, or refused."""

    rows: int = 0
    lines: int = 0
    """Lines that the rows span."""
    accepted: int = 0
    repeats: int = 0
    """Rows all of whose events had been sent before."""
    refused: int = 0
    events: int = 0
    """Events of the accepted rows that had not been sent before."""
    uncounted: int = 0
    """Accepted rows that no worker has counted yet; they may still be repeats or refused."""
    uncounted_because: str = ""
    reasons: Counter[str] = field(default_factory=Counter)
    """Category → refused rows."""
    examples: dict[str, str] = field(default_factory=dict)
    """Category → its first refusal, with its row."""

    def refuse(self, row: Row, refusal: RefusalError) -> None:
        """Count a refused row."""
        self.refused += 1
        category = refusal.category.value
        self.reasons[category] += 1
        self.examples.setdefault(category, f"{row.position}: {refusal.reason}")

    def unaccounted(self, layout: Layout) -> int:
        """Return how many lines have no known outcome: 0, or the reader has a bug."""
        rows = self.rows - self.accepted - self.repeats - self.refused
        return abs(layout.lines - layout.header - layout.blank - layout.skipped - self.lines) + abs(
            rows
        )

    def sentences(self, layout: Layout, verb: str, *, whole: bool = True) -> list[str]:
        """Return the summary for a person: the sum first, then the parts.

        Args:
            layout: counts of the file's lines.
            verb: the word for rows without a problem.
            whole: the file was read to its end, so that its lines must add up.
        """
        first = (
            f"{pluralise(self.rows, 'row')}, {self.accepted} {verb} "
            f"({pluralise(self.events, 'event')}), "
            f"{pluralise(self.repeats, 'repeat')}, {self.refused} refused"
        )
        found = [first]
        lines = f"{layout.lines} {layout.unit}: {layout.header} of the header, {layout.blank} blank"
        if layout.skipped:
            lines += f", {layout.skipped} skipped by the mapping (such as {layout.first_skipped})"
        found.append(f"  {lines}, {self.lines} of rows")
        if whole and (missing := self.unaccounted(layout)):
            found.append(
                f"  {missing} {layout.unit} are not accounted for: "
                "this is a fault of the import, please report it"
            )
        if self.uncounted:
            rows = pluralise(self.uncounted, "row")
            found.append(f"  {rows} in Kafka, not yet counted: {self.uncounted_because}")
        for category, count in self.reasons.most_common():
            found.append(f"  {count} {category}, such as {self.examples[category]}")
        return found


def pluralise(count: int, noun: str) -> str:
    """Return a number with its noun: 1 row, 2 rows."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
