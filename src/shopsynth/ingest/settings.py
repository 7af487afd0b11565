"""The recipe's ``[shop.*]`` blocks: where each standard table comes from.

In: parsed TOML. Out: one :class:`TableSource` a table.
"""

from typing import Self

from pydantic import Field, model_validator

from shopsynth.schema import TABLES, Settings


class JoinedTable(Settings):
    """A second file or table whose columns are added to a source's rows by a shared key."""

    path: str
    """As the path of a source."""

    table: str | None = None
    """As the table of a source."""

    on: str
    """Key column that both have under this name; every value may occur once in the added table."""


class TableSource(Settings):
    """Where one standard table is read from, and which source column feeds which of its own."""

    path: str
    """A file, a folder or a glob, relative to the recipe; a database URL (``postgresql://…``,
    ``sqlite:///shop.db``, ``duckdb:///shop.duckdb``); or ``embedded:online-retail``. Leave a
    password out of the URL: PostgreSQL reads it from the environment variable ``PGPASSWORD``."""

    table: str | None = None
    """Table or view of a database, with its schema where it has one: ``sales.orders``."""

    columns: dict[str, str] = Field(default_factory=dict)
    """Standard column name to source column name. Empty: the names are standard already, and
    every other column travels along as an attribute."""

    attributes: tuple[str, ...] = ()
    """Source columns that travel along under their own name. Text formats give text."""

    defaults: dict[str, str | int | float] = Field(default_factory=dict)
    """A constant for a standard column the source lacks: ``{ event_type = "purchase" }``."""

    joins: tuple[JoinedTable, ...] = ()
    """Tables whose columns are added, in order: orders to order lines, customers to orders."""

    format: str = "auto"
    """``auto`` (by content, then by name), ``csv``, ``jsonl``, ``parquet``, ``atomic`` (RecBole),
    ``database``, ``embedded`` or a plug-in's name."""

    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    """The character between cells; found by itself when not given."""

    header: bool | None = None
    """Whether the first row holds column names; found by itself when not given. Without a header
    the columns are ``column_1``, ``column_2``, …"""

    encoding: str | None = None
    """Text encoding, for example ``gb18030``; found by itself when not given."""

    date_format: str | None = None
    """``strftime`` format of the date columns, for example ``%d/%m/%Y %H:%M``; found by itself
    when not given, and asked for when days and months cannot be told apart."""

    timezone: str = "UTC"
    """IANA zone of times that carry none, for example ``Europe/London``."""

    @model_validator(mode="after")
    def _no_column_twice(self) -> Self:
        twice = sorted(set(self.columns) & set(self.defaults))
        if twice:
            raise ValueError(f"{', '.join(twice)}: in both columns and defaults; choose one")
        return self


class ShopSettings(Settings):
    """The source of every table the shop has; at least ``items``, ``events`` or ``reviews``."""

    items: TableSource | None = None
    """The catalogue. Without it, the items are those of the events or, without these, of the
    reviews."""

    users: TableSource | None = None
    """Attributes of the customers."""

    events: TableSource | None = None
    """Who did what with which item, and when."""

    queries: TableSource | None = None
    """Search queries."""

    judgments: TableSource | None = None
    """Graded relevance of items to queries."""

    reviews: TableSource | None = None
    """Texts that customers wrote about items."""

    relations: TableSource | None = None
    """Links between items: also bought, substitute, …"""

    images: TableSource | None = None
    """Pictures of items."""

    @model_validator(mode="after")
    def _names_items(self) -> Self:
        if self.items is None and self.events is None and self.reviews is None:
            raise ValueError(
                "a shop needs [shop.items], [shop.events] or [shop.reviews]; none is there"
            )
        return self

    def sources(self) -> dict[str, TableSource]:
        """Return the sources that are present, by table, in the order of the standard tables."""
        found = {name: getattr(self, name) for name in TABLES}
        return {name: source for name, source in found.items() if source is not None}
