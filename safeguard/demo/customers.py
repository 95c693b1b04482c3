"""Customers and what they made, from a seed: skewed like the real thing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from safeguard.demo import words
from safeguard.demo.moments import FIRST, LAST

BATCH = 1_000
"""Customers that are held in memory at once; each batch has its own random numbers."""


class QueueItem(NamedTuple):
    list_name: str
    title: str
    position: int
    medium: str
    added_at: int
    note: str
    deleted_at: int | None


class Rating(NamedTuple):
    title: str
    stars: int
    rated_at: int


class Review(NamedTuple):
    title: str
    body: str
    helpful_count: int
    created_at: int


class Playlist(NamedTuple):
    playlist_id: int
    name: str
    items: tuple[tuple[str, int], ...]
    """Titles, and when each was added."""
    shared: bool


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer of the old system with everything he or she made."""

    customer_id: int
    name: str
    plan: str
    created_at: int
    queue: tuple[QueueItem, ...]
    ratings: tuple[Rating, ...]
    notify_me: tuple[str, ...]
    reviews: tuple[Review, ...]
    playlists: tuple[Playlist, ...]


def batches(customers: int, seed: int) -> Iterator[list[Customer]]:
    """All customers, batch by batch; the same seed and number make the same customers."""
    for start in range(1, customers + 1, BATCH):
        random = Random(f"{seed}/{start}")
        stop = min(start + BATCH, customers + 1)
        yield [_customer(random, customer_id) for customer_id in range(start, stop)]


def _customer(random: Random, customer_id: int) -> Customer:
    created_at = _lately(random, FIRST)
    return Customer(
        customer_id=customer_id,
        name=f"{random.choice(words.GIVEN)} {random.choice(words.FAMILY)}",
        plan=random.choices(("free", "standard", "premium"), (60, 30, 10))[0],
        created_at=created_at,
        queue=_queue(random, created_at),
        ratings=_ratings(random, created_at),
        notify_me=tuple(_some(random, words.UPCOMING, _skewed(random, 0.8, 0.9, 40))),
        reviews=_reviews(random, created_at),
        playlists=_playlists(random, customer_id, created_at),
    )


def _queue(random: Random, since: int) -> tuple[QueueItem, ...]:
    names = ["main"]
    if random.random() < 0.15:
        names.append(random.choice(words.LIST_NAMES))
    items: list[QueueItem] = []
    for name in names:
        titles = _some(random, words.TITLES, _skewed(random, 2.3, 1.0, 400))
        items += [_queue_item(random, name, i, title, since) for i, title in enumerate(titles)]
    return tuple(items)


def _queue_item(random: Random, name: str, index: int, title: str, since: int) -> QueueItem:
    added_at = _lately(random, since)
    deleted = random.random() < 0.08
    return QueueItem(
        list_name=name,
        title=title,
        position=10 * (index + 1),
        medium=random.choices(("stream", "dvd", "both"), (45, 35, 20))[0],
        added_at=added_at,
        note=random.choice(words.NOTES) if random.random() < 0.1 else "",
        deleted_at=_lately(random, added_at) if deleted else None,
    )


def _ratings(random: Random, since: int) -> tuple[Rating, ...]:
    titles = _some(random, words.TITLES, _skewed(random, 2.2, 1.0, 400))
    stars = random.choices((1, 2, 3, 4, 5), (6, 10, 24, 36, 24), k=len(titles))
    return tuple(
        Rating(title, given, _lately(random, since))
        for title, given in zip(titles, stars, strict=True)
    )


def _reviews(random: Random, since: int) -> tuple[Review, ...]:
    titles = _some(random, words.TITLES, _skewed(random, 0.3, 0.8, 12))
    return tuple(
        Review(title, _body(random), _skewed(random, 0.5, 1.2, 9_000), _lately(random, since))
        for title in titles
    )


def _body(random: Random) -> str:
    sentences = random.choices(words.SENTENCES, k=1 + min(_skewed(random, 1.2, 0.8, 30), 30))
    return random.choices((" ", "\n", "\r\n"), (70, 20, 10))[0].join(sentences)


def _playlists(random: Random, customer_id: int, since: int) -> tuple[Playlist, ...]:
    return tuple(
        Playlist(
            playlist_id=customer_id * 8 + number,
            name=random.choice(words.PLAYLISTS),
            items=tuple(
                (title, _lately(random, since))
                for title in _some(random, words.TITLES, 2 + _skewed(random, 1.5, 0.7, 60))
            ),
            shared=random.random() < 0.3,
        )
        for number in range(random.choices((0, 1, 2, 3), (55, 30, 10, 5))[0])
    )


def _skewed(random: Random, mean: float, spread: float, most: int) -> int:
    """Many customers make little, a few make very much."""
    return min(int(random.lognormvariate(mean, spread)), most)


def _lately(random: Random, since: int) -> int:
    """An instant from `since` on; most are recent."""
    return LAST - int((LAST - since) * random.random() ** 3)


def _some(random: Random, titles: tuple[str, ...], number: int) -> list[str]:
    """Distinct titles in random order; the first ones of the catalogue are the popular ones."""
    chosen: dict[str, None] = {}
    while len(chosen) < number:
        chosen[titles[int(len(titles) * random.random() ** 2)]] = None
    return list(chosen)
