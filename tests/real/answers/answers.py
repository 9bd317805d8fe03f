#!/usr/bin/env python3
"""Reference answers for the tests on real data, computed with DuckDB and without zonal.

    pip install duckdb==2.0.0
    python3 answers.py DATA_FOLDER

DATA_FOLDER holds boston311-2011.csv.gz, chicago-sanitation.csv.gz and pingshan-12345.csv.gz. For each city the
file is read as text into the table `raw`, `clean.sql` makes the table `orders` of it (of a life, `versions`), and
every other `.sql` beside it is run. `quality.sql` gives `quality.json`; NAME.sql gives NAME.jsonl, one line per row in the form of
`zonal --json`, and NAME.json holds the arguments of `zonal` that ask the same. A question with `"summary": true`
has too many rows to keep; its only line sums up the answer (see `summary`).

Nothing but aggregates is written. Local times become instants by the table `zone`, made here with Python's
zoneinfo, not by DuckDB's own time zones: an ambiguous local time has to be the earlier instant, and DuckDB takes
the later one.
"""

import json
import sys
import zlib
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

HERE = Path(__file__).resolve().parent
CITIES = [
    ("boston", "boston311-2011.csv.gz", "America/New_York"),
    ("chicago", "chicago-sanitation.csv.gz", "America/Chicago"),
    ("chicago-life", "chicago-sanitation.csv.gz", "America/Chicago"),
    ("pingshan", "pingshan-12345.csv.gz", "Asia/Shanghai"),
]
FIRST, LAST = 1990, 2070


def offset(zone, instant):
    local = datetime.fromtimestamp(instant, timezone.utc).astimezone(zone)
    return int(local.utcoffset() / timedelta(seconds=1))


def transitions(name):
    """Rows (instant, offset before, offset from then on), in seconds; the first row has the same offset twice."""
    zone = ZoneInfo(name)
    at = int(datetime(FIRST, 1, 1, tzinfo=timezone.utc).timestamp())
    end = int(datetime(LAST, 1, 1, tzinfo=timezone.utc).timestamp())
    before = offset(zone, at)
    rows = [(at, before, before)]
    # No zone of these changes twice within a day, nor off the full hour.
    for hour in range(at, end, 3600):
        after = offset(zone, hour)
        if after != before:
            rows.append((hour, before, after))
            before = after
    return rows


def create_zone(db, name):
    """`zone`: from which instant, and from which local time on, an offset holds.

    A local time has the offset of the last row whose `local_from` is not after it. `local_from` is a transition in
    the larger of its two offsets: a doubled local time so keeps the earlier instant, a skipped one the offset
    before, which moves it forward. [`odd_from`, `odd_until`) are the local times that are doubled or skipped.
    """
    epoch = datetime(1970, 1, 1)
    db.execute(
        "CREATE TABLE zone (instant_from BIGINT, local_from TIMESTAMP, seconds BIGINT,"
        " odd_from TIMESTAMP, odd_until TIMESTAMP, odd VARCHAR)"
    )
    for at, before, after in transitions(name):
        low, high = sorted((before, after))
        local = [epoch + timedelta(seconds=at + seconds) for seconds in (low, high)]
        odd = "ambiguous" if after < before else "skipped" if after > before else None
        db.execute("INSERT INTO zone VALUES (?, ?, ?, ?, ?, ?)", [at, local[1], after, *local, odd])


def rows(db, path):
    """The rows of a query as objects, in the form of `zonal --json`."""
    cursor = db.execute(path.read_text(encoding="utf-8"))
    names = [column[0] for column in cursor.description]
    for values in cursor.fetchall():
        row = dict(zip(names, values))
        for flag in ("subtotal", "others"):
            if not row.get(flag, True):
                del row[flag]
        yield row


def summary(answer):
    """One object instead of all rows: how many there are, how many of them are remainders, the sum of their
    counts, and the sum of count × crc32(the path's names joined by U+001F, as UTF-8)."""
    answer = list(answer)
    weighed = lambda row: row["values"]["count"] * zlib.crc32("\x1f".join(row["path"]).encode())
    return {
        "rows": len(answer),
        "remainders": sum(row["remainder"] for row in answer),
        "count": sum(row["values"]["count"] for row in answer),
        "checksum": sum(map(weighed, answer)),
    }


def line(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def write(path, lines):
    path.write_text("".join(lines), encoding="utf-8", newline="\n")


def answer_city(folder, data, zone):
    db = duckdb.connect()
    db.execute("SET threads = 1")  # rows stay in the order of the file
    create_zone(db, zone)
    db.execute((HERE / "common.sql").read_text(encoding="utf-8"))
    db.execute(
        "CREATE TABLE raw AS SELECT row_number() OVER () AS row, *"
        " FROM read_csv(?, all_varchar = true, header = true, delim = ',', quote = '\"', escape = '\"')",
        [str(data)],
    )
    db.execute((folder / "clean.sql").read_text(encoding="utf-8"))
    if (folder / "quality.sql").exists():
        (quality,) = rows(db, folder / "quality.sql")
        write(folder / "quality.json", [json.dumps(quality, ensure_ascii=False, indent=1) + "\n"])
    for question in sorted(folder.glob("*.json")):
        if question.stem == "quality":
            continue
        answer = rows(db, question.with_suffix(".sql"))
        if json.loads(question.read_text(encoding="utf-8")).get("summary"):
            answer = [summary(answer)]
        write(question.with_suffix(".jsonl"), map(line, answer))


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: answers.py DATA_FOLDER")
    for name, file, zone in CITIES:
        answer_city(HERE / name, Path(sys.argv[1]) / file, zone)
        print(name)


if __name__ == "__main__":
    main()
