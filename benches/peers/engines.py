"""One peer in a process of its own: loads the files, is asked every question, leaves times and answers.

    engines.py load  ENGINE DATA STORE
    engines.py ask   ENGINE DATA STORE QUESTIONS OUT REPEATS
    engines.py open  ENGINE STORE BEGIN END
    engines.py change ENGINE STORE CHANGES...

Prints one JSON object. Each engine has two threads, its own best layout, and leaves its answers in Arrow memory.
"""
import datetime
import json
import os
import pathlib
import re
import statistics
import sys
import time

THREADS = 2
PATIENCE = 2.0  # Seconds that a question may take altogether before it is not asked again.
TALLY, GIVEN = re.compile(r"tally\(([^()]*(?:\([^()]*\)[^()]*)*)\)"), re.compile(r"\$(\w+)")
TIMES = ("begin", "end", "begin2", "end2", "begin3", "end3")
CASE = r"sum(case when \1 then 1 else 0 end)"


def moment(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).replace(tzinfo=None)


def filled(sql, given, literal):
    """A template with its constants written out."""
    return GIVEN.sub(lambda name: literal(given[name[1]]) if name[1] in TIMES else str(given[name[1]]), sql)


def timestamp(seconds):
    return f"timestamp '{moment(seconds)}'"


class DuckDB:
    ways = ("text", "parameters", "prepared")

    def __init__(self, data, store):
        import duckdb
        self.version = duckdb.__version__
        self.database = duckdb.connect(str(store))
        self.database.execute(f"set threads={THREADS}")
        self.prepared = set()

    def load(self, data):
        self.database.execute(f"create table o as select * from read_parquet('{data}/orders-*.parquet') "
                              "order by date_trunc('month',created),building,created")
        self.database.execute("checkpoint")

    def change(self, files):
        for file in files:
            self.database.execute(f"delete from o where order_id in (select order_id from read_parquet('{file}'))")
            self.database.execute(f"insert into o select * from read_parquet('{file}')")
        self.database.execute("checkpoint")

    def run(self, way, question, sql, given):
        sql = TALLY.sub(CASE, sql)
        if way == "text":
            return self.database.sql(filled(sql, given, timestamp)).to_arrow_table()
        # Some of the names are words of SQL.
        sql, names = GIVEN.sub(r"$_\1", sql), list(dict.fromkeys(GIVEN.findall(sql)))
        if way == "parameters":
            values = {f"_{name}": moment(given[name]) if name in TIMES else given[name] for name in names}
            return self.database.sql(sql, params=values).to_arrow_table()
        if question not in self.prepared:
            self.database.execute(f"prepare q_{question} as {sql}")
            self.prepared.add(question)
        values = (f"_{name}:={timestamp(given[name]) if name in TIMES else given[name]}" for name in names)
        return self.database.sql(f"execute q_{question}({','.join(values)})").to_arrow_table()


class ClickHouse:
    ways = ("text",)

    def __init__(self, data, store):
        import chdb
        from chdb import session
        self.database = session.Session(str(store))
        self.version = f"{self.database.query('select version()').bytes().decode().strip().strip(chr(34))} (chDB {chdb.__version__})"

    def load(self, data):
        small = "Int16"
        columns = ", ".join(f"{name} {kind}" for name, kind in (
            ("order_id", "Int64"), ("created", "DateTime('UTC')"), ("district", small), ("street", small),
            ("community", "Int32"), ("building", "Int32"), ("topic1", small), ("topic2", small), ("topic3", small),
            ("department", small), ("channel", "Int8"), ("kind", "Int8"), ("effective", "Bool"), ("contacted", "Int8"),
            ("solved", "Int8"), ("satisfaction", "Int8"), ("closed", "DateTime('UTC')"), ("caller", "Int64")))
        self.database.query("create database d engine=Atomic")
        self.database.query(
            f"create table d.o ({columns}, index id order_id type minmax granularity 1) engine=MergeTree "
            "partition by toYYYYMM(created) order by (district,street,community,building,created)")
        self.database.query(f"insert into d.o select * from file('{data}/orders-*.parquet',Parquet) "
                            f"settings max_threads={THREADS}, max_insert_threads={THREADS}")
        self.database.query("optimize table d.o final")

    def run(self, way, question, sql, given):
        sql = filled(sql, given, lambda seconds: f"toDateTime({seconds},'UTC')")
        sql = TALLY.sub(r"countIf(\1)", sql).replace(" from o", " from d.o")
        sql = sql.replace("date_trunc('day',created)", "toStartOfDay(created)")
        sql = sql.replace("date_trunc('month',created)", "toStartOfMonth(created)")
        return self.database.query(f"{sql} settings max_threads={THREADS}", "arrowtable")


