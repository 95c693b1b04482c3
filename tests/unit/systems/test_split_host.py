"""A password with an @ that is not %-encoded: said plainly, and no part of it shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from safeguard.contract.model import SystemSpec
from safeguard.findings.trouble import SystemProblem
from safeguard.systems.open import open_system


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_host_that_begins_amid_the_password_is_not_shown(scheme: str) -> None:
    spec = SystemSpec(url=f"{scheme}://ada:hunter@two@db.invalid/old")
    with pytest.raises(SystemProblem) as told:
        open_system("old", spec, Path())
    words = str(told.value)
    assert words.endswith("is the password %-encoded?")
    assert "hunter" not in words
    assert "two" not in words
