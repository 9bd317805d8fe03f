//! The text form of filters: its grammar is told at [`Filter`].

use std::fmt;

use super::reference::{NodeRef, unescape};
use super::{Filter, between, check_labels, during, missing};
use crate::calendar::Span;
use crate::error::{Error, Result};
use crate::schema::{Field, Schema};

/// Nested brackets and negations; more than a person would write, less than a stack would mind.
const DEEPEST: usize = 100;

/// Reads the text form of a filter.
pub(crate) fn parse(text: &str, schema: &Schema) -> Result<Filter> {
    let mut parser = Parser { text, at: 0, depth: 0, schema };
    let filter = parser.any()?;
    parser.space();
    if parser.rest().is_empty() { Ok(filter) } else { Err(parser.error("expected and, or, or the end")) }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    schema: &'a Schema,
}

/// A value as it was written: still with its escapes.
struct Raw<'a> {
    text: &'a str,
    quoted: bool,
}

impl Raw<'_> {
    fn unescaped(&self) -> String {
        unescape(self.text)
    }
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn error(&self, expected: &str) -> Error {
        let before: String = self.text.get(..self.at).unwrap_or("").to_owned();
        Error::invalid("filter", format!("{expected} after {before:?}, found {:?}", self.rest()))
    }

    fn space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Takes a word where it stands alone.
    fn word(&mut self, word: &str) -> bool {
        self.space();
        let Some(after) = self.rest().strip_prefix(word) else { return false };
        let alone =
            after.chars().next().is_none_or(|next| next.is_whitespace() || next == '(' || next == ')');
        if alone {
            self.at += word.len();
        }
        alone
    }

    fn take(&mut self, mark: &str) -> bool {
        let found = self.rest().starts_with(mark);
        if found {
            self.at += mark.len();
        }
        found
    }

    fn any(&mut self) -> Result<Filter> {
        let mut filters = vec![self.every()?];
        while self.word("or") {
            filters.push(self.every()?);
        }
        Ok(one_or(filters, Filter::Or))
    }

    fn every(&mut self) -> Result<Filter> {
        let mut filters = vec![self.single()?];
        while self.word("and") {
            filters.push(self.single()?);
        }
        Ok(one_or(filters, Filter::And))
    }

    fn single(&mut self) -> Result<Filter> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error("the brackets are nested too deep"));
        }
        let filter = if self.word("not") {
            !self.single()?
        } else if self.take("(") {
            let inner = self.any()?;
            self.space();
            if !self.take(")") {
                return Err(self.error("expected a closing bracket"));
            }
            inner
        } else if self.word("all") {
            Filter::All
        } else {
            self.condition()?
        };
        self.depth -= 1;
        Ok(filter)
    }

    fn condition(&mut self) -> Result<Filter> {
        let name = self.name()?;
        let field = self.schema.require(&name)?;
        self.space();
        let operator =
            ["!=", ">=", "<=", "=", "~", ">", "<"].into_iter().find(|operator| self.take(operator));
        let Some(operator) = operator else {
            return Err(self.error("expected one of = != ~ > >= < <="));
        };
        match operator {
            "=" => self.equals(name, field),
            "!=" => Ok(!self.equals(name, field)?),
            "~" => self.tags(name, field),
            _ => self.compared(name, field, operator),
        }
    }

    fn name(&mut self) -> Result<String> {
        self.space();
        if self.rest().starts_with('"') {
            return Ok(self.quoted()?.unescaped());
        }
        let rest = self.rest();
        let end = rest
            .find(|letter: char| letter.is_whitespace() || "=!~<>()|&\"".contains(letter))
            .unwrap_or(rest.len());
        if end == 0 {
            return Err(self.error("expected the name of a field"));
        }
        self.at += end;
        Ok(rest.get(..end).unwrap_or("").to_owned())
    }

    fn equals(&mut self, name: String, field: Field) -> Result<Filter> {
        let raws = self.values("|")?.0;
        let with_missing = raws.iter().any(|raw| raw.text.is_empty() && !raw.quoted);
        let raws: Vec<Raw<'_>> = raws.into_iter().filter(|raw| !raw.text.is_empty() || raw.quoted).collect();
        if with_missing && raws.is_empty() {
            return match field {
                Field::Clock(crate::schema::Clock::Created) => {
                    Err(Error::invalid("filter", "created is never missing"))
                }
                _ => Ok(missing(name)),
            };
        }
        let missing = with_missing.then(|| missing(name.clone()));
        let filter = match field {
            Field::Place | Field::Tree(_) => {
                Filter::Under { tree: name, nodes: raws.iter().map(|raw| NodeRef::parse(raw.text)).collect() }
            }
            Field::Category(_) | Field::Tags(_) => {
                Filter::Is { field: name, values: raws.iter().map(Raw::unescaped).collect() }
            }
            Field::Outcome(number) => {
                let values: Vec<String> = raws.iter().map(Raw::unescaped).collect();
                check_labels(self.schema, number, &values)?;
                Filter::Is { field: name, values }
            }
            Field::Measure(_) => {
                let equal = |raw: &Raw<'_>| {
                    let value = integer(raw)?;
                    Ok(between(name.clone(), value, value))
                };
                one_or(raws.iter().map(equal).collect::<Result<_>>()?, Filter::Or)
            }
            Field::Location => self.within(&raws)?,
            Field::Clock(_) => {
                return Err(Error::invalid(
                    "filter",
                    format!("compare {name:?} with < <= > >=, or leave it missing"),
                ));
            }
            Field::Key(_) | Field::Text(_) => {
                return Err(Error::invalid(
                    "filter",
                    format!("{name:?} can only be asked for as missing: {name}="),
                ));
            }
        };
        Ok(missing.map_or(filter.clone(), |missing| missing.or(filter)))
    }

    fn within(&self, raws: &[Raw<'_>]) -> Result<Filter> {
        let wrong = || self.error("location takes WEST,SOUTH,EAST,NORTH in degrees");
        let [raw] = raws else { return Err(wrong()) };
        let edges: Vec<i32> =
            raw.text.split(',').map(|edge| degrees(edge.trim())).collect::<Option<_>>().ok_or_else(wrong)?;
        let [west, south, east, north] = edges[..] else { return Err(wrong()) };
        Ok(Filter::Within { west, south, east, north })
    }

    fn tags(&mut self, name: String, field: Field) -> Result<Filter> {
        if !matches!(field, Field::Tags(_)) {
            return Err(Error::invalid(
                "filter",
                format!("~ is for tags, {name:?} is none; write {name}=a|b"),
            ));
        }
        let (values, separators) = self.values("&|")?;
        if separators.contains('&') && separators.contains('|') {
            return Err(self.error("tags are joined by & or by |, not by both,"));
        }
        let values = values.iter().map(Raw::unescaped).collect();
        Ok(match separators.contains('|') {
            true => Filter::Is { field: name, values },
            false => Filter::HasAll { field: name, values },
        })
    }

    fn compared(&mut self, name: String, field: Field, operator: &str) -> Result<Filter> {
        let raws = self.values("|")?.0;
        let [raw] = raws.as_slice() else { return Err(self.error("expected one value")) };
        match field {
            Field::Measure(_) => {
                let value = integer(raw)?;
                let none = Filter::Between { measure: name.clone(), least: 1, most: 0 };
                let range = |least, most| Filter::Between { measure: name.clone(), least, most };
                Ok(match operator {
                    ">=" => range(value, i64::MAX),
                    ">" => value.checked_add(1).map_or(none, |least| range(least, i64::MAX)),
                    "<=" => range(i64::MIN, value),
                    _ => value.checked_sub(1).map_or(none, |most| range(i64::MIN, most)),
                })
            }
            Field::Clock(_) => {
                let time = self.schema.calendar().parse(&raw.unescaped())?;
                let span = match operator {
                    ">=" => Span::since(time)?,
                    ">" => Span::since(time.saturating_add(1))?,
                    "<=" => Span::until(time.saturating_add(1))?,
                    _ => Span::until(time)?,
                };
                Ok(during(name, span))
            }
            _ => Err(Error::invalid(
                "filter",
                format!("{operator} is for measures and clocks, {name:?} is neither"),
            )),
        }
    }

    /// Values up to the end of the condition, and the separators between them.
    fn values(&mut self, separators: &str) -> Result<(Vec<Raw<'a>>, String)> {
        let (mut values, mut found) = (Vec::new(), String::new());
        loop {
            self.space();
            values.push(if self.rest().starts_with('"') { self.quoted()? } else { self.bare(separators) });
            self.space();
            match self.rest().chars().next().filter(|next| separators.contains(*next)) {
                Some(separator) => {
                    found.push(separator);
                    self.at += separator.len_utf8();
                }
                None => return Ok((values, found)),
            }
        }
    }

    fn quoted(&mut self) -> Result<Raw<'a>> {
        let body = self.rest().get(1..).unwrap_or("");
        let mut escaped = false;
        for (at, letter) in body.char_indices() {
            match letter {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => {
                    self.at += at + 2;
                    return Ok(Raw { text: body.get(..at).unwrap_or(""), quoted: true });
                }
                _ => {}
            }
        }
        Err(self.error("expected a closing quote"))
    }

    /// A value without quotes: up to a separator, a closing bracket that it did not open, or a lone `and` / `or`.
    fn bare(&mut self, separators: &str) -> Raw<'a> {
        let rest = self.rest();
        if joins(rest) {
            return Raw { text: "", quoted: false };
        }
        let (mut open, mut escaped, mut end) = (0usize, false, rest.len());
        for (at, letter) in rest.char_indices() {
            let stops = match letter {
                _ if escaped => {
                    escaped = false;
                    false
                }
                '\\' => {
                    escaped = true;
                    false
                }
                '(' => {
                    open += 1;
                    false
                }
                ')' if open > 0 => {
                    open -= 1;
                    false
                }
                ')' => true,
                _ if separators.contains(letter) => true,
                _ => letter.is_whitespace() && joins(rest.get(at..).unwrap_or("")),
            };
            if stops {
                end = at;
                break;
            }
        }
        self.at += end;
        Raw { text: rest.get(..end).unwrap_or("").trim_end(), quoted: false }
    }
}

