from __future__ import annotations

import pytest

from report_goldens import FOLDER, goldens


@pytest.mark.parametrize("name", goldens())
def test_looks_as_written_down(name: str) -> None:
    assert goldens()[name]() == (FOLDER / name).read_text(encoding="utf-8")


def test_nothing_is_written_down_in_vain() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(goldens())
