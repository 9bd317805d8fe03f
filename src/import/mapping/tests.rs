use super::*;

const SMALL: &str = r#"
time_zone = "Asia/Shanghai"
[order]
id = "id"
created = "created"
[place]
levels = ["street", "community"]
columns = ["street", { column = "community", code = "code" }]
"#;

#[track_caller]
fn refused(more: &str, expected: &[&str]) {
    let error = Mapping::from_toml(&format!("{SMALL}{more}")).unwrap_err();
    assert!(error.is_input());
    let error = error.to_string();
    assert!(expected.iter().all(|part| error.contains(part)), "{error}");
    assert!(!error.contains('\n'), "{error}");
}

#[test]
fn the_schema_is_what_the_file_declares() {
    let mapping = Mapping::from_toml(&format!(
        r#"
        partition = "day"
        {SMALL}
        [location]
        longitude = "lon"
        latitude = "lat"
        [[tree]]
        name = "topic"
        levels = ["type"]
        columns = ["type"]
        [[category]]
        name = "channel"
        value = "phone"
        [[tags]]
        name = "marks"
        column = "marks"
        separator = "、"
        [[outcome]]
        name = "solved"
        column = "solved"
        labels = {{ Z = "yes", Y = "no", X = "yes", A = "partly" }}
        [[clock]]
        name = "closed"
        column = "closed"
        [[measure]]
        name = "hours"
        between = ["created", "closed"]
        unit = "hours"
        [[measure]]
        name = "calls"
        column = "calls"
        [[key]]
        name = "caller"
        column = "phone"
        [[text]]
        name = "words"
        column = "words"
        [[counter]]
        name = "solved"
        where = "solved=yes or solved=partly"
        "#
    ))
    .unwrap();
    let solved = crate::any_of("solved", ["yes"]).or(crate::is("solved", "partly"));
    let expected = Schema::builder("Asia/Shanghai")
        .partition(crate::PartitionGrain::Day)
        .place(["street", "community"])
        .location()
        .tree("topic", ["type"])
        .category("channel")
        .tags("marks")
        .outcome("solved", ["yes", "no", "partly"])
        .clock("closed")
        .measure_between("hours", "created", "closed", crate::Unit::Hours)
        .measure("calls")
        .key("caller")
        .text("words")
        .counter("solved", solved)
        .build()
        .unwrap();
    assert_eq!(mapping.schema(), &expected);
}

#[test]
fn a_mistake_is_told_with_its_line() {
    refused("[[category]]\nname = \"a\"\ncolum = \"b\"\n", &["line 11", "unknown field `colum`", "`column`"]);
    refused("[[clock]]\nname = \"a\"\n", &["line 9", "missing field `column`"]);
    refused("[file]\nencoding = \"latin1\"\n", &["line 10", "unknown variant `latin1`", "`gb18030`"]);
    refused("[[text]]\nname = 3\n", &["line 10", "invalid type"]);
    refused("nonsense", &["line 9"]);
    let error = Mapping::from_toml(&SMALL.replace("\"street\", {", "7, {")).unwrap_err().to_string();
    assert!(error.contains("line 8") && error.contains("the name of a column, or a table"), "{error}");
    let error = Mapping::from_toml(&SMALL.replace("code =", "cod =")).unwrap_err().to_string();
    assert!(error.contains("line 8") && error.contains("unknown field `cod`"), "{error}");
}

#[test]
fn what_makes_no_sense_is_told_with_its_field() {
    let category = |rest: &str| format!("[[category]]\nname = \"kind\"\n{rest}");
    refused(&category(""), &["kind", "either the name of a column, or a value"]);
    refused(&category("column = \"a\"\nvalue = \"b\""), &["kind", "either the name of a column, or a value"]);
    refused(&category("column = \"a\"\nclean = { range = [2, 1] }"), &["kind", "the smaller first"]);
    refused(&category("column = \"a\"\nclean = { range = [1.5, 2] }"), &["line 12", "two whole numbers"]);
    let clock = |rest: &str| format!("[[clock]]\nname = \"due\"\ncolumn = \"due\"\n{rest}");
    refused(&clock("formats = [\"%H:%M\"]"), &["due", "does not tell a day"]);
    refused(&clock("clean = { range = [1, 2] }"), &["due", "two times in quotes"]);
    refused(&clock("clean = { range = [\"2012-01-01\", \"2011-01-01\"] }"), &["due", "range"]);
    refused("[[tags]]\nname = \"marks\"\ncolumn = \"marks\"", &["marks", "a separator"]);
    refused("[[measure]]\nname = \"m\"", &["\"m\"", "either a column, or two clocks"]);
    refused("[[key]]\nname = \"k\"\ncolumn = \"k\"\ninteger = true\nsecret = \"x\"", &["\"k\"", "secret"]);
    refused("[file]\nheader_row = 0", &["header_row"]);
    refused("[file]\ndelimiter = \"；\"", &["delimiter"]);
    refused(
        "[[tree]]\nname = \"t\"\nlevels = [\"a\", \"b\"]\ncolumns = [\"a\"]",
        &["t has 2 levels and 1 column"],
    );
    refused("[[counter]]\nname = \"c\"\nwhere = \"nothing=1\"", &["nothing"]);
    refused("[[category]]\nname = \"place\"\ncolumn = \"a\"", &["place"]);
}

#[test]
fn the_mappings_among_the_examples_are_good() {
    let examples = [
        (include_str!("../../../examples/mappings/boston.toml"), 4),
        (include_str!("../../../examples/mappings/chicago.toml"), 3),
        (include_str!("../../../examples/mappings/pingshan.toml"), 3),
    ];
    for (text, levels) in examples {
        assert_eq!(Mapping::from_toml(text).unwrap().schema().place_levels().len(), levels);
    }
}
