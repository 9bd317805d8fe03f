//! zoom and penetrate.

use zonal::{Answer, Figure, Grain, Metric, NodeRef, Query, Row, RowKind, Snapshot, Span, count};

use super::args::{Cut, Figures, Penetrate, Scope, Zoom};
use super::output::{NONE, Output, table};
use super::{Result, files};

pub(crate) fn zoom(args: &Zoom) -> Result<()> {
    let mut query = within(Query::zoom(), &args.within);
    if let Some(level) = &args.level {
        query = query.level(level);
    }
    answer(&args.scope, &args.cut, &args.figures, query)
}

pub(crate) fn penetrate(args: &Penetrate) -> Result<()> {
    let mut query = within(Query::zoom(), args.unit.as_slice()).depth(args.depth);
    if args.between {
        query = query.between();
    }
    answer(&args.scope, &args.cut, &args.figures, query)
}

/// The query, narrowed to units.
pub(crate) fn within(query: Query, units: &[String]) -> Query {
    units.iter().fold(query, |query, unit| query.within(NodeRef::parse(unit)))
}

/// The span that is asked for; all time where neither end is said.
pub(crate) fn span(scope: &Scope, now: &Snapshot) -> Result<Span> {
    let time = |text: &Option<String>, otherwise| {
        text.as_deref().map_or(Ok(otherwise), |text| now.calendar().parse(text))
    };
    Ok(Span::new(time(&scope.from, Span::ALL.start())?, time(&scope.to, Span::ALL.end())?)?)
}

/// The query, narrowed to the orders that are asked for.
pub(crate) fn scoped(query: Query, scope: &Scope, now: &Snapshot) -> Result<Query> {
    let mut query = query.during(span(scope, now)?);
    for filter in &scope.filters {
        query = query.filter(now.schema().filter(filter)?);
    }
    Ok(query)
}

/// The query, cut into groups.
pub(crate) fn cut(mut query: Query, cut: &Cut) -> Query {
    if let Some(grain) = &cut.grain {
        query = query.grain(grain.clone());
    }
    cut.by.iter().fold(query, |query, by| match by.split_once(':') {
        Some((tree, level)) => query.by_level(tree, level),
        None => query.by(by),
    })
}

fn answer(scope: &Scope, cut: &Cut, figures: &Figures, query: Query) -> Result<()> {
    let now = files::snapshot(&scope.reading)?;
    let mut query = self::cut(scoped(query, scope, &now)?, cut);
    if figures.metrics.is_empty() {
        query = query.metric(count());
    }
    query = figures.metrics.iter().fold(query, Query::metric);
    if let Some(groups) = figures.top {
        query = query.top(groups);
    }
    if figures.all_units {
        query = query.all_units();
    }
    let answer = now.run(&query)?;
    let mut output = Output::new();
    if scope.reading.store.json {
        answer.rows().try_for_each(|row| output.json(&row))?;
    } else {
        print(&mut output, &answer, cut.grain.as_ref(), &now)?;
    }
    if scope.explain {
        explain(&mut output, scope, &now, &query)?;
    }
    output.end()
}

/// How the question is answered: a last line, or the last lines.
pub(crate) fn explain(output: &mut Output, scope: &Scope, now: &Snapshot, query: &Query) -> Result<()> {
    let explanation = now.explain(query)?;
    if scope.reading.store.json {
        return output.json(&serde_json::json!({ "explain": explanation }));
    }
    output.line("")?;
    output.line(explanation.to_string().trim_end())
}

fn print(output: &mut Output, answer: &Answer, grain: Option<&Grain>, now: &Snapshot) -> Result<()> {
    let Some(first) = answer.rows().next() else {
        return output.line("No order is among those asked for.");
    };
    let mut header = vec!["unit".to_owned()];
    header.extend(grain.map(|grain| grain.to_string()));
    header.extend(first.groups().map(|(field, _)| field.to_owned()));
    let numbers = header.len();
    header.extend(answer.metrics().iter().map(Metric::to_string));
    let mut table = table(header, numbers);
    for row in answer {
        let mut cells = vec![unit(&row)];
        cells.extend(
            grain.map(|grain| row.time().map_or(NONE.to_owned(), |time| now.calendar().name(grain, time))),
        );
        cells.extend(row.groups().map(|(_, group)| match group.names().is_empty() {
            true => NONE.to_owned(),
            false if group.is_remainder() => format!("{group} (remainder)"),
            false => group.to_string(),
        }));
        cells.extend(row.figures().map(|value| figure(&value)));
        table.add_row(cells);
    }
    output.table(&table)
}

pub(crate) fn unit(row: &Row<'_>) -> String {
    match (row.kind(), row.node()) {
        (RowKind::Others, _) => "others".to_owned(),
        (RowKind::Remainder, None) => "no place (remainder)".to_owned(),
        (RowKind::Remainder, Some(_)) => format!("{} (remainder)", row.path()),
        (RowKind::Subtotal, _) => format!("{} (subtotal)", row.path()),
        (_, None) => "all".to_owned(),
        (_, Some(_)) => row.path().to_string(),
    }
}

/// A figure with what it is made of.
pub(crate) fn figure(figure: &Figure) -> String {
    match figure {
        Figure::Ratio { numerator, denominator } if *denominator > 0 => {
            format!("{figure} ({numerator}/{denominator})")
        }
        _ => figure.to_string(),
    }
}
