"""The table: what was measured, and what that is beside the fastest peer."""
import math
import statistics

NAMES = {"zonal": "zonal", "duckdb": "DuckDB", "clickhouse": "ClickHouse", "polars": "Polars"}
# What is asked; questions.py has the templates.
ASKED = {
    "empty": "an empty question",
    "Z1": "zoom: city by district, one month", "Z2": "zoom: one street by community, quarter, rates",
    "Z3": "zoom: city by day, five years, one topic", "Z4": "zoom: district by month, five years, rates",
    "P1": "penetrate: city to streets, one month, rates",
    "P2": "penetrate: district to communities, year, one sub-topic",
    "P3": "penetrate: city to buildings, five years, one sub-topic, top 20",
    "P4": "penetrate: city to communities, five years, rates",
    "C1": "compare: streets, month against previous and year before",
    "F1": "filter: four conditions, year, by street, rates", "F2": "filter: odd hours, by district",
    "F3": "filter: unsolved, department by street, five years",
    "M1": "measure: mean hours to close by street, year",
    "R1": "repeats: caller and sub-topic more than once, district, quarter",
    "U1": "distinct callers by district, year", "L1": "latest 50 orders of a building", "K1": "one order by its id",
}
ANALYSED = {
    "A1": "rank 349 streets by a policy of three rates, a month, with movement and quadrants",
    "A2": "backlog: open orders of a district at the end of every day, five years",
    "A3": "surges: 349 streets × 200 sub-topics on a day against their own past",
    "A4": "clusters: buildings × sub-topics, a week", "A5": "repeats: callers × sub-topics, a week",
}
FLAT = ("Z1", "Z2", "Z3", "Z4", "P1", "C1")
STEADY = ("Z1", "Z2", "Z3", "Z4", "P1", "P2", "P3", "P4", "C1")


def summary(times):
    """Of each question the median and the 99th percentile, in nanoseconds."""
    def of(taken):
        taken = sorted(taken)
        return {"median": statistics.median(taken), "p99": taken[math.ceil(0.99 * len(taken)) - 1], "asked": len(taken)}
    return {question: of(taken) for question, taken in times.items()}


def short(result):
    """A result without the single times and the sizes of single answers."""
    engines = {}
    for engine, told in result["engines"].items():
        engines[engine] = {name: value for name, value in told.items() if name not in ("times", "shapes")}
        engines[engine]["questions"] = summary(told["times"])
    kept = {"head": result["head"], "engines": engines, "compared": result["compared"]}
    if "analyses" in result:
        kept["analyses"] = {name: value if name == "compared" else summary(value)
                            for name, value in result["analyses"].items()}
    if "changed" in result:
        kept["changed"] = {engine: {name: summary(value) if name in ("before", "after") else value
                                    for name, value in told.items()} if engine in NAMES else told
                           for engine, told in result["changed"].items()}
    return kept


def time(nanoseconds):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            value = nanoseconds / size
            return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f} {unit}"
    return f"{nanoseconds:.0f} ns"


def size(count):
    return "–" if count is None else f"{count / 1e6:,.1f} MB"


def lines(rows):
    head, *body = rows
    return ["| " + " | ".join(row) + " |" for row in (head, ["---"] + ["---:"] * (len(head) - 1), *body)]


def times(ratio):
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.1f}" if ratio >= 10 else f"{ratio:.2f}"


def questions(result):
    engines = result["engines"]
    peers = [engine for engine in engines if engine != "zonal"]
    rows = [["question", *(f"{NAMES[engine]}, median (p99)" for engine in engines), "fastest peer ÷ zonal"]]
    ratios = []
    for question, asked in ASKED.items():
        row = [f"**{question}** {asked}" if question != "empty" else asked]
        for told in engines.values():
            of = told["questions"].get(question)
            row.append(f"{time(of['median'])} ({time(of['p99'])})" if of else "not there")
        mine = engines.get("zonal", {}).get("questions", {}).get(question)
        if mine and peers:
            ratio = min(engines[peer]["questions"][question]["median"] for peer in peers) / mine["median"]
            row.append(f"{times(ratio)}{' **lost**' if ratio < 1 else ''}")
            if question != "empty":
                ratios.append(ratio)
        else:
            row.append("–")
        rows.append(row)
    if ratios:
        mean = statistics.geometric_mean(ratios)
        rows.append([f"geometric mean of {len(ratios)}", *[""] * len(engines), f"**{times(mean)}**"])
    return lines(rows)


