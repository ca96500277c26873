"""Run the notebooks and store what their cells show.

    python -m examples.notebooks [--to FOLDER]

They run as Jupyter would run them, in the folder where they lie, against the OpenSearch of OPENSEARCH_URL or one that
is started. What is stored is the same on every machine: no times, no versions.
"""

import argparse
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parent


def main() -> None:
    """Run every notebook; the first cell that fails ends it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=FOLDER, help="where to write them; by default, where they lie")
    folder = parser.parse_args().to
    for path in sorted(FOLDER.glob("*.ipynb")):
        nbformat.write(executed(path), folder / path.name)


def executed(path: Path) -> nbformat.NotebookNode:
    """Return a notebook with the outputs of a run."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, startup_timeout=300, record_timing=False, resources={"metadata": {"path": str(path.parent)}}
    )
    client.execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = joined(cell.outputs)
    notebook.metadata["language_info"] = {"name": "python"}
    return notebook


def joined(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Return outputs in which what was printed in a row is one; how many pieces it comes in is a matter of time."""
    kept: list[nbformat.NotebookNode] = []
    for output in outputs:
        if kept and output.output_type == "stream" and output.get("name") == kept[-1].get("name"):
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


if __name__ == "__main__":
    main()
