//! Policies as TOML.

use serde::Deserialize;

use super::areas::AreaForm;
use super::policy::{Peers, Policy, Term};
use crate::error::{Error, Result};
use crate::filter::NodeRef;
use crate::query::Metric;
use crate::schema::{COUNT, Schema};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    policy: Vec<PolicyForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyForm {
    name: String,
    from: Option<String>,
    until: Option<String>,
    judged: Option<String>,
    #[serde(default = "count")]
    volume: String,
    #[serde(default)]
    minimum: u64,
    excluded_from_rates: Option<String>,
    excluded_from_volume: Option<String>,
    metric: Option<Metric>,
    #[serde(default)]
    ascending: bool,
    #[serde(default, rename = "term")]
    terms: Vec<TermForm>,
    #[serde(default)]
    peers: Vec<PeersForm>,
    #[serde(default, rename = "area")]
    areas: Vec<AreaForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TermForm {
    name: String,
    weight: Number,
    judged: Option<String>,
    credits: std::collections::BTreeMap<String, Number>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PeersForm {
    name: String,
    units: Vec<String>,
}

/// A number, or its text. A decimal is what it is written as: its shortest text, not its nearest binary fraction.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Whole(i64),
    Decimal(f64),
    Text(String),
}

fn count() -> String {
    COUNT.to_owned()
}

impl From<Number> for String {
    fn from(number: Number) -> Self {
        match number {
            Number::Whole(number) => number.to_string(),
            Number::Decimal(number) => number.to_string(),
            Number::Text(text) => text,
        }
    }
}

impl Policy {
    /// Reads policies from TOML. Filters are in their [text form](crate::Filter), units are paths joined by `/` or `code:CODE`.
    ///
    /// ```
    /// # let schema = zonal::Schema::builder("Asia/Shanghai").place(["city", "district"]).outcome("parked", ["yes"]).build()?;
    /// let policies = zonal::Policy::from_toml(&schema, r#"
    ///     [[policy]]
    ///     name = "2025"
    ///     from = "2025-01-01"
    ///     until = "2026-01-01"
    ///     judged = "effective"                  # the counter below the line
    ///     minimum = 30
    ///     excluded_from_rates = "parked=yes"
    ///
    ///     [[policy.term]]
    ///     name = "satisfaction"
    ///     weight = 0.4
    ///     credits = { satisfied = 1, basic = 0.9 }
    ///
    ///     [[policy.term]]
    ///     name = "solution"
    ///     weight = 0.6
    ///     credits = { solved = 1 }
    ///
    ///     [[policy.peers]]
    ///     name = "centre"
    ///     units = ["北京市/东城区", "北京市/西城区"]
    /// "#)?;
    /// assert_eq!(policies[0].name(), "2025");
    /// # Ok::<(), zonal::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] with the place in the text, and for a filter that cannot be read; [`Error::Unknown`] for a field that the
    /// schema does not have.
    pub fn from_toml(schema: &Schema, text: &str) -> Result<Vec<Self>> {
        let form: Form =
            toml::from_str(text).map_err(|error| Error::invalid("policies", error.to_string()))?;
        form.policy.into_iter().map(|form| form.policy(schema)).collect()
    }
}

impl PolicyForm {
    fn policy(self, schema: &Schema) -> Result<Policy> {
        let filter = |text: Option<String>| text.map(|text| schema.filter(&text)).transpose();
        let by = self.metric.map(Policy::by);
        let base = match (by, self.judged) {
            (Some(by), None) => by,
            (Some(by), Some(judged)) => Policy { judged, ..by },
            (None, Some(judged)) => Policy::new(self.name.clone(), judged),
            (None, None) => {
                let reason = "it says neither whose orders are judged nor a metric; give judged = COUNTER";
                return Err(Error::invalid(format!("policy {:?}", self.name), reason));
            }
        };
        Ok(Policy {
            name: self.name,
            from: self.from,
            until: self.until,
            volume: self.volume,
            minimum: self.minimum,
            excluded_from_rates: filter(self.excluded_from_rates)?,
            excluded_from_volume: filter(self.excluded_from_volume)?,
            ascending: self.ascending,
            terms: self.terms.into_iter().map(TermForm::term).collect(),
            peers: self.peers.into_iter().map(PeersForm::peers).collect(),
            areas: self.areas.into_iter().map(AreaForm::area).collect(),
            ..base
        })
    }
}

impl TermForm {
    fn term(self) -> Term {
        let credits = self.credits.into_iter().map(|(counter, credit)| (counter, credit.into()));
        Term { name: self.name, weight: self.weight.into(), judged: self.judged, credits: credits.collect() }
    }
}

impl PeersForm {
    fn peers(self) -> Peers {
        Peers { name: self.name, units: self.units.iter().map(|unit| NodeRef::parse(unit)).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Area, is, rate};

    fn read(text: &str) -> Result<Vec<Policy>> {
        let schema = Schema::builder("UTC").place(["city", "ward"]).outcome("parked", ["yes"]).build()?;
        Policy::from_toml(&schema, text)
    }

    #[test]
    fn toml_says_what_the_builder_says() {
        let text = r#"
            [[policy]]
            name = "p"
            from = "2025-01-01"
            until = "2026-01-01"
            judged = "effective"
            volume = "valid"
            minimum = 30
            excluded_from_rates = "parked=yes"
            [[policy.term]]
            name = "satisfaction"
            weight = 0.4
            credits = { basic = "9/10", satisfied = 1 }
            [[policy.term]]
            name = "on time"
            weight = "0.6"
            judged = "due"
            credits = { in_time = 1 }
            [[policy.peers]]
            name = "centre"
            units = ["a/b", "code:7"]
            [[policy.area]]
            name = "zone"
            units = ["a/b"]
            apart = true
            [[policy]]
            name = "m"
            metric = "rate:on_time/due"
            ascending = true
        "#;
        let expected = Policy::new("p", "effective")
            .valid("2025-01-01", "2026-01-01")
            .volume("valid")
            .minimum(30)
            .excluded_from_rates(is("parked", "yes"))
            .term("satisfaction", "0.4", [("basic", "9/10"), ("satisfied", "1")])
            .term_over("due", "on time", "0.6", [("in_time", "1")])
            .peers("centre", [NodeRef::from(["a", "b"]), NodeRef::code("7")])
            .area(Area::new("zone", [["a", "b"]]).apart());
        let metric = Policy { name: "m".to_owned(), ..Policy::by(rate("on_time", "due")).ascending() };
        let read = read(text).unwrap();
        assert_eq!(read, [expected, metric]);
        let json = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Policy>>(&json).unwrap(), read);
    }

    #[test]
    fn what_toml_gets_wrong_is_told() {
        let wrong = |text: &str| read(text).unwrap_err().to_string();
        assert!(wrong("[[policy]]\nname = \"p\"").contains("judged"));
        assert!(wrong("[[policy]]\nname = \"p\"\njudged = \"e\"\nweight = 1").contains("weight"));
        let filter = "[[policy]]\nname = \"p\"\njudged = \"e\"\nexcluded_from_volume = \"park=yes\"";
        assert!(wrong(filter).contains("parked"));
    }
}
