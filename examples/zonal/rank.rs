//! rank: units judged by a policy or a metric.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use zonal::{Fraction, Grain, Metric, Movement, Policy, Query, Ranked, Ranking, Snapshot, Span};

use super::against::Against;
use super::args::Scope;
use super::ask::{scoped, span, within};
use super::output::{NONE, Output, table};
use super::{Failure, Result, files};

#[derive(Args)]
pub(crate) struct Rank {
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    judge: Judge,
    /// A ranking for every step of time, with the movement from the step before
    #[arg(long, value_name = "G")]
    grain: Option<Grain>,
    #[command(flatten)]
    against: Against,
    /// Only the first N of each peer group
    #[arg(long, value_name = "N")]
    first: Option<u64>,
    /// Only the last N of each peer group
    #[arg(long, value_name = "N")]
    last: Option<u64>,
    /// All orders together, and the mean of the units, as well
    #[arg(long)]
    summaries: bool,
}

/// Who is judged, and how.
#[derive(Args)]
pub(crate) struct Judge {
    /// Only units at or under this one; several are a union
    #[arg(long, value_name = "PATH")]
    within: Vec<String>,
    /// The units of this level
    #[arg(long, value_name = "NAME")]
    level: String,
    /// Rank by one metric, a rate in percent
    #[arg(long, value_name = "M", conflicts_with = "policy", required_unless_present = "policy")]
    by: Option<Metric>,
    /// The smallest first
    #[arg(long, requires = "by")]
    ascending: bool,
    /// A TOML file of policies
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The policy's name; the one that is valid at the end of the period if not said
    #[arg(long, value_name = "NAME", requires = "policy")]
    named: Option<String>,
    /// Units with fewer orders judged are listed without a rank
    #[arg(long, value_name = "N")]
    pub(crate) minimum: Option<u64>,
}

impl Judge {
    pub(crate) fn query(&self) -> Query {
        within(Query::zoom(), &self.within).level(&self.level)
    }

    pub(crate) fn policy(&self, now: &Snapshot, span: Span) -> Result<Policy> {
        let mut policy = match (&self.by, &self.policy) {
            (Some(metric), _) if self.ascending => Policy::by(metric).ascending(),
            (Some(metric), _) => Policy::by(metric),
            (None, Some(file)) => self.read(file, now, span)?,
            (None, None) => return Err(Failure::Input("name a metric with --by, or a --policy".to_owned())),
        };
        if let Some(minimum) = self.minimum {
            policy = policy.minimum(minimum);
        }
        Ok(policy)
    }

    fn read(&self, file: &Path, now: &Snapshot, span: Span) -> Result<Policy> {
        let policies = Policy::from_toml(now.schema(), &files::read_text(file)?)?;
        let Some(name) = &self.named else {
            return Ok(Policy::at(&policies, now.calendar(), span.end() - 1)?.clone());
        };
        let found = policies.iter().find(|policy| policy.name() == name).cloned();
        found.ok_or_else(|| Failure::Input(format!("{} has no policy {name:?}", file.display())))
    }
}

pub(crate) fn rank(args: &Rank) -> Result<()> {
    let now = files::snapshot(&args.scope.reading)?;
    let span = span(&args.scope, &now)?;
    let policy = args.judge.policy(&now, span)?;
    let mut query = scoped(args.judge.query(), &args.scope, &now)?;
    if let Some(grain) = &args.grain {
        query = query.grain(grain.clone());
    }
    let rankings = policy.rank_each(&now, &query)?;
    let mut before = match args.against.span(&now, span)? {
        Some(earlier) => policy.rank_each(&now, &query.during(earlier))?.into_iter().next(),
        None => None,
    };
    let mut output = Output::new();
    for ranking in rankings {
        args.print(&mut output, &now, &ranking, before.as_ref())?;
        before = args.grain.as_ref().map(|_| ranking);
    }
    output.end()
}

impl Rank {
    fn print(
        &self,
        output: &mut Output,
        now: &Snapshot,
        ranking: &Ranking,
        before: Option<&Ranking>,
    ) -> Result<()> {
        let all = self.first.is_none() && self.last.is_none();
        let ends = ranking.first(self.first.unwrap_or(0)).chain(ranking.last(self.last.unwrap_or(0)));
        let mut units: Vec<Ranked<'_>> = if all { ranking.rows().collect() } else { ends.collect() };
        units.dedup_by_key(|row| (row.node(), row.area()));
        let moved = before.map(|before| ranking.against(before)).unwrap_or_default();
        let places = |row: &Ranked<'_>| {
            let unit = |movement: &&Movement<'_>| {
                movement.now.is_some_and(|now| (now.node(), now.area()) == (row.node(), row.area()))
            };
            moved.iter().find(unit).and_then(Movement::places)
        };
        let summaries = [("all orders", ranking.pooled()), ("mean of units", ranking.mean())];
        let summaries = summaries.into_iter().filter(|_| self.summaries);
        if self.scope.reading.store.json {
            let time = json!(ranking.time().map(|time| now.calendar().format(time)));
            for row in &units {
                let mut line = json!(row);
                line["time"] = time.clone();
                line["places"] = json!(places(row));
                output.json(&line)?;
            }
            for (name, row) in summaries {
                let mut line = json!(row);
                line["time"] = time.clone();
                line["summary"] = json!(name);
                output.json(&line)?;
            }
            return Ok(());
        }
        if let (Some(time), Some(grain)) = (ranking.time(), &self.grain) {
            output.line(format!("\n{}", now.calendar().name(grain, time)))?;
        }
        let peers = units.iter().any(|row| row.peers().is_some());
        let mut header = vec!["rank", "unit"];
        header.extend(peers.then_some("peers"));
        let numbers = header.len();
        header.extend(["score", "moved", "judged", "volume"]);
        header.extend(ranking.pooled().rates().map(|(name, _)| name));
        let mut table = table(header, numbers);
        let units = units
            .into_iter()
            .map(|row| (row.area().map_or_else(|| row.path().to_string(), str::to_owned), row));
        for (name, row) in units.chain(summaries.map(|(name, row)| (name.to_owned(), row))) {
            let mut cells = vec![or_none(row.rank()), name];
            cells.extend(peers.then(|| or_none(row.peers())));
            cells.push(or_none(row.score().map(|score| format!("{score:.1}"))));
            cells.push(or_none(places(&row).map(|places| format!("{places:+}"))));
            cells.extend([row.judged().to_string(), row.volume().to_string()]);
            cells.extend(row.rates().map(|(_, rate)| or_none(rate.map(percent))));
            table.add_row(cells);
        }
        output.table(&table)
    }
}

/// A share from 0 to 1.
pub(crate) fn percent(share: Fraction) -> String {
    format!("{:.1} %", share * Fraction::from(100))
}

pub(crate) fn or_none(value: Option<impl ToString>) -> String {
    value.map_or(NONE.to_owned(), |value| value.to_string())
}
