"""Layout of a model folder.

Three layouts are sentence-transformers' own:

- a `Router` whose query route is a `SparseStaticEmbedding` (doc-only); its document transformer lies in a folder of
  its own, or, on the hub, at the root;
- a `Router` of two transformers, each with its `SpladePooling` (a bi-encoder with a query side of its own);
- an `MLMTransformer` and a `SpladePooling` one after the other (bi-encoder);
- a bare masked language model without `modules.json`, which is read as a bi-encoder, as sentence-transformers does.

Folders of models of one weight for each token have the layouts of their originals, which
`models.files.scalar.families` knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.files.json_file import JsonObject, read_json, read_object
from opensearch_neural_sparse.models.files.scalar.families import TRAITS, find_family
from opensearch_neural_sparse.models.spec import Activation, Family, Mode, Pooling

TRANSFORMERS = ("MLMTransformer", "Transformer")
POOLING = "SpladePooling"
STATIC = "SparseStaticEmbedding"
ROUTERS = ("Router", "Asym")
AUTOENCODER = "SparseAutoEncoder"
TOKENIZER = "tokenizer.json"
TOKENIZER_REMEDY = (
    " A model needs the file of a fast tokenizer; transformers writes it of a SentencePiece file, too: "
    "AutoTokenizer.from_pretrained(folder).save_pretrained(folder)."
)
SPLADE_ACTIVATIONS = (Activation.RELU, Activation.LOG1P_RELU)
"""Activations of a SpladePooling."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """Transformer of one side of a model, and its pooling.

    Attributes:
        folder: Folder of the transformer, relative to the model's root.
        activation: Activation of the logits.
        pooling: Pooling over the tokens of a text.
    """

    folder: str
    activation: Activation
    pooling: Pooling


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Folders of a model's parts, relative to its root.

    Attributes:
        mode: Doc-only or bi-encoder.
        activation: Activation of the logits.
        query: Folder of the query tokenizer, and of the idf table of a doc-only model.
        document: Folder of the document transformer.
        family: How the model makes the weights of tokens.
        pooling: Pooling over the tokens of a text, of a SPLADE model.
        query_route: Transformer of queries, of a bi-encoder that has one of their own; else None.
    """

    mode: Mode
    activation: Activation
    query: str
    document: str
    family: Family = Family.SPLADE
    pooling: Pooling = Pooling.MAX
    query_route: Route | None = None


def read_layout(
    root: Path, *, mode: Mode | None = None, activation: Activation | None = None, family: Family | None = None
) -> Layout:
    """Read the layout of the model in `root`.

    Args:
        root: The model's folder.
        mode: What the model is known to be; `modules.json` may not say otherwise.
        activation: What the model does to its logits, for a folder without `modules.json`; else the files say it.
        family: Family of the model; None, and `SPLADE`, leave it to the files.

    Raises:
        ModelFilesError: A file is missing, is not JSON, or contradicts another.
    """
    found = find_family(root) if family is None or family is Family.SPLADE else family
    if found in TRAITS:
        return _scalar_layout(root, found, mode)
    modules = root / "modules.json"
    if not modules.exists():
        return _bare_layout(root, mode or Mode.BI_ENCODER, activation or Activation.RELU)
    layout = _modules_layout(root)
    if mode is not None and mode != layout.mode:
        raise ModelFilesError(f"{modules} describes a {layout.mode} model, but a {mode} model is expected.")
    return layout


def refuse_links(root: Path) -> None:
    """Raise ModelFilesError if a file of a model's folder is a link to a place outside of it.

    A folder in the hub's cache links to the cache's own files.

    Args:
        root: The folder.
    """
    whole = root.resolve()
    home = whole.parents[1] if len(whole.parents) > 1 and whole.parent.name == "snapshots" else whole
    for path in root.rglob("*"):
        if path.is_symlink() and not path.resolve().is_relative_to(home):
            raise ModelFilesError(f"{path} is a link that leaves the model's folder. Copy the file into the folder.")


def find_file(*candidates: Path) -> Path:
    """Return the first of the candidates that exists.

    Raises:
        ModelFilesError: None does; the message names the first.
    """
    for path in candidates:
        if path.is_file():
            return path
    way_out = TOKENIZER_REMEDY if candidates[0].name == TOKENIZER else ""
    raise ModelFilesError(f"{candidates[0]} is missing.{way_out}")


def weight_files(folder: Path) -> tuple[Path, ...]:
    """Return the weight files of a transformer: safetensors before PyTorch's own format, shards in order.

    Raises:
        ModelFilesError: There is none, or a shard is missing.
    """
    for whole in ("model.safetensors", "pytorch_model.bin"):
        if (folder / whole).is_file():
            return (folder / whole,)
        index = folder / f"{whole}.index.json"
        if index.is_file():
            names = {name for _, name in read_object(index).inner("weight_map").text_fields()}
            shards = tuple(_within(folder, name, index) for name in sorted(names))
            if missing := [shard.name for shard in shards if not shard.is_file()]:
                raise ModelFilesError(f"{index} names {', '.join(missing)}, which {folder} lacks. Download it again.")
            return shards
    raise ModelFilesError(f"{folder} has neither model.safetensors nor pytorch_model.bin.")


