"""The command: pairs in, a model folder out."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from examples.train.cross_encoder import CrossEncoderTeacher
from examples.train.negatives import Mining, make_rows
from examples.train.pairs import Pair, read_pairs
from examples.train.student import Student, load_backbone, load_student
from examples.train.teachers import Teacher, make_teacher
from examples.train.topics import Topics, in_order, make_batches
from opensearch_neural_sparse.evaluate.experiments.dense_encoder import MINILM

if TYPE_CHECKING:
    from sentence_transformers.sparse_encoder.losses import SpladeLoss

TEACHERS = ("lexical", "stemmed", "dense", "student")
LOSSES = ("contrastive", "margin_mse", "kl")
REGULARIZERS = ("flops", "l1")
IN_BATCH = "in_batch_kl"
"""The loss over batches of texts on one topic, instead of pairs and mined negatives."""
FUSED_SCALE = 10.0
"""Score of what all of `--teachers` rank first; a cross-encoder's scores are taken as they are."""
SCORE_FILE = "teacher-scores.sqlite"
"""Name of the file beside the output that keeps a cross-encoder's scores."""


def main(arguments: list[str] | None = None) -> None:
    """Train, save, and print one line of JSON: loss and active tokens on the probe before and after, and the speed."""
    options = _parse(arguments)
    _prepare(options)
    pairs = read_pairs(options.pairs, seed=options.seed)
    documents = list(dict.fromkeys(pair.positive for pair in pairs))
    student = _load(documents, options)
    student.transformer.max_seq_length = min(options.max_length, student.max_length)
    student.drop_out(options.dropout)
    cross_encoder = _cross_encoder(options)
    rows = _rows(pairs, student, options, cross_encoder)
    probe, rows = rows[: options.held_out] or rows[:64], rows[options.held_out :]
    from examples.train.pooling import pooling_winners

    start = {name: weight.clone() for name, weight in student.transformer.auto_model.state_dict().items()}
    with pooling_winners(student):
        summary = _train(student, rows, probe, options)
    student.blend(start, options.start_share)
    student.scale_logits(options.logit_scale)
    student.shift_logits(options.logit_shift)
    student.save(options.output, half=options.save_dtype == "fp16")
    if cross_encoder is not None:
        summary["teacher"] = {"computed": cross_encoder.computed, "found": cross_encoder.found}
    print(json.dumps(summary))


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m examples.train", description=__doc__)
    add = parser.add_argument
    add("pairs", nargs="+", type=Path, help="JSON lines with query and positive, .jsonl or .jsonl.gz")
    add("output", type=Path, help="folder of the trained model")
    start = parser.add_mutually_exclusive_group()
    start.add_argument(
        "--from", dest="start", default="examples/models/small-en", help=f"a doc-only model's folder, or {MINILM}"
    )
    start.add_argument("--backbone", help="a masked language model to start from instead, a folder or hub id")
    add("--own-idf", action="store_true", help="weigh queries by the pairs' texts, not as the model did")
    add("--loss", nargs="+", choices=(*LOSSES, IN_BATCH), default=["contrastive"], help=f"summed up; {IN_BATCH} alone")
    add("--queries", type=int, default=3, help=f"queries a text, for {IN_BATCH}")
    add("--negatives", type=int, default=0, help="hard negatives a query; kl and margin_mse need them")
    add("--miners", nargs="+", choices=TEACHERS, default=["lexical"])
    add("--teachers", nargs="+", choices=TEACHERS, default=["dense", "lexical"], help="one named twice counts twice")
    add("--teacher", help="a cross-encoder, a folder or hub id, instead of --teachers, for kl and margin_mse")
    add("--teacher-scores", type=Path, help=f"file that keeps its scores; default: {SCORE_FILE} beside the output")
    scale_help = f"multiplies the teachers' scores; default: {FUSED_SCALE:g} of --teachers, 1 of --teacher"
    add("--teacher-scale", type=float, help=scale_help)
    add("--student-scale", type=float, help=f"multiplies the student's scores in {IN_BATCH}; default: the teachers'")
    add("--steps", type=int, default=1000)
    add("--batch-size", type=int, default=16)
    add("--mini-batch", type=int, help="texts that go through the transformer at once; saves memory, costs time")
    add("--max-length", type=int, default=128, help="tokens of a text in training")
    add("--learning-rate", type=float, default=2e-5)
    add("--penalty", type=float, default=0.001, help="weight of the penalty on active tokens")
    add("--regularizer", choices=REGULARIZERS, default="flops", help="the penalty")
    add("--active", type=int, default=140, help="active tokens of a document that go unpunished")
    add("--held-out", type=int, default=64, help="pairs that are only measured; 0 measures on those trained on")
    add("--start-share", type=float, default=0.0, help="share of the start's weights in the means that are saved")
    add("--logit-scale", type=float, default=1.0, help="what logits are multiplied by at last; below 1 is sharper")
    add("--logit-shift", type=float, default=0.0, help="what all logits lose after that; light tokens go")
    add("--dropout", type=float, default=0.0, help="share of activations that training leaves out; 0 is twice as fast")
    add("--bf16", action="store_true", help="autocast to bfloat16")
    add("--save-dtype", choices=("fp16", "fp32"), default="fp16")
    add("--threads", type=int, help="of the CPU")
    add("--seed", type=int, default=0)
    return _checked(parser)(arguments)


