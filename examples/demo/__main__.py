"""Index the Python language reference, ask four questions, and show what each way of searching finds."""

import argparse
import os
import platform
from contextlib import suppress

from examples.demo.frameworks import ask_haystack, ask_langchain, haystack_yaml
from examples.demo.indexing import INDEX, MODEL_FOLDER, cache_file, index
from examples.demo.progress import running_server
from examples.demo.reference import language_reference
from examples.demo.show import console, say, show_best, show_side_by_side
from opensearch_neural_sparse import (
    CachedDocumentEncoder,
    IndexNotFoundError,
    NeuralSparseStore,
    load_document_encoder,
    register_model,
)

QUESTIONS = (
    "how do I handle an error",
    "how do I sort a list by a key",
    "clean up after an error",
    "leave a loop early",
)
SHOWN = 5
HOW_TO_GO_ON = """\
    curl '{url}/{index}/_search?q=content:loop&_source=title&pretty'
    curl '{url}/{index}/_mapping?pretty'        # the stamp lies under _meta
    .demo/bin/python -c "from opensearch_neural_sparse import NeuralSparseStore
    with NeuralSparseStore('{index}', url='{url}', model='{model}') as store: print(store.search('copy a list'))\""""


def main() -> None:
    """Run the demo from end to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, help="index this many documents, not all of them")
    limit = parser.parse_args().limit
    keep = os.environ.get("DEMO_KEEP", "") not in ("", "0")
    model = register_model(MODEL_FOLDER, name="small-en")
    documents = language_reference()[:limit]
    version = platform.python_version()
    say(f"{len(documents)} passages of the language reference that Python {version} carries; model {model.name}")
    with (
        CachedDocumentEncoder(load_document_encoder(model, engine="onnx"), cache_file()) as encoder,
        running_server(keep=keep) as server,
        NeuralSparseStore(INDEX, url=server.url, model=model, document_encoder=encoder) as store,
    ):
        try:
            index(store, encoder, documents)
            for question in QUESTIONS:
                ask(store, question)
            ask_through_frameworks(store, server.url)
        finally:
            if not keep:
                with suppress(IndexNotFoundError):
                    store.delete_index()
        if keep:
            tell_how_to_go_on(server.url, server.home is not None)


def ask(store: NeuralSparseStore, question: str) -> None:
    """Show what BM25, sparse and hybrid search find, and why sparse search found its first."""
    sparse = store.search(question, size=SHOWN, explain=True)
    answers = {
        "BM25": store.match_search(question, size=SHOWN),
        "sparse": sparse,
        "hybrid (RRF)": store.hybrid_search(question, size=SHOWN),
    }
    show_side_by_side(question, answers)
    if sparse:
        show_best(sparse[0])


def ask_through_frameworks(store: NeuralSparseStore, url: str) -> None:
    """Ask the same index through a saved Haystack pipeline and through a LangChain chain."""
    yaml = haystack_yaml(url, store.index, str(MODEL_FOLDER))
    _, prompt = ask_haystack(yaml, QUESTIONS[0])
    say(f"The same index through a Haystack pipeline, loaded from {len(yaml.splitlines())} lines of YAML; its prompt:")
    console.print(prompt, style="dim")
    say("and through a LangChain chain:")
    console.print(ask_langchain(store, QUESTIONS[0]), style="dim")


def tell_how_to_go_on(url: str, started: bool) -> None:
    """Print how to talk to the server that was left up."""
    say("The server is left up, as DEMO_KEEP asked. Talk to it:")
    console.print(HOW_TO_GO_ON.format(index=INDEX, url=url, model=MODEL_FOLDER), markup=False, soft_wrap=True)
    if started:
        console.print("    .demo/bin/opensearch-neural-sparse devserver stop", markup=False)


if __name__ == "__main__":
    main()
