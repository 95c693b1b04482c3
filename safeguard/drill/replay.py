"""The entries of one partition beside the whole old side, with faults or without: what a comparison
takes in place of its systems, once they have been read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import pyarrow as pa

from safeguard.comparing.buckets import BUCKET, BucketFile, Buckets
from safeguard.comparing.journal import Journal, NoJournal
from safeguard.comparing.partition import SourceFiles
from safeguard.comparing.summing import Asked, NotAsked
from safeguard.comparing.tally import Tally
from safeguard.drill.ground import Row
from safeguard.drill.kinds import Plant
from safeguard.planning.layout import ContentPlan, NewPlan
from safeguard.systems.canonical import canonical_schema

Part = tuple[int, int]
"""First and last bucket of a partition."""
WHY_STREAM = "a drill reads everything, and compares it the streaming way"


class Replay:
    """A partition's entries, as `Taken` by a comparison.

    What was read and counted is what a system with these entries would have given: the entries that
    are there, and whatever the undisturbed reading and counting did not agree on.
    """

    def __init__(
        self, plan: ContentPlan, files: SourceFiles, part: Part, undisturbed: Tally, tally: Tally
    ) -> None:
        self.plan, self.part, self.tally = plan, part, tally
        self.files = files
        self.asked: Asked | NotAsked = NotAsked(WHY_STREAM)
        self.kept: Journal = NoJournal()
        self.partial = True
        self._undisturbed = undisturbed

    def read(self) -> None:
        """See `Taken.read`."""
        tally, before = self.tally, self._undisturbed
        for source in self.plan.old:
            rows = _rows(self.files.old.get(source.index, ()), self.part)
            gap = before.old_counted[source.index] - before.old_read[source.index]
            tally.old_read[source.index], tally.old_counted[source.index] = rows, rows + gap
        for new in self.plan.new:
            rows = _rows(self.files.new.get(new.index, ()), self.part)
            gap = before.new_counted[new.index] - before.new_read[new.index]
            tally.new_read[new.index], tally.new_counted[new.index] = rows, rows + gap
            tally.new_deleted[new.index] = 0

    def parts(self, budget: int) -> tuple[Part, ...]:  # noqa: ARG002
        """See `Taken.parts`. The one."""
        return (self.part,)

    def rest(self) -> SourceFiles:
        """See `Taken.rest`."""
        return SourceFiles({}, {})


class NewSide:
    """The stored rows of the new systems in one partition, and the files of them with faults."""

    def __init__(self, plan: ContentPlan, store: Buckets, files: SourceFiles, part: Part) -> None:
        self.plan, self.store, self.files, self.part = plan, store, files, part
        self.rows = [_whole(store, files, new, part) for new in plan.new]

    def with_faults(self, plants: Sequence[Plant], name: str) -> SourceFiles:
        """Files in which these faults are planted; they begin with `name`."""
        gone, added = _by_route(plants)
        new = dict(self.files.new)
        for route in {*gone, *added}:
            rows = _altered(self.rows[route], gone[route], added[route])
            buckets = pa.array([self.part[0]] * rows.num_rows, pa.uint16())
            stored = rows.append_column(BUCKET, buckets)
            new[route] = (self.store.write(f"{name}-{route}.arrow", stored),)
        return SourceFiles(self.files.old, new)


# -- private -------------------------------------------------------------------------------------


def _rows(files: Sequence[BucketFile], part: Part) -> int:
    return sum(n for file in files for bucket, n in file.buckets if part[0] <= bucket <= part[1])


def _by_route(
    plants: Sequence[Plant],
) -> tuple[Mapping[int, set[int]], Mapping[int, list[Row]]]:
    gone: dict[int, set[int]] = defaultdict(set)
    added: dict[int, list[Row]] = defaultdict(list)
    for plant in plants:
        for entry in plant.removed:
            gone[entry.route].add(entry.number)
        for route, row in plant.added:
            added[route].append(row)
    return gone, added


def _altered(rows: pa.Table, gone: set[int], added: list[Row]) -> pa.Table:
    left = rows
    if gone:
        numbers = pa.array(sorted(gone), pa.int64())
        every = pa.array(range(rows.num_rows), pa.int64())
        left = rows.filter(pa.compute.invert(pa.compute.is_in(every, numbers)))
    return pa.concat_tables([left, pa.Table.from_pylist([dict(r) for r in added], rows.schema)])


def _whole(store: Buckets, files: SourceFiles, new: NewPlan, part: Part) -> pa.Table:
    """All stored rows of a route in the order in which `Partition.load` numbers them. A column of
    which nothing stood in some file has its type back."""
    tables = list(store.read(files.new.get(new.index, ()), *part))
    if not tables:
        return pa.table({})
    schema = pa.schema([(name, _type(name, tables, new)) for name in tables[0].column_names])
    return pa.concat_tables([table.select(schema.names).cast(schema) for table in tables])


def _type(name: str, tables: Sequence[pa.Table], new: NewPlan) -> pa.DataType:
    seen = (t.schema.field(name).type for t in tables)
    known = next((kind for kind in seen if not pa.types.is_null(kind)), None)
    if known is not None:
        return known
    if name in ("u", "ambiguous"):
        return pa.bool_()
    canonical, walked = canonical_schema(new.columns), {w.slot for w in new.crosswalks}
    return (
        canonical.field(name).type
        if name in canonical.names and name not in walked
        else pa.string()
    )
