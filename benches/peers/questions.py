"""The seventeen questions and the five analyses: templates in SQL for the peers, and seeded constants for everybody."""
import datetime

import numpy as np
import pyarrow.parquet as pq

# Each engine has its own word for tally(condition), and its own form of a time.
RATES = ("count(*) n, tally(effective) v, tally(contacted=1) c, "
         "tally(solved=1) s, tally(satisfaction=0) m, "
         "tally(satisfaction=1) b")
DURING = "created>=$begin and created<$end"
SPANS = [f"created>=$begin{at} and created<$end{at}" for at in ("", 2, 3)]
DAY, MONTH, SECONDS = "date_trunc('day',created)", "date_trunc('month',created)", "date_diff('second',created,closed)"
COLUMNS = ("order_id,created,district,street,community,building,topic1,topic2,topic3,department,channel,kind,effective,"
           "contacted,solved,satisfaction,closed,caller")

# The template of each question; an empty one is each engine's own.
QUESTIONS = {
    "empty": "select 1 n",
    "Z1": f"select district,count(*) n from o where {DURING} group by district",
    "Z2": f"select community,{RATES} from o where street=$street and {DURING} group by community",
    "Z3": f"select {DAY} d,count(*) n from o where topic1=$topic1 and {DURING} group by {DAY}",
    "Z4": f"select district,{MONTH} t,{RATES} from o where {DURING} group by district,{MONTH}",
    "P1": f"select street,{RATES} from o where {DURING} group by street",
    "P2": f"select community,count(*) n from o where district=$district and topic2=$topic2 and {DURING} group by community",
    "P3": f"select building,count(*) n from o where topic2=$topic2 and {DURING} group by building "
          "order by n desc,building limit 20",
    "P4": f"select community,{RATES} from o where {DURING} group by community",
    "C1": "select street," + ",".join(f"tally({span}) {name}" for span, name in zip(SPANS, "abc")) +
          f" from o where {' or '.join(f'({span})' for span in SPANS)} group by street",
    "F1": f"select street,{RATES} from o where topic1=$topic1 and channel in ($channel1,$channel2) and kind=$kind and "
          f"department between $department1 and $department2 and {DURING} group by street",
    "F2": f"select district,count(*) n from o where {DURING} group by district",
    "F3": f"select department,street,count(*) n from o where solved=0 and {DURING} group by department,street",
    "M1": f"select street,avg({SECONDS})/3600 h from o where {DURING} group by street",
    "R1": f"select count(*) n from (select caller,topic2 from o where district=$district and {DURING} "
          "group by caller,topic2 having count(*)>1) r",
    "U1": f"select district,count(distinct caller) n from o where {DURING} group by district",
    "L1": "select order_id from o where building=$building order by created desc,order_id limit 50",
    "K1": f"select {COLUMNS} from o where order_id=$id",
}
# What a hotline asks, as one would write it for DuckDB alone; zonal has an operation for each. Residents of a street are made up
# of its number.
RESIDENTS = "(1000+37*street)"
ANALYSES = {
    # A policy of three rates, ranks by exact scores, the movement since the month before, quadrants in both months.
    "A1": f"""with counted as (
            select street,created>=$begin now,count(*) n,count(*) filter (effective) v,count(*) filter (contacted=1) c,
                count(*) filter (solved=1) s,count(*) filter (satisfaction=0) m,count(*) filter (satisfaction=1) b
            from o where created>=$begin2 and created<$end group by all),
        limits as (select now,sum(10*m+9*b) credit,sum(v) judged,sum(n) orders,sum({RESIDENTS}) people
            from counted where v>=30 group by now),
        placed as (
            select counted.*,case when v>0 then
                    rank() over (partition by counted.now,v>0 order by (10*c+40*m+36*b+50*s)/v desc,n desc) else 0 end place,
                case when v>=30 then 2*((10*m+9*b)*judged>=credit*v)::int+(n*people>=orders*{RESIDENTS})::int else -1 end cell
            from counted left join limits on counted.now=limits.now)
        select a.street,a.n,a.v,a.place,
            case when a.place>0 and b.place>0 then b.place-a.place else -9999 end moved,a.cell,coalesce(b.cell,-1) before
        from (from placed where now) a left join (from placed where not now) b on a.street=b.street""",
    # Open orders of a district at the end of every day of five years.
    "A2": """with edges as (
            select date_trunc('day',created) d,1 opened,0 closed from o where district=$district
            union all select date_trunc('day',closed),0,1 from o where district=$district),
        daily as (select d,sum(opened) a,sum(closed) z from edges where d<$end group by d),
        days as (select unnest(generate_series($begin,$end-interval 1 day,interval 1 day)) d)
        select d,coalesce(a,0)::bigint a,coalesce(z,0)::bigint z,(sum(coalesce(a,0)-coalesce(z,0)) over (order by d)+
            (select coalesce(sum(a-z),0) from daily where d<$begin))::bigint open
        from days left join daily using (d)""",
    # Streets × sub-topics on a day: orders, sixteen times what the same weekday of eight weeks leads one to expect, EARS C2.
    "A3": """with daily as (
            select street,topic2,date_diff('day',created::date,$begin::date) back,count(*) n from o
            where created>=$begin-interval 56 day and created<$end group by all),
        summed as (
            select street,topic2,sum(n) filter (back=0) n,sum(n) filter (back>0 and back%7=0) past,
                coalesce(sum(n) filter (back between 3 and 9),0) one,coalesce(sum(n*n) filter (back between 3 and 9),0) two
            from daily where back%7=0 or back between 3 and 9 group by street,topic2 having sum(n) filter (back=0)>=2)
        select street,topic2,n::bigint n,greatest(2*coalesce(past,0),1)::bigint expected,
            case when 7*two>one*one then round(1000*(n-one/7)/sqrt((two-one*one/7)/6))::bigint else -1000000 end c2
        from summed""",
    # Buildings × sub-topics with two orders or more in a week.
    "A4": "select building,topic2,count(*) n from o where created>=$begin and created<$end group by all having count(*)>1",
    # Callers with two orders or more about one sub-topic in a week.
    "A5": "select count(*) callers,coalesce(sum(n),0)::bigint n from (select count(*) n from o "
          "where created>=$begin and created<$end group by caller,topic2 having count(*)>1)",
}
ORDERED = ("P3", "L1")  # The others are compared in the order of their groups.
KEYS = {"Z4": 2, "F3": 2, "A3": 2, "A4": 2}  # Columns that an answer is grouped by; one where nothing is said.
ASKED, WARM = 50, 5


