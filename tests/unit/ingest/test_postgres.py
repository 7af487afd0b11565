"""A real PostgreSQL server on loopback: streaming, quoting, types, order."""

import datetime as dt
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import psycopg
import pytest

from shopsynth.ingest import TableSource, infer_shop, list_parts, part_fingerprint, read_part

pytestmark = [pytest.mark.needs_postgres]


def binary(name):
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    path = shutil.which(name) or (str(found[-1]) if found else None)
    if path is None:
        pytest.skip("no PostgreSQL server is installed; these tests need initdb and pg_ctl")
    return path


@pytest.fixture(scope="module")
def server():
    """Start a throwaway cluster; PostgreSQL refuses root, so root starts it as nobody."""
    initdb, control = binary("initdb"), binary("pg_ctl")
    folder = Path(tempfile.mkdtemp())
    account: dict[str, Any] = {}
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
        account = {"user": "nobody"}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def call(*command):
        subprocess.run(command, check=True, capture_output=True, cwd="/", **account)

    call(initdb, "-D", folder / "data", "-U", "shop", "--auth=trust", "-E", "UTF8", "--no-sync")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} -c fsync=off"
    call(control, "-D", folder / "data", "-l", folder / "log", "-w", "-o", options, "start")
    try:
        yield f"postgresql://shop@127.0.0.1:{port}/postgres"
    finally:
        call(control, "-D", folder / "data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder)


@pytest.fixture
def orders(server):
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute('DROP TABLE IF EXISTS "Order ""Lines"""')
        connection.execute(
            'CREATE TABLE "Order ""Lines""" (customer int, product numeric, bought timestamptz, '
            "price numeric(8, 2), gift boolean, extra jsonb, day date, seen timestamp, "
            "weight float)"
        )
        connection.execute(
            'INSERT INTO "Order ""Lines""" SELECT n %% 7, n, '
            "'2020-01-01 00:00:00+02'::timestamptz + n * interval '1 second', n / 4.0, n %% 2 = 0, "
            "jsonb_build_object('n', n), '2020-01-01', '2020-01-01', 0.5 "
            "FROM generate_series(%s, 1, -1) AS n",
            (60_000,),
        )
        connection.execute("CREATE SCHEMA IF NOT EXISTS sales")
        connection.execute('CREATE OR REPLACE VIEW sales.lines AS SELECT * FROM "Order ""Lines"""')
        yield connection
        connection.execute("DROP VIEW sales.lines")


COLUMNS = {"user_id": "customer", "item_id": "product", "timestamp": "bought", "price": "price"}


@pytest.mark.parametrize("table", ['Order "Lines"', "sales.lines"])
def test_tables_and_views_are_read_whole_and_typed(server, orders, tmp_path, table):
    extra = ("gift", "extra", "day", "seen", "weight")
    source = TableSource(path=server, table=table, columns=COLUMNS, attributes=extra)
    [part] = list_parts(source, tmp_path)
    assert "shop@" not in part.path
    cleaned = read_part("events", source, part, tmp_path)
    assert cleaned.rejects.height == 0
    kept = cleaned.kept.sort("timestamp")
    assert kept.height == 60_000
    assert kept.row(0)[:4] == ("1", "1", dt.datetime(2019, 12, 31, 22, 0, 1, tzinfo=dt.UTC), 0.25)
    assert kept.row(0)[4:] == (
        False, "{'n': 1}", dt.date(2020, 1, 1), dt.datetime(2020, 1, 1), 0.5  # noqa: DTZ001
    )  # fmt: skip


def test_the_same_rows_in_another_order_give_the_same_hash_and_table(server, orders, tmp_path):
    source = TableSource(path=server, table='Order "Lines"', columns=COLUMNS)
    [part] = list_parts(source, tmp_path)
    before = part_fingerprint(part, source, tmp_path), read_part("events", source, part, tmp_path)
    orders.execute('UPDATE "Order ""Lines""" SET price = price WHERE customer = 3')
    after = part_fingerprint(part, source, tmp_path), read_part("events", source, part, tmp_path)
    assert before[0] == after[0]
    assert before[1].kept.equals(after[1].kept)
    orders.execute('UPDATE "Order ""Lines""" SET price = price + 1 WHERE product = 3')
    assert part_fingerprint(part, source, tmp_path) != before[0]


def test_init_reads_the_catalogue_of_a_server(server, orders, tmp_path):
    orders.execute(
        "CREATE TABLE orders (order_id int, customer_id int, item_id int, ordered_at date)"
    )
    orders.execute(
        "INSERT INTO orders SELECT n, n % 5, n % 9, '2020-01-01' FROM generate_series(1, 50) n"
    )
    found = infer_shop([server], tmp_path)
    orders.execute("DROP TABLE orders")
    assert found.shop.events is not None
    assert found.shop.events.table == "orders"
    assert found.shop.events.columns["timestamp"] == "ordered_at"