class Polars:
    ways = ("text",)

    def __init__(self, data, store):
        os.environ["POLARS_MAX_THREADS"] = str(THREADS)
        import polars
        self.version = polars.__version__
        begun = time.perf_counter()
        self.database = polars.SQLContext(o=polars.read_parquet(f"{data}/orders-*.parquet"))
        self.seconds = time.perf_counter() - begun

    def run(self, way, question, sql, given):
        sql = TALLY.sub(CASE, filled(sql, given, timestamp))
        sql = sql.replace("avg(date_diff('second',created,closed))/3600", "avg(closed-created)")
        return self.database.execute(sql, eager=True)


ENGINES = {"duckdb": DuckDB, "clickhouse": ClickHouse, "polars": Polars}


def numbers(answer):
    """An answer as rows of 64-bit integers: times in seconds since 1970, means by the bits of their hours."""
    import numpy
    import pyarrow as pa
    table = answer if isinstance(answer, pa.Table) else answer.to_arrow()
    columns = []
    for column in table.columns:
        kind, column = column.type, column.combine_chunks()
        if pa.types.is_timestamp(kind):
            values = column.cast(pa.timestamp("s")).cast(pa.int64()).to_numpy()
        elif pa.types.is_date(kind):
            values = column.cast(pa.date32()).cast(pa.int32()).to_numpy().astype(numpy.int64) * 86_400
        elif pa.types.is_duration(kind):
            values = (column.cast(pa.duration("us")).cast(pa.int64()).to_numpy() / 3_600e6).view(numpy.int64)
        elif pa.types.is_floating(kind):
            values = column.cast(pa.float64()).to_numpy(zero_copy_only=False).view(numpy.int64)
        else:
            values = column.cast(pa.int64()).to_numpy(zero_copy_only=False)
        columns.append(values)
    return numpy.stack(columns, 1) if columns else numpy.zeros((0, 0), numpy.int64)


def memory():
    """Anonymous and mapped resident bytes, where the system tells."""
    try:
        lines = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
        told = {"anonymous": "RssAnon", "mapped": "RssFile", "peak": "VmHWM"}
        return {name: int(lines[key].split()[0]) * 1024 for name, key in told.items()}
    except (OSError, KeyError):
        return {}


def size(store):
    if store.is_file():
        return store.stat().st_size
    return sum(file.stat().st_size for file in store.rglob("*") if file.is_file())


def ask(engine, questions, out, repeats):
    from questions import ANALYSES, QUESTIONS
    times, shapes, ways = {}, {}, {}
    with open(out.with_suffix(".bin"), "wb") as answers:
        for question, asked in questions["asked"].items():
            sql = (QUESTIONS | ANALYSES)[question]
            if question == "empty" and isinstance(engine, Polars):
                sql = "select count(*) n from o limit 0"

            def timed(way, given):
                begun = time.perf_counter_ns()
                answer = engine.run(way, question, sql, given)
                return time.perf_counter_ns() - begun, answer

            warm = {way: [timed(way, given)[0] for given in questions["warm"][question]] for way in engine.ways}
            ways[question] = way = min(engine.ways, key=lambda way: statistics.median(warm[way]))
            taken, shape = [], []
            for turn in range(repeats):
                if turn and sum(taken) > PATIENCE * 1e9:
                    break
                for given in asked:
                    elapsed, answer = timed(way, given)
                    taken.append(elapsed)
                    if not turn:
                        rows = numbers(answer)
                        shape.append(rows.shape)
                        answers.write(rows.tobytes())
            times[question], shapes[question] = taken, shape
    told = {"version": engine.version, "times": times, "shapes": shapes, "ways": ways, "memory": memory()}
    out.with_suffix(".json").write_text(json.dumps(told), encoding="utf-8")
    return {"questions": len(times), "memory": told["memory"]}


def main():
    verb, name, *rest = sys.argv[1:]
    kind = ENGINES[name]
    paths = [pathlib.Path(word) for word in rest]
    if verb == "load":
        engine = kind(*paths)
        begun = time.perf_counter()
        if hasattr(engine, "load"):
            engine.load(paths[0])
            told = {"seconds": time.perf_counter() - begun, "bytes": size(paths[1])}
        else:
            told = {"seconds": engine.seconds}
    elif verb == "ask":
        questions = json.loads(paths[2].read_text(encoding="utf-8"))
        told = ask(kind(*paths[:2]), questions, paths[3], int(rest[4]))
    elif verb == "open":
        import pyarrow  # noqa: F401  Loading libraries is not what is timed.
        import duckdb  # noqa: F401
        begun = time.perf_counter_ns()
        engine = kind(None, paths[0])
        opened = time.perf_counter_ns() - begun
        sql = "select district,count(*) n from o where created>=$begin and created<$end group by district"
        engine.run("text", "Z1", sql, {"begin": int(rest[1]), "end": int(rest[2])}).num_rows
        told = {"open_ns": opened, "zoom_ns": time.perf_counter_ns() - begun}
    else:
        engine = kind(None, paths[0])
        begun = time.perf_counter()
        engine.change(paths[1:])
        told = {"seconds": time.perf_counter() - begun}
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
