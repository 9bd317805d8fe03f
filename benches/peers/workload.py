"""Work orders of a city that does not exist, in the shape and with the skew of Beijing's hotline; seeded.

Writes orders-YYYY.parquet (in the order of `created`), places.parquet and topics.parquet: 16 districts, 349 streets,
7,535 communities, 120,000 buildings; topics of three levels, 17, 200 and 1,800; 90 departments, 7 channels, 5 kinds.
Seven orders in ten are called back; only these have answers, -1 stands for none.
"""
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

PLACES = (16, 349, 7_535, 120_000)
TOPICS = (17, 200, 1_800)
DEPARTMENTS, CALLERS = 90, 6_000_000
CHANNELS = (0.55, 0.20, 0.10, 0.06, 0.04, 0.03, 0.02)
KINDS = (0.45, 0.35, 0.12, 0.05, 0.03)
SATISFACTION = (0.88, 0.07, 0.05)  # yes, basically, no
CALLED_BACK, CONTACTED, SOLVED = 0.70, 0.985, 0.93
DAYS_TO_CLOSE = 5
FIRST_YEAR, YEARS = 2019, 5


def below(chance, children, parents):
    """The parent of each child: ascending, every parent has one."""
    return np.sort(np.concatenate([np.arange(parents), chance.integers(0, parents, children - parents)]))


class City:
    """The trees, and how likely each building and each topic is: Pareto's law and Zipf's."""

    def __init__(self, chance):
        self.district_of = below(chance, PLACES[1], PLACES[0])
        self.street_of = below(chance, PLACES[2], PLACES[1])
        self.community_of = below(chance, PLACES[3], PLACES[2])
        self.topic1_of = below(chance, TOPICS[1], TOPICS[0])
        self.topic2_of = below(chance, TOPICS[2], TOPICS[1])
        self.buildings = chance.pareto(1.2, PLACES[3]) + 0.05
        self.topics = 1 / np.arange(1, TOPICS[2] + 1) ** 0.9
        chance.shuffle(self.topics)

    def write(self, folder):
        building = np.arange(PLACES[3])
        street = self.street_of[self.community_of]
        pq.write_table(pa.table({
            "building": pa.array(building, pa.int32()), "community": pa.array(self.community_of, pa.int32()),
            "street": pa.array(street, pa.int16()), "district": pa.array(self.district_of[street], pa.int16()),
        }), folder / "places.parquet")
        pq.write_table(pa.table({
            "topic3": pa.array(np.arange(TOPICS[2]), pa.int16()), "topic2": pa.array(self.topic2_of, pa.int16()),
            "topic1": pa.array(self.topic1_of[self.topic2_of], pa.int16()),
        }), folder / "topics.parquet")


def pick(chance, weights, count):
    shares = np.cumsum(np.asarray(weights) / np.sum(weights))
    return np.searchsorted(shares, chance.random(count), side="right").clip(0, len(weights) - 1)


def answers(chance, created):
    """What follows from the call back, and when the order was closed."""
    count = len(created)
    effective = chance.random(count) < CALLED_BACK
    answer = lambda share: np.where(effective, chance.random(count) < share, -1)
    return {
        "effective": effective, "contacted": answer(CONTACTED), "solved": answer(SOLVED),
        "satisfaction": np.where(effective, pick(chance, SATISFACTION, count), -1),
        "closed": created + chance.exponential(DAYS_TO_CLOSE * 86_400, count).astype(np.int64),
    }


def hashed(caller):
    """Callers as a keyed hash would give them: any 64 bits (a step of SplitMix64)."""
    z = caller.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (z ^ (z >> np.uint64(31))).view(np.int64)


def table(columns):
    """The columns of a file of orders, in its order and with its types."""
    def stamp(seconds):
        return pa.array(seconds.astype(np.int64) * 1_000_000, pa.timestamp("us"))
    narrow = {"community": pa.int32(), "building": pa.int32(), "order_id": pa.int64(), "caller": pa.int64(),
              "effective": pa.bool_()}
    tiny = ("channel", "kind", "contacted", "solved", "satisfaction")
    return pa.table({name: stamp(columns[name]) if name in ("created", "closed") else
                     pa.array(columns[name], narrow.get(name, pa.int8() if name in tiny else pa.int16()))
                     for name in COLUMNS})


COLUMNS = ("order_id", "created", "district", "street", "community", "building", "topic1", "topic2", "topic3",
           "department", "channel", "kind", "effective", "contacted", "solved", "satisfaction", "closed", "caller")


def write(folder, orders, seed):
    """So many orders, evenly over five years; ids count from 0 in the order of time."""
    chance = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    city = City(chance)
    city.write(folder)
    for year in range(YEARS):
        first, count = orders * year // YEARS, orders * (year + 1) // YEARS - orders * year // YEARS
        begin, end = (int(np.datetime64(f"{FIRST_YEAR + y}-01-01", "s").astype(np.int64)) for y in (year, year + 1))
        created = np.sort(chance.integers(begin, end, count))
        building, topic3 = pick(chance, city.buildings, count), pick(chance, city.topics, count)
        community, topic2 = city.community_of[building], city.topic2_of[topic3]
        street, caller = city.street_of[community], chance.integers(0, CALLERS, count)
        pq.write_table(table({
            "order_id": np.arange(first, first + count), "created": created,
            "district": city.district_of[street], "street": street, "community": community, "building": building,
            "topic1": city.topic1_of[topic2], "topic2": topic2, "topic3": topic3,
            "department": (topic2 * 7 + community) % DEPARTMENTS,
            "channel": pick(chance, CHANNELS, count), "kind": pick(chance, KINDS, count),
            **answers(chance, created), "caller": caller,
        }), folder / f"orders-{FIRST_YEAR + year}.parquet", compression="zstd")
