"""datacompy on Polars; the rows come by connectorx, the fastest way into Polars that it has."""

from __future__ import annotations

import polars
from datacompy import PolarsCompare
from sides import Side, answer, at_once, both


def load(side: Side) -> polars.DataFrame:
    """All rows."""
    if side.engine == "parquet":
        return polars.read_parquet(side.path)
    return polars.read_database_uri(side.rows, side.url, engine="connectorx")


def main() -> None:
    """Count what the comparison finds."""
    sides = both()
    old, new = at_once(load, *sides)
    compared = PolarsCompare(old, new.cast(dict(old.schema)), join_columns=sides[0].columns[:2])
    answer(
        old=old.height,
        new=new.height,
        lost=compared.df1_unq_rows.height,
        extra=compared.df2_unq_rows.height,
        changed=compared.intersect_rows.height - compared.count_matching_rows(),
    )


if __name__ == "__main__":
    main()
