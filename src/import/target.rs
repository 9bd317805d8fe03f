//! Where an import's orders go: a bulk load, or commits.

use std::collections::HashSet;

use crate::error::Result;
use crate::order::{Moment, Order};
use crate::order_id::OrderId;
use crate::store::{Load, LoadReport, Progress, Repeated, Standing, Standings, Store};

/// Orders in one commit of an upsert.
const COMMIT: usize = 10_000;

/// Where an import's orders go.
#[derive(Debug)]
pub(super) enum Target {
    Load(Load),
    Commits(Commits),
}

/// What an import has written.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) commit: u64,
    pub(super) orders: u64,
    pub(super) changed: u64,
    pub(super) unchanged: u64,
    pub(super) repeated: Vec<Repeated>,
    pub(super) bytes: u64,
}

impl From<LoadReport> for Written {
    fn from(report: LoadReport) -> Self {
        Self {
            commit: report.commit,
            orders: report.orders,
            changed: report.superseded,
            unchanged: 0,
            repeated: report.repeated,
            bytes: report.bytes,
        }
    }
}

impl Target {
    pub(super) fn known_at(self, time: Moment) -> Self {
        match self {
            Self::Load(load) => Self::Load(load.known_at(time)),
            Self::Commits(commits) => Self::Commits(Commits { known: Some(time), ..commits }),
        }
    }

    pub(super) fn push(&mut self, order: Order) -> Result<()> {
        match self {
            Self::Load(load) => load.push(order),
            Self::Commits(commits) => commits.push(order),
        }
    }

    pub(super) fn finish_with(self, progress: impl FnMut(Progress)) -> Result<Written> {
        match self {
            Self::Load(load) => load.finish_with(progress).map(Written::from),
            Self::Commits(mut commits) => {
                commits.commit()?;
                Ok(commits.written)
            }
        }
    }
}

/// Commits of a bounded size.
#[derive(Debug)]
pub(super) struct Commits {
    store: Store,
    known: Option<Moment>,
    /// What the store has, to compare with.
    standings: Standings,
    /// Orders of the next commit, each id once.
    orders: Vec<Order>,
    ids: HashSet<OrderId>,
    written: Written,
}

impl Commits {
    pub(super) fn new(store: &Store) -> Result<Self> {
        let written = Written { commit: store.snapshot().commit(), ..Written::default() };
        Ok(Self {
            standings: store.standings()?,
            store: store.clone(),
            known: None,
            orders: Vec::new(),
            ids: HashSet::new(),
            written,
        })
    }

    fn push(&mut self, order: Order) -> Result<()> {
        let id = OrderId::parse(order.id())?;
        if self.orders.len() >= COMMIT || self.ids.contains(&id) {
            self.commit()?;
        }
        match self.standings.of(&order)? {
            Standing::Unchanged => {
                self.written.unchanged += 1;
                return Ok(());
            }
            Standing::Changed => self.written.changed += 1,
            Standing::New => {}
        }
        self.written.orders += 1;
        self.ids.insert(id);
        self.orders.push(order);
        Ok(())
    }

    /// Commits what was collected.
    fn commit(&mut self) -> Result<()> {
        if self.orders.is_empty() {
            return Ok(());
        }
        let mut commit = self.store.begin();
        if let Some(known) = &self.known {
            commit = commit.known_at(known.clone());
        }
        self.orders.drain(..).for_each(|order| commit.upsert(order));
        self.ids.clear();
        self.written.commit = commit.finish()?;
        self.standings = self.store.standings()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Import, ImportReport, Mapping, Moment, Store, Value};

    const MAPPING: &str = r#"
        time_zone = "Asia/Shanghai"
        [order]
        id = "id"
        created = "time"
        [place]
        levels = ["street"]
        columns = ["street"]
        [[category]]
        name = "channel"
        column = "channel"
        [[tags]]
        name = "tags"
        column = "tags"
        separator = ";"
        [[outcome]]
        name = "solved"
        column = "solved"
        labels = { yes = "yes", no = "no" }
    "#;

    fn upsert(store: &Store, known: i64, rows: &str) -> ImportReport {
        let mapping = Mapping::from_toml(MAPPING).unwrap();
        let mut import = Import::upsert(store, &mapping).unwrap().known_at(known);
        let csv = format!("id,time,street,channel,tags,solved\n{rows}");
        import.file("day.csv", csv.as_bytes()).unwrap();
        import.finish().unwrap()
    }

    fn counts(report: &ImportReport) -> [u64; 5] {
        [report.rows, report.imported, report.changed, report.unchanged, report.rejected]
    }

    #[test]
    fn an_upsert_writes_what_is_new_and_passes_over_what_is_not() {
        let store = Store::in_memory(Mapping::from_toml(MAPPING).unwrap().schema().clone()).unwrap();
        let day = "1,2018-02-08,甲,web,b;a,\n2,2018-02-08 09:00,,,,no\n3,,甲,web,,\n";
        let first = upsert(&store, 1_000, day);
        assert_eq!((counts(&first), first.commit), ([3, 2, 0, 0, 1], 1));
        // The same export again is no commit.
        let again = upsert(&store, 2_000, day);
        assert_eq!((counts(&again), again.commit), ([3, 0, 0, 2, 1], 1));
        store.flush().unwrap();
        // Tags have no order; an empty field is cleared; an id that comes again is a version each time.
        let next =
            "1,2018-02-08,甲,web,a;b,\n2,2018-02-08 09:00,乙,,,\n4,2018-03-01,,,,no\n4,2018-03-01,,,,yes\n";
        let third = upsert(&store, 3_000, next);
        assert_eq!((counts(&third), third.commit), ([4, 3, 2, 1, 0], 3));
        let versions = |id: &str| -> Vec<(u64, i64)> {
            store.history(id).unwrap().iter().map(|version| (version.commit, version.known)).collect()
        };
        assert_eq!(versions("1"), [(1, 1_000)]);
        assert_eq!(versions("2"), [(1, 1_000), (2, 3_000)]);
        assert_eq!(versions("4"), [(2, 3_000), (3, 3_000)]);
        let order = store.snapshot().get("2").unwrap().unwrap();
        assert_eq!((order.place_path()[0].name.as_str(), order.value("solved")), ("乙", None));
        let last = store.snapshot().get("4").unwrap().unwrap();
        assert_eq!(last.value("solved"), Some(&Value::Outcome("yes".to_owned())));
        assert_eq!(last.created(), &Moment::Seconds(1_519_833_600));
    }

    #[test]
    fn a_load_may_say_when_its_orders_became_known() {
        let mapping = Mapping::from_toml(MAPPING).unwrap();
        let store = Store::in_memory(mapping.schema().clone()).unwrap();
        let mut import = Import::new(&store, &mapping).unwrap().known_at("2018-02-09");
        import.file("day.csv", "id,time,street,channel,tags,solved\n1,2018-02-08,,,,\n".as_bytes()).unwrap();
        import.finish().unwrap();
        assert_eq!(store.snapshot().known(), Some(1_518_105_600));
        let import = Import::new(&store, &mapping).unwrap().known_at("soon");
        assert!(import.finish().unwrap_err().is_input());
        assert_eq!(store.snapshot().commit(), 1);
    }
}
