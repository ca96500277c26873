"""How the demo prints: searches side by side, and the tokens that matched."""

from collections.abc import Mapping, Sequence
from textwrap import shorten

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from opensearch_neural_sparse import SearchHit

SHOWN_TOKENS = 8
SHOWN_CHARACTERS = 230
console = Console(highlight=False, width=120)


def say(text: str) -> None:
    """Print a step of the demo."""
    console.print(f"[bold cyan]==>[/] {text}")


def show_side_by_side(question: str, answers: Mapping[str, Sequence[SearchHit]]) -> None:
    """Print one question's hits, a column a kind of search, ranks as they are."""
    table = Table(title=f"[bold]{question}[/]", title_justify="left", show_lines=False, expand=True)
    table.add_column("", width=2)
    for kind in answers:
        table.add_column(kind, ratio=1, no_wrap=True)
    depth = max(map(len, answers.values()))
    for rank in range(depth):
        table.add_row(str(rank + 1), *(_cell(hits[rank]) if rank < len(hits) else "" for hits in answers.values()))
    console.print(table)


def show_best(hit: SearchHit) -> None:
    """Print a hit's text, and which tokens of the query gave what to its score."""
    matches = sorted(hit.matches or (), key=lambda match: -match.score)
    shown = ", ".join(f"{match.token} {match.score:.2f}" for match in matches[:SHOWN_TOKENS])
    more = f" and {len(matches) - SHOWN_TOKENS} more" if len(matches) > SHOWN_TOKENS else ""
    console.print(f"   sparse, rank 1: [bold]{escape(hit.id)}[/] by {shown}{more}")
    console.print(f"   {shorten(hit.text or '', SHOWN_CHARACTERS, placeholder=' ...')}\n", style="dim", markup=False)


def _cell(hit: SearchHit) -> str:
    return f"{escape(hit.id)} [dim]{hit.score:.4g}[/]"