/// Whether a lone `and` or `or` comes next.
fn joins(text: &str) -> bool {
    let text = text.trim_start();
    ["and", "or"].into_iter().any(|word| {
        text.strip_prefix(word)
            .is_some_and(|after| after.chars().next().is_none_or(|next| next.is_whitespace() || next == '('))
    })
}

fn one_or(mut filters: Vec<Filter>, many: impl FnOnce(Vec<Filter>) -> Filter) -> Filter {
    if filters.len() == 1 { filters.swap_remove(0) } else { many(filters) }
}

fn integer(raw: &Raw<'_>) -> Result<i64> {
    let text = raw.unescaped();
    text.parse().map_err(|_| Error::invalid("filter", format!("expected an integer, found {text:?}")))
}

/// Degrees as 10⁻⁷ degrees.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked before")]
fn degrees(text: &str) -> Option<i32> {
    let degrees: f64 = text.parse().ok()?;
    (-180.0..=180.0).contains(&degrees).then(|| (degrees * 1e7).round() as i32)
}

/// What a part of a filter's text stands in, and so which words it needs brackets around.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Within {
    Nothing,
    Or,
    AndOrNot,
}

/// Writes the text form, with no more brackets than it takes: it never nests deeper than what it was read from.
pub(crate) fn write(filter: &Filter, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write_within(filter, Within::Nothing, f)
}