def month(number):
    """The first second of a month, counted from January of year 0."""
    return int(datetime.datetime(number // 12, number % 12 + 1, 1, tzinfo=datetime.timezone.utc).timestamp())


class Constants:
    """Draws what the templates are filled with: all distinct, where there are so many."""

    def __init__(self, data, seed, last_year=False):
        self.chance = np.random.default_rng(seed)
        columns = ("district", "street", "community", "building")
        self.places = np.stack([pq.read_table(data / "places.parquet")[name].to_numpy() for name in columns], 1)
        self.topics = np.stack([pq.read_table(data / "topics.parquet")[f"topic{n}"].to_numpy() for n in (1, 2, 3)], 1)
        files = sorted(data.glob("orders-*.parquet"))
        self.years = [int(file.stem.split("-")[1]) for file in files]
        self.first, self.last = self.years[0] * 12, (self.years[-1] + 1) * 12
        self.recent = self.last - 12 if last_year else self.first
        picked = [self._sample(file) for file in files]
        self.ids = np.concatenate([ids for ids, _ in picked])
        self.buildings = np.unique(np.concatenate([buildings for _, buildings in picked]))

    def _sample(self, file):
        """Some orders of a file: ids that exist, and buildings that have orders."""
        reader = pq.ParquetFile(file)
        group = reader.read_row_group(int(self.chance.integers(0, reader.num_row_groups)), ["order_id", "building"])
        rows = self.chance.integers(0, len(group), 400)
        return group["order_id"].to_numpy()[rows], group["building"].to_numpy()[rows]

    def _below(self, end):
        return int(self.chance.integers(0, end))

    def span(self, begin, months):
        return {"begin": month(begin), "end": month(begin + months)}

    def recently(self, months):
        """So many months, from any month on; in the last year alone, where that is asked for."""
        return self.span(self.recent + self._below(max(self.last - self.recent - months, 0) + 1), months)

    def year(self):
        return self.span((self.recent // 12 + self._below((self.last - self.recent) // 12)) * 12, 12)

    def quarter(self):
        return self.span(self.recent + self._below((self.last - self.recent) // 3) * 3, 3)

    def about_a_year(self):
        months = 12 - self._below(4)
        return self.recently(months)

    def years_long(self):
        """All five years but for some months at either end."""
        begin = self.first + self._below(8)
        return self.span(begin, self.last - self._below(8) - begin)

    def district(self):
        return {"district": self._below(int(self.places[:, 0].max()) + 1)}

    def topic1(self):
        return {"topic1": self._below(int(self.topics[:, 0].max()) + 1)}

    def topic2(self):
        return {"topic2": self._below(int(self.topics[:, 1].max()) + 1)}

    def compared(self):
        # A month that has one before it and a year before, as long as there are so many.
        from_month = max(self.recent, self.first + 12 * (self._below(6) > 0 and self.last - self.first > 12))
        at = from_month + self._below(self.last - from_month)
        spans = [self.span(at, 1), self.span(at - 1, 1), self.span(at - 12, 1)]
        return {f"{edge}{number}": span[edge] for number, span in zip(("", 2, 3), spans) for edge in ("begin", "end")}

    def odd_hours(self):
        length = 10 * 86_400 + self._below(10 * 86_400)
        begin, end = month(self.recent), month(self.last)
        at = begin + self._below(end - begin - length) // 1_800 * 1_800 + 123
        return {"begin": at, "end": at + length}

    def filters(self):
        channels = self.chance.choice(4, 2, replace=False)
        department = self._below(80)
        return {"channel1": int(channels[0]), "channel2": int(channels[1]), "kind": self._below(3),
                "department1": department, "department2": department + 9}

    def one(self, question):
        match question:
            case "empty":
                begin = month(self.first) + self._below(10_000_000)
                return {"begin": begin, "end": begin}
            case "Z1" | "P1":
                return self.recently(1)
            case "Z2":
                return {"street": int(self.places[self._below(len(self.places)), 1])} | self.quarter()
            case "Z3":
                return self.topic1() | self.years_long()
            case "Z4" | "P4" | "F3":
                return self.years_long()
            case "P2":
                return self.district() | self.topic2() | self.year()
            case "P3":
                return self.topic2() | self.years_long()
            case "C1":
                return self.compared()
            case "F1":
                return self.topic1() | self.filters() | self.year()
            case "F2":
                return self.odd_hours()
            case "M1" | "U1":
                return self.about_a_year()
            case "R1":
                return self.district() | self.recently(3)
            case "A1":
                return self.compared()
            case "A2":
                return self.district() | self.span(self.first, self.last - self.first)
            case "A3":
                return self.days(1)
            case "A4" | "A5":
                return self.days(7)
            case "L1":
                return {"building": int(self.chance.choice(self.buildings))}
            case "K1":
                return {"id": int(self.chance.choice(self.ids))}

    def days(self, days):
        """So many days from any midnight on, with nine weeks of orders before."""
        begin = month(self.recent) + 63 * 86_400
        at = begin + 86_400 * self._below((month(self.last) - begin) // 86_400 - days)
        return {"begin": at, "end": at + 86_400 * days}

    def named(self, given):
        """The same constants as zonal takes them: spans, and names from the top of a tree down."""
        named = {"spans": [(given[f"begin{at}"], given[f"end{at}"]) for at in ("", 2, 3) if f"begin{at}" in given]}
        for level, name in enumerate(("district", "street", "community", "building")):
            if name in given:
                path = self.places[np.argmax(self.places[:, level] == given[name])][:level + 1]
                named["unit"] = ["city", *map(str, path)]
        for level, name in enumerate(("topic1", "topic2")):
            if name in given:
                named["topic"] = [str(n) for n in self.topics[np.argmax(self.topics[:, level] == given[name])][:level + 1]]
        if "kind" in given:
            named["channels"] = [str(given["channel1"]), str(given["channel2"])]
            named["kind"] = str(given["kind"])
            named["departments"] = [str(n) for n in range(given["department1"], given["department2"] + 1)]
        if "id" in given:
            named["id"] = str(given["id"])
        return named

    def all(self, templates=QUESTIONS, asked=ASKED, warm=WARM):
        questions = {"warm": {}, "asked": {}}
        for question in templates:
            drawn, tries = {}, 0
            while len(drawn) < asked + warm and tries < 40 * (asked + warm):
                given = self.one(question)
                drawn.setdefault(tuple(given.items()), given)
                tries += 1
            drawn = list(drawn.values())
            count = min(asked, len(drawn) - warm if len(drawn) > asked else len(drawn))
            # Where a template has no more constants than these, each is asked several times.
            asked_for = [drawn[at % count] for at in range(asked)]
            for part, those in (("asked", asked_for), ("warm", drawn[count:] or drawn[:warm])):
                questions[part][question] = [given | self.named(given) for given in those]
        return questions