def _modules_layout(root: Path) -> Layout:
    path = root / "modules.json"
    listed = read_json(path)
    if not isinstance(listed, list):
        raise ModelFilesError(f"{path} is no list of modules. Download or save the model again.")
    modules = [JsonObject.of(path, module, str(place)) for place, module in enumerate(listed)]
    kinds = [module_kind(path, module.text("type")) for module in modules]
    folders = [_within(root, module.text("path", ""), path) for module in modules]
    if kinds and kinds[0] in ROUTERS:
        return _router_layout(root, folders[0] / "router_config.json")
    if _is_transformer(kinds):
        route = _read_route(root, *folders)
        own = "" if folders[0] == root else route.folder
        return Layout(mode=Mode.BI_ENCODER, activation=route.activation, pooling=route.pooling, query=own, document=own)
    _refuse_autoencoder(path, kinds)
    raise ModelFilesError(
        f"{path} lists {kinds}. Known are a Router with a {STATIC} or a transformer for queries, "
        f"and a transformer followed by {POOLING}."
    )


def _router_layout(root: Path, path: Path) -> Layout:
    router = read_object(path)
    types = {part: module_kind(path, kind) for part, kind in router.inner("types").text_fields()}
    query, document = (router.inner("structure").texts(side) for side in ("query", "document"))
    query_kinds, document_kinds = ([types.get(part, "") for part in parts] for parts in (query, document))
    is_static = query_kinds == [STATIC]
    if not _is_transformer(document_kinds) or not (is_static or _is_transformer(query_kinds)):
        _refuse_autoencoder(path, [*query_kinds, *document_kinds])
        raise ModelFilesError(
            f"{path} routes queries and documents through {[*query_kinds, *document_kinds]}. Known is one {STATIC}, "
            f"or a transformer followed by {POOLING}, for queries, and a transformer followed by {POOLING} for "
            "documents."
        )
    query_folders = [_within(path.parent, part, path) for part in query]
    document_folders = [_within(path.parent, part, path) for part in document]
    route = _read_route(root, *document_folders)
    query_route = None if is_static else _read_route(root, *query_folders)
    return Layout(
        mode=Mode.DOC_ONLY if is_static else Mode.BI_ENCODER,
        activation=route.activation,
        pooling=route.pooling,
        query=query_folders[0].relative_to(root).as_posix(),
        document=route.folder,
        query_route=None if query_route == route else query_route,
    )


def _is_transformer(kinds: Sequence[str]) -> bool:
    return len(kinds) == 2 and kinds[0] in TRANSFORMERS and kinds[1] == POOLING


def _read_route(root: Path, transformer: Path, pooling: Path) -> Route:
    activation, strategy = _read_pooling(pooling)
    return Route(folder=transformer.relative_to(root).as_posix(), activation=activation, pooling=strategy)


def _refuse_autoencoder(path: Path, kinds: Sequence[str]) -> None:
    if AUTOENCODER in kinds:
        raise ModelFilesError(
            f"{path} has a {AUTOENCODER} (a CSR model): the keys of its vectors are dimensions of an autoencoder, not "
            "tokens. Use a SPLADE or an inference-free model, or the dense model beneath for the dense leg of a hybrid "
            "search."
        )


def _bare_layout(root: Path, mode: Mode, activation: Activation) -> Layout:
    config = root / "config.json"
    architectures = read_object(config).texts("architectures")
    if not any(name.endswith("ForMaskedLM") for name in architectures):
        raise ModelFilesError(
            f"{root} has no modules.json, and {config} names {architectures}: no masked language model. "
            "Save the model with SparseEncoder.save_pretrained."
        )
    return Layout(mode=mode, activation=activation, query=".", document=".")


def _scalar_layout(root: Path, family: Family, mode: Mode | None) -> Layout:
    """Return the layout of a model of one weight for each token: all of it lies in one folder."""
    own = TRAITS[family].mode
    if mode not in (None, own):
        raise ModelFilesError(f"{root} holds a {family} model, which is {own}, but a {mode} model is expected.")
    return Layout(mode=own, activation=Activation.PLAIN, query=".", document=".", family=family)


def module_kind(path: Path, dotted: str) -> str:
    """Return the class name of a module of sentence-transformers.

    Args:
        path: The file that names it, for the message.
        dotted: Its full name, as the file has it.

    Raises:
        ModelFilesError: The module is of another package: code that comes with the model, or lies anywhere else.
    """
    package, _, rest = dotted.partition(".")
    if package != "sentence_transformers" or not all(part.isidentifier() for part in rest.split(".")):
        raise ModelFilesError(
            f"{path} names the module {dotted!r}, which is no part of sentence-transformers: loading it would run "
            "code of unknown origin. Save the model with modules of sentence-transformers alone."
        )
    return dotted.rpartition(".")[2]


def _within(root: Path, name: str, named_by: Path) -> Path:
    """Return a path below a folder.

    Raises:
        ModelFilesError: The name leads out of the folder.
    """
    parts = Path(name).parts
    if Path(name).is_absolute() or ".." in parts or "\0" in name:
        raise ModelFilesError(f"{named_by} names {name!r}, which is not in the model's folder.")
    return root / name


def _read_pooling(folder: Path) -> tuple[Activation, Pooling]:
    config = read_object(folder / "config.json")
    strategy, activation = config.text("pooling_strategy", "max"), config.text("activation_function", "relu")
    if strategy not in list(Pooling):
        raise ModelFilesError(f"{config.path} pools with {strategy!r}; known are {', '.join(Pooling)}.")
    if activation not in SPLADE_ACTIVATIONS:
        known = ", ".join(SPLADE_ACTIVATIONS)
        raise ModelFilesError(f"{config.path} names the activation {activation!r}; known are {known}.")
    return Activation(activation), Pooling(strategy)
