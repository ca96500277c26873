"""`opensearch-neural-sparse bench`: speed of a server and a model."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from opensearch_neural_sparse.cli.connection import Connection, connected
from opensearch_neural_sparse.cli.options import NeededModel, usage_errors
from opensearch_neural_sparse.cli.output import JsonOption, counted, print_json, shown_bar

if TYPE_CHECKING:
    from opensearch_neural_sparse.evaluate.benchmark.benchmark import Speed
    from opensearch_neural_sparse.evaluate.benchmark.sample import Sample


SourceArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="SOURCE",
        show_default="made-up texts",
        help="File or folder for ingest, or collection for evaluate.",
    ),
]
DocumentsOption = Annotated[int, typer.Option("--documents", min=1, metavar="N", help="Maximum number of documents.")]
RoundsOption = Annotated[
    int, typer.Option("--rounds", min=1, metavar="N", help="Rounds of encoding, writing and searching in turn.")
]
ClientsOption = Annotated[
    int,
    typer.Option("--clients", min=1, metavar="N", help="Clients that search and write at the same time at the end."),
]
TextFieldOption = Annotated[
    str, typer.Option("--text-field", metavar="COLUMN", help="Column of the text, in the files.")
]


@connected
def bench(
    connection: Connection,
    model: NeededModel,
    source: SourceArgument = None,
    documents: DocumentsOption = 500,
    rounds: RoundsOption = 3,
    clients: ClientsOption = 1,
    text_field: TextFieldOption = "text",
    json: JsonOption = False,
) -> None:
    """Measure the speed of encoding, indexing and searching, on your server with your model.

    The index has one shard and a separate name. It is deleted at the end, also after an interruption.
    """
    from opensearch_neural_sparse.evaluate.benchmark.benchmark import measure_speed

    with usage_errors("SOURCE"):
        sample = read_sample(source, model, documents, text_field)
    if len(sample.documents) < rounds:
        found = counted(len(sample.documents), "document")
        raise typer.BadParameter(f"{found} cannot fill {counted(rounds, 'round')}; give fewer.", param_hint="--rounds")
    with connection.client() as client, shown_bar() as progress:
        speed = measure_speed(client, model, sample, rounds=rounds, clients=clients, progress=progress)
    if json:
        print_json({"texts": sample.origin, "rounds": rounds, **asdict(speed)})
    else:
        show(speed, sample, rounds)


def read_sample(source: str | None, model: str, count: int, text_field: str) -> "Sample":
    """Read the documents and queries of the benchmark.

    Raises:
        ValueError: The source is no file that is known, no folder, and no collection.
    """
    from opensearch_neural_sparse.evaluate.benchmark.sample import make_up, sample_collection, sample_rows
    from opensearch_neural_sparse.evaluate.datasets.loader import is_collection, read_source
    from opensearch_neural_sparse.readers.documents import Columns, check_paths, read_documents

    if source is None:
        return make_up(read_vocabulary(model), count)
    if is_collection(source):
        return sample_collection(read_source(source), count)
    check_paths([Path(source)])
    rows = read_documents([Path(source)], Columns(text=text_field), sys.stdin.buffer)
    return sample_rows(rows, count, origin=source)


def read_vocabulary(model: str) -> Sequence[str]:
    """Return the vocabulary of made-up queries."""
    from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
    from opensearch_neural_sparse.models.files.resolve import Side, resolve_files
    from opensearch_neural_sparse.models.registry import get_model

    return SparseTokenizer.from_file(resolve_files(get_model(model), side=Side.QUERY).query_tokenizer).tokens


def show(speed: "Speed", sample: "Sample", rounds: int) -> None:
    """Print two tables: document throughput and query latency."""
    console = Console()
    table = Table("documents", "", title=f"{speed.documents} of {sample.origin}, {counted(rounds, 'round')}")
    table.add_row("encoded a second", f"{speed.encoded_per_second:,.1f}")
    table.add_row("written a second", f"{speed.written_per_second:,.0f}")
    table.add_row("tokens of one", f"{speed.document_tokens:.0f}")
    table.add_row("index", f"{speed.index_bytes / 1e6:.1f} MB, {speed.index_bytes / speed.documents:,.0f} bytes each")
    console.print(table)
    table = Table("a query", "p50 ms", "p99 ms")
    for name, latency in speed.latencies.items():
        table.add_row(name, f"{latency.p50_ms:.2f}", f"{latency.p99_ms:.2f}")
    console.print(table)
    if speed.throughputs:
        table = Table(counted(speed.clients, "client"), "p50 ms", "p99 ms", "a second")
        for name, found in speed.throughputs.items():
            table.add_row(name, f"{found.p50_ms:.2f}", f"{found.p99_ms:.2f}", f"{found.per_second:,.0f}")
        console.print(table)
