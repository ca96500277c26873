"""Train a small cross-encoder on pairs of a question and its answer, for `benchmarks.reranking`.

python -m benchmarks.toy_reranker --base FOLDER --pairs medquad_en.jsonl.gz squad_en.jsonl.gz --output FOLDER

The base is a BERT of any kind in sentence-transformers' layout. Each question is learned with its answer and with the
answers of other questions that the base finds nearest to it. Some minutes on a processor give a model that orders
better than chance and worse than a published cross-encoder: it stands for one where none is at hand.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import note
from examples.train.pairs import Pair, read_pairs

CHARACTERS = 1500
"""What of an answer is read to find those near to a question."""


def mine(base: Path, pairs: Sequence[Pair], count: int, chance: random.Random) -> list[list[str]]:
    """Return for each pair its answer and `count` answers of others, drawn from the 20 nearest to the question."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.util import semantic_search

    encoder = SentenceTransformer(str(base), device="cpu")
    encoder.max_seq_length = 128
    answers = list(dict.fromkeys(pair.positive for pair in pairs))
    vectors = encoder.encode([answer[:CHARACTERS] for answer in answers], normalize_embeddings=True)
    queries = encoder.encode([pair.query for pair in pairs], normalize_embeddings=True)
    found = semantic_search(queries, vectors, top_k=20)
    rows = []
    for pair, hits in zip(pairs, found, strict=True):
        others = [answers[hit["corpus_id"]] for hit in hits if answers[hit["corpus_id"]] != pair.positive]
        rows.append([pair.positive, *chance.sample(others, count)])
    return rows


def train(
    base: Path, pairs: Sequence[Pair], rows: Sequence[Sequence[str]], *, batch: int, length: int, rate: float
) -> Any:
    """Return a cross-encoder that was trained to score each question's answer above the others, one pass."""
    import torch
    from sentence_transformers import CrossEncoder

    torch.manual_seed(0)
    model = CrossEncoder(str(base), num_labels=1, max_length=length, device="cpu")
    network, tokenizer = model.model, model.tokenizer
    network.train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.01)
    steps = len(pairs) // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=rate, total_steps=steps, pct_start=0.1)
    began, losses = time.perf_counter(), []
    for step in range(steps):
        places = range(step * batch, (step + 1) * batch)
        queries = [pairs[place].query for place in places for _ in rows[place]]
        texts = [text for place in places for text in rows[place]]
        inputs = tokenizer(queries, texts, truncation="longest_first", max_length=length, padding=True)
        scores = network(**inputs.convert_to_tensors("pt")).logits.view(len(places), -1)
        loss = torch.nn.functional.cross_entropy(scores, torch.zeros(len(places), dtype=torch.long))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        if step % 10 == 9:
            spent = time.perf_counter() - began
            note(f"step {step + 1} of {steps}: loss {sum(losses[-10:]) / 10:.3f}, {spent:.0f} s")
    network.eval()
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=1600, help="from each file (default: 1600)")
    parser.add_argument("--negatives", type=int, default=3)
    parser.add_argument("--batch", type=int, default=8, help="questions of a step (default: 8)")
    parser.add_argument("--length", type=int, default=160, help="tokens of a question and a text (default: 160)")
    parser.add_argument("--rate", type=float, default=5e-5)
    arguments = parser.parse_args()
    chance = random.Random(0)
    pairs: list[Pair] = []
    rows: list[list[str]] = []
    for path in arguments.pairs:
        chosen = read_pairs([path], seed=0)[: arguments.questions]
        rows += mine(arguments.base, chosen, arguments.negatives, chance)
        pairs += chosen
    # A batch is of one file, so that its texts are of like lengths.
    starts = list(range(0, len(pairs) - arguments.batch + 1, arguments.batch))
    chance.shuffle(starts)
    order = [place for start in starts for place in range(start, start + arguments.batch)]
    note(f"{len(pairs)} questions with {arguments.negatives} wrong answers each.")
    model = train(
        arguments.base,
        [pairs[place] for place in order],
        [rows[place] for place in order],
        batch=arguments.batch,
        length=arguments.length,
        rate=arguments.rate,
    )
    model.save_pretrained(str(arguments.output))


if __name__ == "__main__":
    main()
