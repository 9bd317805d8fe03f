//! How units are judged: which rates count how much, over which orders, among whom.

use serde::{Deserialize, Serialize};

use super::Area;
use crate::calendar::Calendar;
use crate::error::{Error, Result};
use crate::filter::{Filter, NodeRef};
use crate::query::Metric;
use crate::schema::COUNT;

/// How units are judged and ranked: a named value with a period of validity, never a constant.
///
/// A *term* is a rate: counters with their credits over the orders judged (回访). The score is 100 times the weighted sum of
/// the terms. Credits and weights are written as text and kept exact.
///
/// ```text
/// rate  = (credit₁·counter₁ + credit₂·counter₂ + …) / judged
/// score = 100 · (weight₁·rate₁ + weight₂·rate₂ + …)
/// ```
///
/// ```
/// use zonal::{Policy, is};
///
/// let policy = Policy::new("assessment", "effective")
///     .term("response", "0.10", [("contacted", "1")])
///     .term("satisfaction", "0.40", [("satisfied", "1"), ("basic", "0.9")])
///     .term("solution", "0.50", [("solved", "1")])
///     .excluded_from_rates(is("parked", "yes"))
///     .minimum(30)
///     .valid("2025-01-01", "2026-01-01");
/// assert_eq!(policy.name(), "assessment");
/// ```
///
/// Like a query, a policy meets a store only when it [ranks](Policy::rank) the units of one; what it says and the store does
/// not know is an error then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct Policy {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<String>,
    /// The counter of the orders judged.
    pub(super) judged: String,
    /// The counter of all orders.
    #[serde(default = "count")]
    pub(super) volume: String,
    #[serde(default)]
    pub(super) minimum: u64,
    #[serde(default)]
    pub(super) excluded_from_rates: Option<Filter>,
    #[serde(default)]
    pub(super) excluded_from_volume: Option<Filter>,
    #[serde(default)]
    pub(super) terms: Vec<Term>,
    /// Where the score is a metric, in place of terms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) metric: Option<Metric>,
    #[serde(default)]
    pub(super) ascending: bool,
    #[serde(default)]
    pub(super) peers: Vec<Peers>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) areas: Vec<Area>,
}

/// A rate that counts towards the score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Term {
    pub(super) name: String,
    pub(super) weight: String,
    /// The counter below the line, where it is another than the policy's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) judged: Option<String>,
    /// Counters with what one order of them is worth.
    pub(super) credits: Vec<(String, String)>,
}

/// Units that are compared with each other alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Peers {
    pub(super) name: String,
    pub(super) units: Vec<NodeRef>,
}

fn count() -> String {
    COUNT.to_owned()
}

impl Policy {
    /// A policy without terms; `judged` is the counter of the orders that its rates are over.
    pub fn new(name: impl Into<String>, judged: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            from: None,
            until: None,
            judged: judged.into(),
            volume: count(),
            minimum: 0,
            excluded_from_rates: None,
            excluded_from_volume: None,
            terms: Vec::new(),
            metric: None,
            ascending: false,
            peers: Vec::new(),
            areas: Vec::new(),
        }
    }

    /// A policy that ranks by one metric: its score is the metric's figure, a rate in percent. The orders judged are those
    /// below the line of a rate, else all.
    pub fn by(metric: impl Into<Metric>) -> Self {
        let metric = metric.into();
        let judged = match &metric {
            Metric::Rate(_, judged) => judged.clone(),
            _ => count(),
        };
        Self { metric: Some(metric.clone()), ..Self::new(metric.to_string(), judged) }
    }

    /// A rate: what an order of each counter is worth, over the orders judged, and the rate's weight in the score.
    pub fn term<C: Into<String>, V: Into<String>>(
        self,
        name: impl Into<String>,
        weight: impl Into<String>,
        credits: impl IntoIterator<Item = (C, V)>,
    ) -> Self {
        self.with(name.into(), weight.into(), None, credits)
    }

    /// A rate over another counter than the policy's.
    pub fn term_over<C: Into<String>, V: Into<String>>(
        self,
        judged: impl Into<String>,
        name: impl Into<String>,
        weight: impl Into<String>,
        credits: impl IntoIterator<Item = (C, V)>,
    ) -> Self {
        self.with(name.into(), weight.into(), Some(judged.into()), credits)
    }

    fn with<C: Into<String>, V: Into<String>>(
        mut self,
        name: String,
        weight: String,
        judged: Option<String>,
        credits: impl IntoIterator<Item = (C, V)>,
    ) -> Self {
        let credits = credits.into_iter().map(|(counter, credit)| (counter.into(), credit.into())).collect();
        self.terms.push(Term { name, weight, judged, credits });
        self
    }

    /// The counter of the volume; `count` without this call.
    pub fn volume(mut self, counter: impl Into<String>) -> Self {
        self.volume = counter.into();
        self
    }

    /// Units with fewer orders judged are listed, but have no rank.
    pub fn minimum(mut self, judged: u64) -> Self {
        self.minimum = judged;
        self
    }

    /// Orders that no rate counts (剔除, 挂账): neither above nor below the line.
    pub fn excluded_from_rates(mut self, filter: Filter) -> Self {
        self.excluded_from_rates = Some(filter);
        self
    }

    /// Orders that the volume does not count. Independent of [`excluded_from_rates`](Self::excluded_from_rates).
    pub fn excluded_from_volume(mut self, filter: Filter) -> Self {
        self.excluded_from_volume = Some(filter);
        self
    }

    /// The same policy, but with every order in rates and volume.
    pub fn without_exclusions(mut self) -> Self {
        self.excluded_from_rates = None;
        self.excluded_from_volume = None;
        self
    }

    /// The smallest score ranks first, as for days to close.
    pub fn ascending(mut self) -> Self {
        self.ascending = true;
        self
    }

    /// A peer group: units at or under one of these are ranked among themselves. Of several groups the first counts; units
    /// of none are ranked together.
    pub fn peers(
        mut self,
        name: impl Into<String>,
        units: impl IntoIterator<Item = impl Into<NodeRef>>,
    ) -> Self {
        self.peers.push(Peers { name: name.into(), units: units.into_iter().map(Into::into).collect() });
        self
    }

    /// An area that is ranked like a unit. It belongs to the peer group under whose units all of its own lie.
    pub fn area(mut self, area: Area) -> Self {
        self.areas.push(area);
        self
    }

    /// Valid from a date up to, but without, another: `2025-01-01`. Without this call, always.
    pub fn valid(mut self, from: impl Into<String>, until: impl Into<String>) -> Self {
        self.from = Some(from.into());
        self.until = Some(until.into());
        self
    }

    /// The policy's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The policy that is valid at a time; of several the last.
    ///
    /// # Errors
    /// [`Error::Unknown`] where none is; [`Error::Invalid`] for a policy whose dates cannot be read.
    pub fn at<'a>(policies: &'a [Self], calendar: &Calendar, time: i64) -> Result<&'a Self> {
        let date = |text: &Option<String>| text.as_deref().map(|text| calendar.parse(text)).transpose();
        let mut found = None;
        for policy in policies {
            let from = date(&policy.from)?.is_none_or(|from| from <= time);
            if from && date(&policy.until)?.is_none_or(|until| time < until) {
                found = Some(policy);
            }
        }
        let known = || policies.iter().map(Self::name);
        found.ok_or_else(|| Error::unknown("policy valid at", calendar.format(time), known()))
    }
}
