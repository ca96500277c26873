"""Arguments and options of `evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

from opensearch_neural_sparse.cli.options import complete_model

CollectionsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="COLLECTION",
        show_default=False,
        help="Folders in the format of BEIR, MIRACL or XQuAD, JSON files in SQuAD's, or hub ids: BeIR/scifact, "
        "mteb/scifact, miracl/miracl:sw, google/xquad:en.",
    ),
]
ModelsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="MODEL",
        autocompletion=complete_model,
        help="Name, hub id or folder of a model; may be repeated.",
    ),
]
PrunesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--prune", metavar="RULE", help="Tokens that documents keep: none, max_ratio:0.1 and so on; may be repeated."
    ),
]
LengthsOption = Annotated[
    list[int] | None,
    typer.Option("--max-length", metavar="N", help="Longest document in tokens; may be repeated."),
]
HybridsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--hybrid",
        metavar="FUSION",
        help="How to fuse BM25 and sparse search: rrf, min_max, l2 or z_score, with weights as in rrf:0.3,0.7, other "
        "searches as in bm25+dense:rrf; may be repeated.",
    ),
]
DenseOption = Annotated[
    str | None,
    typer.Option(
        "--dense",
        metavar="MODEL",
        help="Folder or hub id of a sentence-transformers model for dense search, alone and fused with the others, or  "
        "minilm.",
    ),
]
AnalyzersOption = Annotated[
    list[str] | None,
    typer.Option(
        "--analyzer",
        metavar="NAME",
        help="Analyzer of the texts for BM25, such as english or standard; hybrids fuse the first; may be repeated.",
        show_default="that of the model's language",
    ),
]
LexicalOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--lexical",
        exists=True,
        file_okay=False,
        metavar="FOLDER",
        help="Folder with tokenizer.json and idf.json, for the baseline without a network; may be repeated.",
    ),
]
SplitOption = Annotated[
    str | None, typer.Option("--split", metavar="NAME", help="Judgements to use.", show_default="test; dev of MIRACL")
]
OutputOption = Annotated[Path, typer.Option("--output", metavar="FOLDER", help="Folder of the results.")]
CacheOption = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        dir_okay=False,
        metavar="FILE",
        help="File of the vectors.",
        show_default="vectors.sqlite in the folder of the results",
    ),
]
TuneOption = Annotated[
    bool,
    typer.Option(
        "--tune",
        help="Choose legs, fusion, weights and pruning on half of the queries, report on the others, and write the "
        "setting as code.",
    ),
]
SeedOption = Annotated[int, typer.Option("--seed", metavar="N", help="Seed of the halves, with --tune.")]
LegsOption = Annotated[
    int, typer.Option("--legs", min=2, max=5, metavar="N", help="Maximum number of legs of a setting, with --tune.")
]
WriteOption = Annotated[
    Path | None,
    typer.Option(
        "--write",
        file_okay=False,
        metavar="FOLDER",
        help="Folder of the code, with --tune.",
        show_default="printed",
    ),
]
