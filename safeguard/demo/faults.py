"""What a hurried migration does to customers' content: each fault by name, planted and counted.

A fault strikes customers that no other fault strikes, so that the counts can be told exactly.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from safeguard.demo.customers import Customer, Rating
from safeguard.demo.moments import EXPORTED, utc
from safeguard.demo.sides import Rows, due, queue_rows

Expected = Counter[tuple[str, str]]
"""Old or new entries by (content, finding kind)."""


@dataclass(frozen=True)
class Fault:
    """`plant` changes the rows of one customer's new services and counts the findings it makes."""

    name: str
    story: str
    plant: Callable[[Customer, Rows, Customer], Expected]


def plant(batch: list[Customer], rows: list[Rows], stride: int) -> Iterator[tuple[Fault, Expected]]:
    """Plant every fault in one batch; one customer in `stride` is struck by each of them."""
    for index, made in enumerate(batch):
        number = made.customer_id % stride
        neighbour = index + NEIGHBOUR
        if number < len(FAULTS) and neighbour < len(batch):
            fault = FAULTS[number]
            yield fault, fault.plant(made, rows[index], batch[neighbour])


def stride(customers: int) -> int:
    """A small demo shows many struck customers, a large one a realistic few."""
    return 50 if customers <= 5_000 else 400


NEIGHBOUR = 20
"""How far away the customer is who may get another one's content; struck by no fault."""


def _late_entries(made: Customer, rows: Rows, _: Customer) -> Expected:
    late = {
        (i.list_name, i.title) for i in made.queue if i.deleted_at is None and i.added_at > EXPORTED
    }
    for table in ("watchlist", "rental_queue"):
        rows[table] = [row for row in rows[table] if (row[1], row[2]) not in late]
    return Counter({("queue", "lost"): len(late)})


def _reversed_list(made: Customer, rows: Rows, _: Customer) -> Expected:
    items = [i for i in due(made.queue, "stream") if i.list_name == "main"]
    others = [row for row in rows["watchlist"] if row[1] != "main"]
    rows["watchlist"] = others + queue_rows(made.customer_id, reversed(items))
    return Counter({("queue", "moved"): max(len(items) - 1, 0)})


def _dvd_sent_to_streaming(made: Customer, rows: Rows, _: Customer) -> Expected:
    strays = [i for i in made.queue if i.deleted_at is None and i.medium == "dvd"]
    titles = {(i.list_name, i.title) for i in strays}
    rows["rental_queue"] = [row for row in rows["rental_queue"] if (row[1], row[2]) not in titles]
    arrived = [i for i in made.queue if i.deleted_at is None]
    rows["watchlist"] = queue_rows(made.customer_id, arrived)
    return Counter({("queue", "misrouted"): len(strays)})


def _deleted_came_back(made: Customer, rows: Rows, _: Customer) -> Expected:
    back = [i for i in made.queue if i.deleted_at is not None and i.medium != "dvd"]
    alive = [i for i in made.queue if i.medium != "dvd"]
    rows["watchlist"] = queue_rows(made.customer_id, alive)
    return Counter({("queue", "resurrected"): len(back)})


def _three_stars_down(made: Customer, rows: Rows, _: Customer) -> Expected:
    def hurried(rating: Rating) -> str:
        return "up" if rating.stars > 3 else "down"

    rows["thumbs"] = [
        (made.customer_id, r.title, hurried(r), utc(r.rated_at)) for r in made.ratings
    ]
    return Counter({("ratings", "changed"): sum(r.stars == 3 for r in made.ratings)})


def _doubled_ratings(made: Customer, rows: Rows, _: Customer) -> Expected:
    rows["thumbs"] = rows["thumbs"] * 2
    return Counter({("ratings", "duplicated"): len(made.ratings)})


def _given_to_another(made: Customer, rows: Rows, other: Customer) -> Expected:
    if len(made.notify_me) < 2 or set(made.notify_me) & set(other.notify_me):
        return Counter()
    rows["alerts"] = [(other.customer_id, title) for title in made.notify_me]
    return Counter({("notify-me", "misattributed"): len(made.notify_me)})


def _truncated_reviews(made: Customer, rows: Rows, _: Customer) -> Expected:
    long = {r.title for r in made.reviews if len(r.body) > 255 and "\r" not in r.body}
    rows["opinions"] = [
        (row[0], row[1], str(row[2])[:255], *row[3:]) if row[1] in long else row
        for row in rows["opinions"]
    ]
    return Counter({("reviews", "changed"): len(long)})


def _garbled_reviews(made: Customer, rows: Rows, _: Customer) -> Expected:
    foreign = {r.title for r in made.reviews if not r.body.isascii() and "\r" not in r.body}
    rows["opinions"] = [
        (row[0], row[1], str(row[2]).encode().decode("latin-1"), *row[3:])
        if row[1] in foreign
        else row
        for row in rows["opinions"]
    ]
    return Counter({("reviews", "changed"): len(foreign)})


def _playlists_lost_a_key(made: Customer, rows: Rows, _: Customer) -> Expected:
    for index, (playlist_id, owner, content) in enumerate(rows["collections"]):
        document = json.loads(str(content))
        del document["shared"]
        rows["collections"][index] = (playlist_id, owner, json.dumps(document, ensure_ascii=False))
    return Counter({("playlists", "changed"): len(made.playlists)})


def _member_missing(made: Customer, rows: Rows, _: Customer) -> Expected:
    rows["members"] = []
    return Counter(
        {
            ("queue", "orphaned"): len(rows["rental_queue"]),
            ("notify-me", "orphaned"): len(made.notify_me),
            ("reviews", "orphaned"): len(made.reviews),
        }
    )


def _searches_forgotten(made: Customer, rows: Rows, _: Customer) -> Expected:
    """The searches stay in the old system alone; `saved_search` writes them there."""
    rows["saved_searches"] = [(made.customer_id, f"films with {made.name}")]
    return Counter({("", "uncovered"): 1})


FAULTS = (
    Fault("late_entries", "queue entries added after the export were left behind", _late_entries),
    Fault("reversed_list", "entries of main lists arrived backwards", _reversed_list),
    Fault("dvd_sent_to_streaming", "DVD entries went to streaming", _dvd_sent_to_streaming),
    Fault("deleted_came_back", "deleted queue entries came back", _deleted_came_back),
    Fault("three_stars_down", "ratings of 3 stars became thumbs down, not none", _three_stars_down),
    Fault("doubled_ratings", "ratings of one batch were loaded twice", _doubled_ratings),
    Fault("given_to_another", "notify-me entries went to another customer", _given_to_another),
    Fault("truncated_reviews", "reviews were cut after 255 characters", _truncated_reviews),
    Fault("garbled_reviews", "reviews in UTF-8 were read as Latin-1", _garbled_reviews),
    Fault("playlists_lost_a_key", "playlists lost their key `shared`", _playlists_lost_a_key),
    Fault("member_missing", "DVD entries of members who were never created", _member_missing),
    Fault("searches_forgotten", "saved searches that nobody thought of", _searches_forgotten),
)
