"""The tables of the demo's systems, and how each engine declares their columns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table: columns are (name, one of the words of `TYPES`)."""

    name: str
    columns: tuple[tuple[str, str], ...]
    primary_key: tuple[str, ...] = ()
    customers: str = ""
    """The table its customer_id refers to; "" for none."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.columns)

    def ddl(self, dialect: str) -> str:
        """The CREATE TABLE statement for this engine."""
        parts = [f"{name} {TYPES[dialect][kind]}" for name, kind in self.columns]
        if self.primary_key:
            parts.append(f"PRIMARY KEY ({', '.join(self.primary_key)})")
        if self.customers:
            parts.append(f"FOREIGN KEY (customer_id) REFERENCES {self.customers} (customer_id)")
        return f"CREATE TABLE {self.name} ({', '.join(parts)}){_SUFFIX[dialect]}"


TYPES = {
    "sqlite": {
        "id": "INTEGER",
        "integer": "INTEGER",
        "key": "VARCHAR(100)",
        "text": "TEXT",
        "local": "TIMESTAMP",
        "instant": "TIMESTAMP",
        "uuid": "CHAR(36)",
        "json": "JSON",
    },
    "postgresql": {
        "id": "bigint",
        "integer": "integer",
        "key": "varchar(100)",
        "text": "text",
        "local": "timestamp",
        "instant": "timestamptz",
        "uuid": "uuid",
        "json": "jsonb",
    },
    "mariadb": {
        "id": "BIGINT",
        "integer": "INT",
        "key": "VARCHAR(100)",
        "text": "TEXT",
        "local": "DATETIME",
        "instant": "DATETIME",
        "uuid": "CHAR(36)",
        "json": "JSON",
    },
}
_SUFFIX = {"sqlite": "", "postgresql": "", "mariadb": " CHARACTER SET utf8mb4"}


def _table(name: str, columns: str, key: str = "", customers: str = "") -> Table:
    pairs = (column.split(":") for column in columns.split())
    return Table(name, tuple((n, kind) for n, kind in pairs), tuple(key.split()), customers)


OLD = (
    _table(
        "customers", "customer_id:id name:text email:text plan:key created_at:local", "customer_id"
    ),
    _table(
        "queue_items",
        "customer_id:id list_name:key title:key position:integer medium:key added_at:local note:text"
        " deleted_at:local",
        "customer_id list_name title",
        "customers",
    ),
    _table(
        "ratings",
        "customer_id:id title:key stars:integer rated_at:local",
        "customer_id title",
        "customers",
    ),
    _table("notify_me", "customer_id:id title:key", "customer_id title", "customers"),
    _table(
        "reviews",
        "customer_id:id title:key body:text helpful_count:integer created_at:local",
        "customer_id title",
        "customers",
    ),
    _table("playlists", "playlist_id:id customer_id:id doc:json", "playlist_id", "customers"),
    _table(
        "web_sessions", "session_id:uuid customer_id:id seen_at:local", "session_id", "customers"
    ),
)
SAVED_SEARCHES = _table(
    "saved_searches", "customer_id:id query:key", "customer_id query", "customers"
)
"""What the hurried migration forgot; only there when faults are planted."""

STREAMING = (
    _table("accounts", "account_id:id display_name:text tier:key joined_at:instant", "account_id"),
    _table(
        "watchlist",
        "account_id:id shelf:key video:key rank_no:integer added_at:instant memo:text",
    ),
    _table("thumbs", "account_id:id video:key thumb:key thumbed_at:instant"),
    _table("alerts", "account_id:id video:key"),
    _table("collections", "collection_id:id account_id:id content:json"),
)
DVD = (
    _table("members", "member_id:uuid full_name:text since:instant", "member_id"),
    _table("member_map", "legacy_id:id member_id:uuid", "legacy_id"),
    _table(
        "rental_queue",
        "member_id:uuid list_name:key disc:key rank_no:integer queued_at:instant memo:text",
    ),
    _table("release_notices", "member_id:uuid disc:key"),
    _table("opinions", "member_id:uuid disc:key words:text helpful_votes:id written_at:instant"),
)
NEW = {"streaming": STREAMING, "dvd": DVD}
KNOWN = {"old": (*OLD, SAVED_SEARCHES), **NEW}
"""Every table that a demo may have made, by system; names are distinct over all of them."""
