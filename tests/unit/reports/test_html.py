from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest

import result_examples as examples
from safeguard.findings.result import CheckResult
from safeguard.reports.html import render_html

ALL = [examples.blocked, examples.passed, examples.undecided, examples.empty, examples.hostile]
VOID = {"meta", "link", "br", "rect"}


class _Page(HTMLParser):
    """The page's tags, texts and ids; complains of a tag that is not closed where it was opened."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes |= {name for name, _ in attrs}
        self.ids.update(value or "" for name, value in attrs if name == "id")
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def _body(page: str) -> str:
    return page[page.index("<body") :]


@pytest.mark.parametrize("result", [make() for make in ALL])
def test_well_formed_with_unique_ids(result: CheckResult) -> None:
    page = _Page(render_html(result))
    assert all(n == 1 for n in page.ids.values())
    assert page.tags["h1"] == page.tags["main"] == page.tags["script"] == page.tags["style"] == 1


def test_hostile_text_adds_no_element_and_no_attribute() -> None:
    calm, hostile = _Page(render_html(examples.blocked())), _Page(render_html(examples.hostile()))
    assert {t: hostile.tags[t] for t in ("script", "img", "style", "svg", "a", "table")} == {
        t: calm.tags[t] for t in ("script", "img", "style", "svg", "a", "table")
    }
    assert hostile.attributes == calm.attributes
    assert "<script>alert(1)</script>" in hostile.text
    page = render_html(examples.hostile())
    assert re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800]", _body(page)) is None
    page.encode("utf-8")


def test_nothing_is_loaded_and_only_our_own_script_may_run() -> None:
    page = render_html(examples.blocked())
    assert re.findall(r"""(?:src|href)=["'](?!data:,)""", page) == []
    assert "@import" not in page
    assert "url(" not in page
    for tag in ("style", "script"):
        text = re.search(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert text is not None
        digest = base64.b64encode(hashlib.sha256(text[1].encode()).digest()).decode()
        assert f"&#39;sha256-{digest}&#39;" in page
    assert "unsafe" not in page
    assert " style=" not in page


def test_the_first_screen_speaks_of_people_before_tables() -> None:
    text = _Page(render_html(examples.blocked())).text
    order = [
        "Do not roll out. 3,214 of 120,000 customers",
        "customers who lose something",
        "of them paying",
        "What customers made",
        "Why",
        "What to do next",
        "What customer 1184 would see",
        "What was found",
        "Which customers",
        "What was not checked",
        "How this was checked",
        "sha256:",
    ]
    places = [text.index(words) for words in order]
    assert places == sorted(places)


def test_old_and_new_stand_side_by_side() -> None:
    page = render_html(examples.blocked())
    assert '<td class="old_value ">3</td><td class="new_value ">down</td>' in page
    assert '<td class="old_value none">empty text</td>' in page
    assert '<td class="new_value none">no value</td>' in page
    assert "<s>Amélie</s> <em>gone</em>" in page


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("was `3` and became `<b>`", "was <code>3</code> and became <code>&lt;b&gt;</code>"),
        ("a tick ` of somebody's own", "a tick ` of somebody&#39;s own"),
    ],
)
def test_names_and_values_between_backticks_are_code(text: str, shown: str) -> None:
    result = examples.blocked()
    content = replace(result.contents[0], notes=(text,))
    assert shown in render_html(replace(result, contents=(content,)))


def test_what_was_not_checked_is_all_there() -> None:
    text = _Page(render_html(examples.blocked())).text
    for words in (
        "12 values can't be read back.",
        "old.playlists (31,400 entries of 9,120 customers)",
        "old.reviews.helpful_votes",
        "old.web_sessions: expires by itself in 30 minutes",
        "7 extra entries in queue: the policy only warns of them.",
        "old.queue_items leaves out 12 rows",
    ):
        assert words in text


def test_sums_and_both_counts_are_spelled_out() -> None:
    text = _Page(render_html(examples.blocked())).text
    assert (
        "queue 6,245,118 = 6,195,344 kept + 2,774 lost + 6,000 moved + 41,000 deleted by customers"
        in text
    )
    assert "6,201,344 matching an old entry + 40 duplicated + 7 extra, counted twice; agree" in text
    assert "count(*) says 6,245,118" in text


def test_an_undecided_run_shows_no_numbers_where_nothing_was_read() -> None:
    text = _Page(render_html(examples.empty())).text
    assert "who lose something" not in text
    assert "Nothing was checked." in text


def test_huge_results_stay_readable_and_say_what_was_cut() -> None:
    page = render_html(examples.huge(3_000))
    assert len(page) < 2_000_000
    text = _Page(page).text
    assert "2,800 more contents not shown here" in text
    assert "2,900 more tables not shown here" in text


def test_the_room_is_light_to_enter() -> None:
    seen = "import sys, safeguard.reports; print({'jinja2', 'rich'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_the_list_that_lost_the_most_comes_first_and_the_others_are_folded() -> None:
    queue = examples.queue()
    calm = replace(queue.lists[0], owner="2", old=(), new=())
    result = replace(examples.blocked(), contents=(replace(queue, lists=(calm, *queue.lists)),))
    text = _Page(render_html(result)).text
    assert text.index("What customer 1184 would see") < text.index("1 more customer")
    assert text.index("1 more customer") < text.index("Customer 2: Movies")


def test_what_to_do_next_begins_with_what_another_customer_sees() -> None:
    text = _Page(render_html(examples.blocked())).text
    block = text[text.index("What to do next") : text.index("What customer 1184")]
    said = [line for line in block.splitlines() if line.startswith("What is ")]
    assert said[0].startswith("What is with another customer")
    assert any(line.startswith("What is not covered") for line in said)
    assert "What to do next" not in _Page(render_html(examples.passed())).text


def test_a_content_that_blocks_and_is_undecided_says_both() -> None:
    queue = examples.queue()
    doubt = "12345 entries were read, but 12346 counted"
    both = replace(
        queue,
        reasons=(*queue.reasons, doubt),
        findings={**queue.findings, "not_compared": 1},
    )
    text = _Page(render_html(replace(examples.blocked(), contents=(both,)))).text
    assert text.count("12,345 entries were read, but 12,346 counted") == 2
