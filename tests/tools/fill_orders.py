#!/usr/bin/env python3
"""fill_orders.py DATABASE COUNT: puts COUNT delivered orders beside those that a mediator's SQLite
database holds, for a bench. Each is like its first delivered one but for its name, its number and
its long texts; all were made a day before it. The mediator must be down."""
import sqlite3
import sys

DELIVERED = 7

def columns(db, table):
    return [row[1] for row in db.execute(f"PRAGMA table_info({table})")]

def copy(db, table, key, order, count, values):
    """Rows like the one of the order, `values` (SQL over i) in their columns' places."""
    names = columns(db, table)
    said = ", ".join(values.get(name, name) for name in names)
    db.execute(f"WITH RECURSIVE c(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM c WHERE i < ?) "
               f"INSERT INTO {table} ({', '.join(names)}) SELECT {said} FROM c, {table} "
               f"WHERE {key} = ?", (count, order))

def main():
    db, count = sqlite3.connect(sys.argv[1]), int(sys.argv[2])
    order, = db.execute("SELECT id FROM mediated_order WHERE state = ? ORDER BY id LIMIT 1",
                        (DELIVERED,)).fetchone()
    name = "printf('filler%020d', i)"
    copy(db, "mediated_order", "id", order, count,
         {"id": name, "made": "made - 86400", "since": "since - 86400",
          "valid_until": "valid_until - 86400", "session": "NULL"})
    copy(db, "attempt", "order_id", order, count,
         {"order_id": name, "challenge_id": name, "challenge": "'x'", "credential": "randomblob(32)",
          "pays": "'x'", "acknowledgement": "'x'", "answer": "'x'",
          "day": "day - 10 - i / 999999", "stan": "i % 999999 + 1"})
    db.commit()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

main()