def _checked(parser: argparse.ArgumentParser) -> Any:
    def parse(arguments: list[str] | None) -> argparse.Namespace:
        options = parser.parse_args(arguments)
        if IN_BATCH in options.loss and (len(options.loss) > 1 or options.held_out % options.batch_size):
            parser.error(f"--loss {IN_BATCH} stands alone, and needs whole batches of --held-out.")
        if options.negatives < 1 and not set(options.loss) <= {"contrastive", IN_BATCH}:
            parser.error(f"--loss {' '.join(options.loss)} needs --negatives 1 or more.")
        if IN_BATCH in options.loss and options.mini_batch is not None:
            parser.error(f"--mini-batch goes with --loss {', '.join(LOSSES)}, not with {IN_BATCH}.")
        if options.mini_batch is not None and options.mini_batch < 1:
            parser.error(f"--mini-batch {options.mini_batch} is less than 1.")
        if options.teacher and not {"kl", "margin_mse"} & set(options.loss):
            parser.error(
                f"--teacher scores hard negatives, and --loss {' '.join(options.loss)} learns no such scores. "
                "Use --loss kl or margin_mse."
            )
        if options.teacher_scores and not options.teacher:
            parser.error("--teacher-scores needs --teacher.")
        if options.output.exists() and any(options.output.iterdir()):
            parser.error(f"{options.output} is not empty.")
        if options.teacher_scale is None:
            options.teacher_scale = 1.0 if options.teacher else FUSED_SCALE
        return options

    return parse


def _prepare(options: argparse.Namespace) -> None:
    import torch
    from transformers import set_seed

    set_seed(options.seed)
    if options.threads:
        torch.set_num_threads(options.threads)


def _load(documents: list[str], options: argparse.Namespace) -> Student:
    if options.backbone:
        return load_backbone(options.backbone, documents)
    return load_student(options.start, documents, own_idf=options.own_idf)


def _cross_encoder(options: argparse.Namespace) -> CrossEncoderTeacher | None:
    if not options.teacher:
        return None
    file = options.teacher_scores or options.output.parent / SCORE_FILE
    return CrossEncoderTeacher.load(options.teacher, file, bf16=options.bf16)


def _rows(
    pairs: list[Pair], student: Student, options: argparse.Namespace, cross_encoder: CrossEncoderTeacher | None
) -> list[dict[str, Any]]:
    """Return as many rows as are held out and trained on."""
    count = options.held_out + options.steps * options.batch_size
    if options.loss != [IN_BATCH]:
        return make_rows(pairs[:count], _mining(options, student, cross_encoder))
    made = {name: make_teacher(name, student, bf16=options.bf16) for name in dict.fromkeys(options.teachers)}
    teachers = [made[name] for name in options.teachers]
    topics = Topics(teachers=teachers, size=options.batch_size, queries=options.queries, scale=options.teacher_scale)
    return make_batches(pairs, topics, texts=count, seed=options.seed)


def _mining(options: argparse.Namespace, student: Student, cross_encoder: CrossEncoderTeacher | None) -> Mining:
    teachers = () if cross_encoder else options.teachers
    names = {*options.miners, *teachers} if options.negatives else ()
    made: dict[str, Teacher] = {name: make_teacher(name, student, bf16=options.bf16) for name in sorted(names)}
    return Mining(
        miners=[made[name] for name in options.miners if name in made],
        teachers=[made[name] for name in teachers if name in made],
        count=options.negatives,
        scale=options.teacher_scale,
        cross_encoder=cross_encoder,
    )


def _train(student: Student, rows: list[Any], probe: list[Any], options: argparse.Namespace) -> dict[str, Any]:
    from datasets import Dataset
    from sentence_transformers import SparseEncoderTrainer

    loss = _loss(student, options)
    with tempfile.TemporaryDirectory() as scratch:
        trainer = SparseEncoderTrainer(
            model=student.encoder,
            args=_training_arguments(scratch, list(rows[0]), options),
            train_dataset=Dataset.from_list(rows),
            eval_dataset=Dataset.from_list(probe),
            loss=loss,
        )
        before = _measure(student, trainer, probe)
        run = trainer.train()
        after = _measure(student, trainer, probe)
    speed = run.metrics["train_steps_per_second"]
    return {"rows": len(rows), "before": before, "after": after, "steps_per_second": speed}


def _loss(student: Student, options: argparse.Namespace) -> SpladeLoss:
    from examples.train.losses import InBatchLoss, make_loss

    penalty = {"penalty": options.penalty, "active": options.active, "regularizer": options.regularizer}
    if options.loss == [IN_BATCH]:
        return InBatchLoss(student, scale=options.student_scale or options.teacher_scale, **penalty)
    return make_loss(student, options.loss, **penalty, mini_batch=options.mini_batch)


def _measure(student: Student, trainer: Any, probe: list[Any]) -> dict[str, float]:
    loss: float = trainer.evaluate()["eval_loss"]
    return {"loss": loss, "active": round(student.active([row["positive"] for row in probe]), 1)}


def _training_arguments(scratch: str, columns: list[str], options: argparse.Namespace) -> Any:
    import torch
    from sentence_transformers import SparseEncoderTrainingArguments
    from sentence_transformers.base.sampler import BatchSamplers

    return SparseEncoderTrainingArguments(
        output_dir=scratch,
        max_steps=options.steps,
        per_device_train_batch_size=options.batch_size,
        per_device_eval_batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        warmup_steps=options.steps // 10,
        bf16=options.bf16,
        use_cpu=not torch.cuda.is_available(),
        seed=options.seed,
        batch_sampler=in_order if options.loss == [IN_BATCH] else BatchSamplers.NO_DUPLICATES,
        router_mapping={
            name: "query" if name.startswith("query") else "document" for name in columns if name != "label"
        },
        logging_steps=10,
        save_strategy="no",
        report_to="none",
    )
