"""One customer's content as rows: as the old system keeps it, and as a right migration moves it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable

from safeguard.demo.customers import Customer, Playlist, QueueItem, Review
from safeguard.demo.moments import local, utc

Row = tuple[object, ...]
Rows = dict[str, list[Row]]
"""Rows by table."""

THUMBS = {5: "up", 4: "up", 3: "none", 2: "down", 1: "down"}
_MEMBERS = uuid.UUID("5a1e9a2d-0000-4000-8000-000000000d1d")


def member_id(customer_id: int) -> str:
    """The id that the DVD service gave to a customer; `member_map` is the list of these."""
    return str(uuid.uuid5(_MEMBERS, str(customer_id)))


def old_rows(made: Customer) -> Rows:
    """The rows of the old system."""
    owner = made.customer_id
    email = f"customer{owner}@example.org"
    return {
        "customers": [(owner, made.name, email, made.plan, local(made.created_at))],
        "queue_items": [_old_queue_item(owner, item) for item in made.queue],
        "ratings": [(owner, r.title, r.stars, local(r.rated_at)) for r in made.ratings],
        "notify_me": [(owner, title) for title in made.notify_me],
        "reviews": [
            (owner, r.title, r.body, r.helpful_count, local(r.created_at)) for r in made.reviews
        ],
        "playlists": [(p.playlist_id, owner, _document(p)) for p in made.playlists],
        "web_sessions": [(member_id(-owner), owner, local(made.created_at))],
    }


def _old_queue_item(owner: int, item: QueueItem) -> Row:
    gone = None if item.deleted_at is None else local(item.deleted_at)
    added = local(item.added_at)
    return (owner, item.list_name, item.title, item.position, item.medium, added, item.note, gone)


def streaming_rows(made: Customer) -> Rows:
    """The rows of the new streaming service, all as they should be."""
    owner = made.customer_id
    return {
        "accounts": [(owner, made.name, made.plan, utc(made.created_at))],
        "watchlist": queue_rows(owner, due(made.queue, "stream")),
        "thumbs": [(owner, r.title, THUMBS[r.stars], utc(r.rated_at)) for r in made.ratings],
        "alerts": [(owner, title) for title in made.notify_me],
        "collections": [(p.playlist_id, owner, _document(p)) for p in made.playlists],
    }


def dvd_rows(made: Customer) -> Rows:
    """The rows of the new DVD service, all as they should be."""
    member = member_id(made.customer_id)
    return {
        "members": [(member, made.name, utc(made.created_at))],
        "member_map": [(made.customer_id, member)],
        "rental_queue": queue_rows(member, due(made.queue, "dvd")),
        "release_notices": [(member, title) for title in made.notify_me],
        "opinions": [opinion_row(member, review) for review in made.reviews],
    }


def due(queue: Iterable[QueueItem], medium: str) -> list[QueueItem]:
    """What must arrive in the service of this medium, in the customer's order."""
    return [i for i in queue if i.deleted_at is None and i.medium in (medium, "both")]


def queue_rows(owner: int | str, items: Iterable[QueueItem]) -> list[Row]:
    """Queue entries as both new services write them: renumbered from 1, NULL for no note."""
    ranks: dict[str, int] = {}
    rows: list[Row] = []
    for item in items:
        rank = ranks[item.list_name] = ranks.get(item.list_name, 0) + 1
        note = item.note or None
        rows.append((owner, item.list_name, item.title, rank, utc(item.added_at), note))
    return rows


def opinion_row(member: str, review: Review) -> Row:
    """A review in the DVD service, which writes line ends as a newline alone."""
    body = review.body.replace("\r\n", "\n")
    return (member, review.title, body, review.helpful_count, utc(review.created_at))


def _document(playlist: Playlist) -> str:
    items = [{"title": title, "at": utc(at)} for title, at in playlist.items]
    document = {"name": playlist.name, "items": items, "shared": playlist.shared}
    return json.dumps(document, ensure_ascii=False)
