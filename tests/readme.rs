//! The README and the crate page show one program; the crate page's runs as a doctest.

/// The lines of the first fenced block that starts with `fence`.
fn block<'a>(text: impl Iterator<Item = &'a str>, fence: &str) -> Vec<&'a str> {
    text.skip_while(|line| *line != fence).skip(1).take_while(|line| *line != "```").collect()
}

#[test]
fn the_readme_shows_the_program_of_the_crate_page() {
    let readme = block(include_str!("../README.md").lines(), "```rust");
    let page = include_str!("../src/lib.rs").lines();
    let page =
        page.map_while(|line| line.strip_prefix("//!")).map(|line| line.strip_prefix(' ').unwrap_or(line));
    assert_eq!(readme, block(page, "```"));
    assert!(readme.len() > 20);
}
