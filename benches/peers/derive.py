"""Files made from a folder of orders, whoever wrote it: the questions, new versions of orders, hashed callers.

    derive.py workload DATA ORDERS SEED
    derive.py questions DATA OUT SEED     all.json; recent.json, whose short spans lie in the last year; analyses.json
    derive.py changes DATA OUT SEED       sealed.parquet and batches.parquet
    derive.py hashed DATA OUT             the same orders with callers of 64 bits
"""
import json
import pathlib
import shutil
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import workload
from questions import ANALYSES, Constants

EVERYWHERE, RECENTLY = 0.01, 0.20  # Shares of the orders that get a new version: of all, and of the last year's.
IN_BATCHES = 10_000
MOVED, RENAMED = 0.10, 0.05  # Of these: at another building, under another topic.


def orders(data):
    return sorted(data.glob("orders-*.parquet"))


def questions(data, out, seed):
    for name, last_year in (("all", False), ("recent", True)):
        drawn = Constants(data, seed, last_year).all()
        (out / f"{name}.json").write_text(json.dumps(drawn), encoding="utf-8")
    drawn = Constants(data, seed).all(ANALYSES, asked=10, warm=2)
    (out / "analyses.json").write_text(json.dumps(drawn), encoding="utf-8")


def changed(chance, table, data):
    """New versions of orders: answered and closed anew, some moved, some renamed."""
    columns = {name: table[name].to_numpy() for name in workload.COLUMNS if name not in ("created", "closed")}
    columns["created"] = table["created"].cast(pa.timestamp("s")).cast(pa.int64()).to_numpy()
    places, topics = (pq.read_table(data / f"{name}.parquet") for name in ("places", "topics"))
    count = len(table)

    def redrawn(name, share, choices):
        return np.where(chance.random(count) < share, chance.integers(0, choices, count), columns[name])
    building = redrawn("building", MOVED, len(places))
    topic3 = redrawn("topic3", RENAMED, len(topics))
    columns |= {name: places[name].to_numpy()[building] for name in ("building", "community", "street", "district")}
    columns |= {name: topics[name].to_numpy()[topic3] for name in ("topic1", "topic2", "topic3")}
    columns["department"] = (columns["topic2"].astype(int) * 7 + columns["community"]) % workload.DEPARTMENTS
    return workload.table(columns | workload.answers(chance, columns["created"]))


def changes(data, out, seed):
    chance = np.random.default_rng(seed)
    files = orders(data)
    sealed, batches = [], []
    total = sum(pq.ParquetFile(file).metadata.num_rows for file in files)
    for file in files:
        table = pq.read_table(file)
        share = EVERYWHERE + (RECENTLY if file == files[-1] else 0)
        sealed.append(table.filter(pa.array(chance.random(len(table)) < share)))
        batches.append(table.filter(pa.array(chance.random(len(table)) < IN_BATCHES / total)))
    for name, parts in (("sealed", sealed), ("batches", batches)):
        pq.write_table(changed(chance, pa.concat_tables(parts), data), out / f"{name}.parquet", compression="zstd")
    for name in ("places", "topics"):
        shutil.copy(data / f"{name}.parquet", out)


def hashed(data, out):
    for file in orders(data):
        table = pq.read_table(file)
        caller = pa.array(workload.hashed(table["caller"].to_numpy()))
        pq.write_table(table.set_column(table.column_names.index("caller"), "caller", caller), out / file.name,
                       compression="zstd")
    for name in ("places", "topics"):
        shutil.copy(data / f"{name}.parquet", out)


def main():
    verb, data, *rest = sys.argv[1:]
    data = pathlib.Path(data)
    if verb == "workload":
        workload.write(data, int(rest[0]), int(rest[1]))
        return
    out = pathlib.Path(rest[0])
    out.mkdir(parents=True, exist_ok=True)
    {"questions": questions, "changes": changes, "hashed": hashed}[verb](data, out, *map(int, rest[1:]))


if __name__ == "__main__":
    main()