fn write_within(filter: &Filter, within: Within, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match filter {
        Filter::All => f.write_str("all"),
        Filter::And(filters) => match filters.as_slice() {
            [] => f.write_str("all"),
            [only] => write_within(only, within, f),
            _ => bracketed(within > Within::Or, f, |f| joined(filters, " and ", Within::AndOrNot, f)),
        },
        Filter::Or(filters) => match filters.as_slice() {
            [] => f.write_str("not all"),
            [only] => write_within(only, within, f),
            _ => bracketed(within > Within::Nothing, f, |f| joined(filters, " or ", Within::Or, f)),
        },
        Filter::Not(filter) => {
            f.write_str("not ")?;
            write_within(filter, Within::AndOrNot, f)
        }
        Filter::Is { values, .. } if values.is_empty() => f.write_str("not all"),
        Filter::Is { field, values } => {
            let values: Vec<String> = values.iter().map(|value| quoted(&escape(value))).collect();
            write!(f, "{}={}", quoted(&escape(field)), values.join("|"))
        }
        Filter::HasAll { values, .. } if values.is_empty() => f.write_str("all"),
        Filter::HasAll { field, values } => {
            let values: Vec<String> = values.iter().map(|value| quoted(&escape(value))).collect();
            write!(f, "{}~{}", quoted(&escape(field)), values.join("&"))
        }
        Filter::Under { nodes, .. } if nodes.is_empty() => f.write_str("not all"),
        Filter::Under { tree, nodes } => {
            let nodes: Vec<String> =
                nodes.iter().map(|node| quoted(&node.to_string().replace('"', "\\\""))).collect();
            write!(f, "{}={}", quoted(&escape(tree)), nodes.join("|"))
        }
        Filter::Missing { field } => write!(f, "{}=", quoted(&escape(field))),
        Filter::Between { measure, least, most } => {
            let measure = quoted(&escape(measure));
            match (*least, *most) {
                (least, i64::MAX) => write!(f, "{measure}>={least}"),
                (i64::MIN, most) => write!(f, "{measure}<={most}"),
                (least, most) if least == most => write!(f, "{measure}={least}"),
                (least, most) => bracketed(within > Within::Or, f, |f| {
                    write!(f, "{measure}>={least} and {measure}<={most}")
                }),
            }
        }
        Filter::During { span, .. } if span.is_empty() => f.write_str("not all"),
        Filter::During { clock, span } if span.end() == Span::ALL.end() => {
            // The end of all time is no time that could be read back.
            write!(f, "{}>={}", quoted(&escape(clock)), utc(span.start()))
        }
        Filter::During { clock, span } => {
            let clock = quoted(&escape(clock));
            let (start, end) = (utc(span.start()), utc(span.end()));
            if span.end() == Span::ALL.end() {
                write!(f, "{clock}>={start}")
            } else if span.start() == Span::ALL.start() {
                write!(f, "{clock}<{end}")
            } else {
                bracketed(within > Within::Or, f, |f| write!(f, "{clock}>={start} and {clock}<{end}"))
            }
        }
        Filter::Within { west, south, east, north } => {
            let [west, south, east, north] = [west, south, east, north].map(|edge| f64::from(*edge) / 1e7);
            write!(f, "location={west},{south},{east},{north}")
        }
    }
}

fn bracketed(
    brackets: bool,
    f: &mut fmt::Formatter<'_>,
    write: impl FnOnce(&mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    if !brackets {
        return write(f);
    }
    f.write_str("(")?;
    write(f)?;
    f.write_str(")")
}

fn joined(filters: &[Filter], word: &str, within: Within, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (number, filter) in filters.iter().enumerate() {
        if number > 0 {
            f.write_str(word)?;
        }
        write_within(filter, within, f)?;
    }
    Ok(())
}

fn utc(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// Puts an escaped text in quotes unless it is a single plain word.
fn quoted(escaped: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "_-.:/".contains(letter);
    let word = ["and", "or", "not", "all"].contains(&escaped);
    if !escaped.is_empty() && !word && escaped.chars().all(plain) {
        escaped.to_owned()
    } else {
        format!("\"{escaped}\"")
    }
}