def analyses(result):
    rows = [["analysis", "zonal, median (p99)", "DuckDB, median (p99)", "DuckDB ÷ zonal"]]
    for name, asked in ANALYSED.items():
        mine, theirs = (result["analyses"][engine][name] for engine in ("zonal", "duckdb"))
        cells = (f"{time(of['median'])} ({time(of['p99'])})" for of in (mine, theirs))
        rows.append([f"**{name}** {asked}", *cells, times(theirs["median"] / mine["median"])])
    return lines(rows)


def figures(result):
    engines, orders = result["engines"], result["head"]["orders"]
    rows = [["", *(NAMES[engine] for engine in engines)]]
    memory = lambda name: lambda told: size(told["memory"].get(name))
    of_time = lambda name: lambda told: time(told[name]) if name in told else "–"
    for name, of in (
        ("loading the Parquet files", lambda told: f"{told['seconds']:.1f} s"),
        ("on disk", lambda told: size(told.get("bytes"))),
        ("bytes an order", lambda told: f"{told['bytes'] / orders:.1f}" if "bytes" in told else "–"),
        ("on disk, callers hashed to 64 bits", lambda told: size(told.get("hashed_bytes"))),
        ("resident after all questions, anonymous", memory("anonymous")),
        ("resident after all questions, mapped", memory("mapped")),
        ("a fresh process opens the store", of_time("open_ns")),
        ("… and has answered a zoom", of_time("zoom_ns")),
    ):
        rows.append([name, *(of(told) for told in engines.values())])
    return lines(rows)


def changes(result):
    changed, names = result["changed"], {"zonal": "zonal"}
    if "duckdb" in changed:
        names["duckdb"] = "DuckDB"
    rows = [["question", "zonal before", "after", "after ÷ before", *(["DuckDB after"] if "duckdb" in changed else [])]]
    for question in ASKED:
        before, after = (changed["zonal"][when].get(question) for when in ("before", "after"))
        if not before or question == "empty":
            continue
        ratio = after["median"] / before["median"]
        over = question in STEADY and ratio > 1.3 and after["median"] - before["median"] > 2_000
        row = [f"**{question}**", time(before["median"]), time(after["median"]),
               f"{ratio:.2f}{' **over 1.3**' if over else ''}"]
        if "duckdb" in changed:
            row.append(time(changed["duckdb"]["after"][question]["median"]))
        rows.append(row)
    return lines(rows)


def one(result):
    head, compared = result["head"], result["compared"]
    machine = head["machine"]
    versions = ", ".join(f"{NAMES[engine]} {version}" for engine, version in head["versions"].items())
    told = [f"### {head['orders']:,} orders", "",
            f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}; two threads each. "
            f"{versions}. Orders made {head['made']}, seed {head['seed']}, {head['date']}. "
            f"{compared['answers']:,} answers with {compared['cells']:,} values were compared and are the same.", "",
            *questions(result), "", *figures(result)]
    if "analyses" in result:
        compared = result["analyses"]["compared"]
        told += ["", "What a hotline asks: an operation of zonal beside one statement of SQL. "
                 f"{compared['answers']:,} answers were compared and are the same.", "", *analyses(result)]
    if "changed" in result:
        changed = result["changed"]
        zonal = changed["zonal"]
        told += ["", f"After {zonal['sealed']['orders']:,} orders were superseded and sealed, not compacted "
                 f"({zonal['sealed']['orders'] / (zonal['sealed']['seconds'] + zonal['flushed']['seconds']):,.0f} a second), and "
                 f"{zonal['batches']['orders']:,} more were left in batches: one order in a hundred, and one in five of the last "
                 f"year, in which the questions about months, quarters and years ask. {size(zonal['bytes'])} on disk. "
                 f"{changed['compared']['answers']:,} answers were compared and are the same.", "", *changes(result)]
    return told


def flatness(results):
    sizes = [result["head"]["orders"] for result in results]
    rows = [["zonal", *(f"{count:,}" for count in sizes), "largest ÷ smallest"]]
    for question in ASKED:
        of = [result["engines"]["zonal"]["questions"].get(question) for result in results]
        if question != "empty" and all(of):
            ratio = of[-1]["median"] / of[0]["median"]
            rows.append([f"**{question}**", *(time(each["median"]) for each in of),
                         f"{ratio:.2f}{' **over 1.5**' if question in FLAT and ratio > 1.5 else ''}"])
    return ["### The same questions as the orders grow", "", *lines(rows)]


def of(results):
    results = sorted(results, key=lambda result: result["head"]["orders"])
    told = [line for result in results for line in [*one(result), ""]]
    grown = [result for result in results if "zonal" in result["engines"]]
    if len(grown) > 1:
        told += flatness(grown)
    return "\n".join(told).rstrip()
