use proptest::prelude::*;

use super::*;

fn schema() -> Schema {
    Schema::builder("America/New_York")
        .place(["city", "ward"])
        .tree("topic", ["subject", "reason"])
        .category("channel")
        .tags("tags")
        .outcome("solved", ["yes", "no", "not at all"])
        .clock("closed")
        .measure("minutes")
        .key("caller")
        .location()
        .text("note")
        .build()
        .unwrap()
}

fn parsed(text: &str) -> Filter {
    schema().filter(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn the_text_form_reads_as_its_table_says() {
    assert_eq!(parsed("channel=phone|web form"), any_of("channel", ["phone", "web form"]));
    assert_eq!(parsed("channel != phone"), !is("channel", "phone"));
    let topic = Filter::Under {
        tree: "topic".to_owned(),
        nodes: vec![NodeRef::from(["Street", "A/B"]), NodeRef::code("17")],
    };
    assert_eq!(parsed(r"topic=Street/A\/B|code:17"), topic);
    assert_eq!(parsed("place=Boston/17"), under("place", ["Boston", "17"]));
    assert_eq!(parsed("tags~a&b c"), has_all("tags", ["a", "b c"]));
    assert_eq!(parsed("tags~a|b"), any_of("tags", ["a", "b"]));
    assert_eq!(parsed("channel="), missing("channel"));
    assert_eq!(parsed("minutes>=10"), between("minutes", 10, i64::MAX));
    assert_eq!(parsed("minutes<-3"), between("minutes", i64::MIN, -4));
    assert_eq!(parsed("minutes=0"), between("minutes", 0, 0));
    assert_eq!(parsed("closed<2012-01-01"), during("closed", Span::until(1_325_394_000).unwrap()));
    let boxed =
        Filter::Within { west: -711_000_000, south: 423_000_000, east: -710_000_000, north: 424_000_000 };
    assert_eq!(parsed("location=-71.1,42.3,-71.0,42.4"), boxed);
    assert_eq!(parsed("all"), Filter::All);
}

#[test]
fn and_binds_tighter_than_or_and_brackets_tighter_still() {
    let (phone, yes, long) = (is("channel", "phone"), is("solved", "yes"), between("minutes", 9, 9));
    let either = Filter::Or(vec![phone.clone(), Filter::And(vec![yes.clone(), long.clone()])]);
    assert_eq!(parsed("channel=phone or solved=yes and minutes=9"), either);
    let both = Filter::And(vec![Filter::Or(vec![phone, yes.clone()]), long]);
    assert_eq!(parsed("(channel=phone or solved=yes) and minutes=9"), both);
    assert_eq!(parsed("not not solved=yes"), !!yes);
}

#[test]
fn a_missing_value_does_not_swallow_what_follows() {
    let both = Filter::And(vec![missing("channel"), is("solved", "yes")]);
    assert_eq!(parsed("channel= and solved=yes"), both);
    assert_eq!(parsed("(closed= or solved=yes)"), Filter::Or(vec![missing("closed"), is("solved", "yes")]));
}

#[test]
fn values_may_hold_anything_in_quotes_and_brackets_in_pairs() {
    assert_eq!(parsed(r#"channel="this or \"that\" | \\""#), is("channel", r#"this or "that" | \"#));
    assert_eq!(parsed("(channel=Request (Other))"), is("channel", "Request (Other)"));
    assert_eq!(parsed("solved=not at all"), is("solved", "not at all"));
    assert_eq!(parsed("channel=Brandy|Andover"), any_of("channel", ["Brandy", "Andover"]));
}

#[test]
fn what_cannot_be_read_says_where_and_what_would_do() {
    let refused = |text: &str, says: &str| {
        let error = schema().filter(text).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    };
    refused("chanel=phone", "the nearest are channel");
    refused("solved=maybe", "\"maybe\"");
    refused("channel=phone and", "expected the name of a field");
    refused("(channel=phone", "closing bracket");
    refused("channel phone", "expected one of");
    refused("channel~phone", "write channel=a|b");
    refused("minutes>=ten", "expected an integer");
    refused("closed<yesterday", "yesterday");
    refused("closed=2012-01-01", "compare \"closed\" with <");
    refused("created=", "never missing");
    refused("caller=7", "asked for as missing");
    refused("location=1,2,3", "WEST,SOUTH,EAST,NORTH");
    refused("tags~a&b|c", "not by both");
    refused("channel=\"phone", "closing quote");
    refused(&"(".repeat(1_000_000), "nested too deep");
}

/// Filters as code can build them, with names that need every kind of escape.
fn filters() -> impl Strategy<Value = Filter> {
    let name = prop::sample::select(vec![
        "a", "and", "x or y", "a/b", r"\", "\"", "code:1", "node:1", "(", ")", "é|&", " ",
    ]);
    let names = prop::collection::vec(name.prop_map(str::to_owned), 1..4);
    let path = names.clone().prop_map(NodeRef::Path);
    let leaf = prop_oneof![
        Just(Filter::All),
        names.clone().prop_map(|values| any_of("channel", values)),
        names.clone().prop_map(|values| any_of("tags", values)),
        names.prop_map(|values| has_all("tags", values)),
        prop::collection::vec(path, 1..3).prop_map(|nodes| Filter::Under { tree: "topic".to_owned(), nodes }),
        prop::sample::select(vec!["channel", "topic", "place", "note", "location", "caller"])
            .prop_map(missing),
        Just(Filter::Within { west: -1_800_000_000, south: -1, east: 7, north: 900_000_000 }),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::Or),
            inner.prop_map(|filter| !filter),
        ]
    })
}

#[test]
fn a_range_is_written_as_short_as_it_can_be() {
    for text in [
        "minutes>=10",
        "minutes<=-3",
        "minutes=0",
        "minutes>=-9223372036854775808",
        "minutes>=1 and minutes<=5 or channel=",
        "not (minutes>=1 and minutes<=5)",
        "closed<2012-01-01T00:00:00Z",
        "closed>=2012-01-01T00:00:00Z",
        "not not closed= or (solved=no or channel=a) and all",
    ] {
        assert_eq!(parsed(text).to_string(), text);
    }
    assert_eq!(
        between("minutes", 1, 5).and(is("solved", "no")).to_string(),
        "(minutes>=1 and minutes<=5) and solved=no"
    );
    let year = Span::new(1_325_394_000, 1_356_930_000).unwrap();
    assert_eq!(
        (!during("closed", year)).to_string(),
        "not (closed>=2012-01-01T05:00:00Z and closed<2012-12-31T05:00:00Z)"
    );
}

proptest! {
    #[test]
    fn what_display_writes_is_read_back(filter in filters()) {
        let text = filter.to_string();
        prop_assert_eq!(schema().filter(&text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?, filter);
    }

    #[test]
    fn any_text_is_a_filter_or_an_error(text in "[a-z=!~<>|&()\\\\\" ,0-9]{0,40}|.{0,40}") {
        let _ = schema().filter(&text);
    }
}
