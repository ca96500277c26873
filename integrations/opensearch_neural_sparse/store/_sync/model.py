"""The model of an index: bound to one that is there, exchanged for another, over a blocking client."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.encode.pruning import Prune
from opensearch_neural_sparse.store._sync.maintenance import MaintainedDocuments
from opensearch_neural_sparse.store.context import DEFAULT_WRITE
from opensearch_neural_sparse.store.encoders import Encoders
from opensearch_neural_sparse.store.operations.add_field import create_field, fill_field
from opensearch_neural_sparse.store.operations.bind_model import bind_model
from opensearch_neural_sparse.store.operations.reindex import begin, copy, end_moved, remove_mark, unblock
from opensearch_neural_sparse.store.operations.reindex_job import MissingText, ReindexReport
from opensearch_neural_sparse.store.write_options import WriteOptions

if TYPE_CHECKING:
    from opensearch_neural_sparse.encode.document_encoder import DocumentEncoder
    from opensearch_neural_sparse.index.model_binding import ModelBinding
    from opensearch_neural_sparse.models.spec import ModelSpec


class BoundDocuments(MaintainedDocuments):
    """The documents of an index, and the model that it is bound to."""

    def bind_model(self, *, sample: int = 100, verify: int = 0, replace: bool = False) -> ModelBinding:
        """Stamp an index that was made by someone else with this store's model, after a look at its vectors.

        Other programs' keys of the mapping's `_meta` stay. A program that writes `_meta` at the very same time can
        still undo the stamp: the server has no conditional update of a mapping.

        Args:
            sample: How many documents with a vector, drawn at random, are held against the model's vocabulary, 1 to
                10,000. Up to a thousand times as many are looked at until these are found. An index in which no
                document has a vector is stamped, since its first vectors will be this model's; one in which none was
                found although not all were looked at, or could be, is refused.
            verify: How many texts of the sample are encoded anew and compared with the weights that are stored. It
                tells models apart that share a vocabulary; it loads the document encoder.
            replace: Whether the stamp of another model is overwritten.

        Returns:
            The stamp.

        Raises:
            IndexNotBoundError: The store names no model.
            IndexSchemaError: The name leads to several indices, the index is not of this layout, or no vector was found
                among the documents that were looked at.
            ModelMismatchError: Its vectors are not this model's, or it is stamped with another one.
        """
        self._ensure_named()
        work = bind_model(self.index, self.schema, self._encoders, sample=sample, verify=verify, replace_stamp=replace)
        binding = self._run(work)
        self._forget()
        return binding

    def add_field(
        self,
        name: str,
        *,
        model: str | Path | ModelSpec,
        encoder_options: Mapping[str, Any] | None = None,
        prune: Prune | None = None,
        options: WriteOptions = DEFAULT_WRITE,
    ) -> int:
        """Give the index a further sparse field, of a model of its own, and encode the documents that it holds.

        From then on every store that opens the index writes both vectors, and `SparseLeg(field=name)` searches by the
        field's own model. Stores that were opened before know nothing of it: what they write lacks the field until this
        is called again, which encodes the documents that lack it and no others. A document that is written by others
        meanwhile is left as they wrote it, and reported as failed.

        Args:
            name: Name of the field; `<name>_model` names the model of each vector.
            model: The model.
            encoder_options: Options of `load_document_encoder` for it.
            prune: Which tokens are kept of the vectors; None keeps all.
            options: How documents are written; `batch_size` of them are read, encoded and written at a time.

        Returns:
            How many documents were encoded.

        Raises:
            BulkWriteError: Some documents were not written.
            IndexSchemaError: The name leads to several indices, or the index cannot have such a field.
            ModelMismatchError: The field is there and belongs to another model.
        """
        self.open()
        job = self._further_field(name, model, encoder_options, prune, options)
        try:
            place = self._run(create_field(job))
            self._keep_encoders(job)
            return self._run(fill_field(job, place))
        finally:
            self._forget()

    def reindex_with_model(
        self,
        target: str,
        *,
        model: str | Path | ModelSpec | None = None,
        alias: str | None = None,
        on_missing_text: MissingText = "raise",
        prune: Prune | None = None,
        document_encoder: DocumentEncoder | None = None,
        encoder_options: Mapping[str, Any] | None = None,
        options: WriteOptions = DEFAULT_WRITE,
    ) -> ReindexReport:
        """Encode an index anew, from the texts it holds, into a new index of another model.

        Ids, routing, metadata and dense vectors go over as they are, mapping and settings too. Writes to the source are
        refused meanwhile (`index.blocks.write`), and pass again at the end, after an error as well; searches go on.
        After an interruption the same call goes on: what the target holds already, unchanged, is not encoded again, and
        once the alias was moved nothing is copied any more. A process that is killed leaves the source blocked until
        that call, or until the setting is removed.

        Args:
            target: Name of the new index.
            model: The new model.
            alias: An alias that is moved from the source to the target, in one request, once both hold as many
                documents; None moves none.
            on_missing_text: `raise` refuses an index of which documents have no text, before anything is made; `keep`
                takes them over without a vector.
            prune: Which tokens are kept of the vectors; None keeps all.
            document_encoder: Encodes documents in place of the model's own encoder.
            encoder_options: Options of `load_document_encoder` for the new model.
            options: How documents are written; `batch_size` of them are read, encoded and written at a time.

        Raises:
            BulkWriteError: Some documents were not written.
            IndexSchemaError: The source is several indices, documents have no text, the target is there and is no
                unfinished copy of it, or the counts differ at the end.
        """
        encoders = Encoders(model, None, document_encoder, encoder_options, prune)
        how: dict[str, Any] = {"alias": alias, "on_missing_text": on_missing_text, "options": options}
        try:
            if ended := self._run(end_moved(self._reindexing(target, encoders, **how))):
                return ended
            self.open()
            job = self._reindexing(target, encoders, **how)
            mark = self._run(begin(job))
            try:
                report = self._run(copy(job, mark))
            finally:
                self._run(unblock(mark))
            self._run(remove_mark(target))
            return report
        finally:
            encoders.close()
            self._forget()
