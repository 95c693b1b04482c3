"""`safeguard waive`: what it drafts names just what was found, and holds once a person filled it in."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from safeguard.checking import run_check
from safeguard.cli.waive import waive
from safeguard.drafting.waivers import DAYS, appended
from safeguard.findings.progress import SilentProgress
from safeguard.findings.trouble import UsageProblem
from safeguard.findings.words import Kind, Verdict
from safeguard.runs import load_result

FIXTURES = Path(__file__).parents[3] / "fixtures"
PLAIN = sorted(
    folder.name
    for folder in FIXTURES.iterdir()
    if folder.is_dir()
    and "waiver" not in folder.name
    and "refused" not in YAML(typ="safe").load((folder / "expected.yaml").read_text())
)


def read(text):
    return YAML(typ="safe").load(text)


class Story:
    """A scenario in a folder of its own, checked as files."""

    def __init__(self, name, folder):
        self.folder = folder / name
        shutil.copytree(FIXTURES / name, self.folder)
        self.plan = self.folder / "safeguard.yaml"

    def check(self):
        systems = read(self.plan.read_text())["systems"]
        environ = {f"{s.upper()}_URL": f"files:{self.folder / s}" for s in systems}
        out = self.folder / "run"
        return run_check(self.plan, out=out, progress=SilentProgress(), environ=environ)[0]

    def waive(self, *more):
        done = CliRunner().invoke(waive, [str(self.folder / "run"), *more], standalone_mode=False)
        if done.exception:
            raise done.exception
        return done.output

    def sign(self, text):
        """Put it in place, with what only a person can say."""
        text = text.replace('"TODO: why customers can live with this"', "a test")
        text = text.replace('"TODO: who signs for it"', "Ada Byron")
        (self.folder / "waivers.yaml").write_text(text)
        if "waivers:" not in self.plan.read_text():
            self.plan.write_text(f"{self.plan.read_text()}waivers: waivers.yaml\n")


QUICK = {"changed-and-moved", "document-paths", "merge-of-customers", "uncovered-playlists"}
STORIES = [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in PLAIN]


@pytest.mark.parametrize("name", STORIES)
def test_signed_it_takes_away_what_was_found_and_nothing_else(name, tmp_path):
    story = Story(name, tmp_path)
    before = story.check()
    kinds = {k for c in before.contents for k, n in c.findings.items() if n} - {"not_compared"}
    text = story.waive()
    if not kinds and not before.coverage.uncovered:
        assert text.startswith("#")
        return
    story.sign(text)
    after = story.check()
    wrong = [u.text for u in after.waivers if u.state != "used" or u.entries != u.at_most]
    assert wrong == [], text
    assert not [k for c in after.contents for k in c.unwaived if k != Kind.NOT_COMPARED]
    assert after.coverage.unwaived == ()
    assert after.customers.affected == 0
    assert after.verdict is not Verdict.BLOCK
    doubtful = any(c.reasons or c.unwaived for c in after.contents)
    assert after.verdict is (Verdict.UNDECIDED if doubtful else Verdict.PASS)
    assert story.waive().startswith("#"), "what is waived needs no other waiver"


def test_as_it_comes_the_plan_is_refused(tmp_path):
    story = Story("lost-from-the-middle", tmp_path)
    story.check()
    story.waive("--append", str(story.folder / "waivers.yaml"))
    story.plan.write_text(f"{story.plan.read_text()}waivers: waivers.yaml\n")
    with pytest.raises(UsageProblem, match=r"`reason` still has to be filled in") as caught:
        story.check()
    assert [m.line for m in caught.value.mistakes] == [7, 8]


@pytest.mark.parametrize(
    "before",
    [
        "",
        "waivers:\n",
        "# why\nwaivers:\n- {id: W-3, content: x}\n- id: mine\n  content: y\n",
        "waivers:\n      - id: W-3\n        content: x",
    ],
)
def test_it_is_added_below_what_is_there(before, tmp_path):
    story = Story("changed-and-moved", tmp_path)
    story.check()
    file = story.folder / "w.yaml"
    if before:
        file.write_text(before)
    there = (read(before) or {}).get("waivers") or []
    assert "2 waivers added" in story.waive("--append", str(file))
    after = read(file.read_text())["waivers"]
    assert after[: len(there)] == there
    assert [w["kind"] for w in after[len(there) :]] == ["changed", "moved"]
    first = 4 if there else 1
    assert [w["id"] for w in after[len(there) :]] == [f"W-{first}", f"W-{first + 1}"]
    ends = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=DAYS)
    assert abs((after[-1]["expires"] - ends).days) <= 1, "a test may run over midnight"
    assert file.read_text().startswith(before.rstrip())


@pytest.mark.parametrize(
    "before",
    ["waivers: []\n", "other: 1\n", "waivers: {a: b}\n", "- a\n", "waivers:\n- a: [\n", "\xff"],
)
def test_a_file_that_it_can_not_add_to_is_left_alone(before, tmp_path):
    story = Story("changed-and-moved", tmp_path)
    story.check()
    file = story.folder / "w.yaml"
    file.write_bytes(before.encode("latin-1"))
    with pytest.raises(UsageProblem):
        story.waive("--append", str(file))
    assert file.read_bytes() == before.encode("latin-1")
    assert sorted(p.name for p in story.folder.glob("*w.yaml*")) == ["w.yaml"]


def test_no_day_is_asked_of_a_clock(tmp_path):
    story = Story("changed-and-moved", tmp_path)
    story.check()
    result = load_result(story.folder / "run")
    assert appended(tmp_path / "none", (), result, dt.date(2026, 1, 1)) == "waivers:\n"
