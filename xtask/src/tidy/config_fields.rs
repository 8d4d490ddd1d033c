//! Every field of the typed configuration is read somewhere: a property that reaches the configuration of a broker or
//! topic also acts. The tests of `crates/config` hold the tables to the typed configuration, in both directions.

use std::collections::BTreeMap;

use super::Violation;

/// Where the typed configuration is declared.
const DECLARED_IN: [&str; 2] = [
    "crates/config/src/broker_config/parts.rs",
    "crates/config/src/topic_config.rs",
];

/// `sources`: path and text of every hand-written Rust file of the workspace, tests left out.
pub fn check(sources: &BTreeMap<String, String>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for path in DECLARED_IN {
        let text = sources.get(path).map_or("", String::as_str);
        for (index, line) in text.lines().enumerate() {
            let Some(field) = declared_field(line) else {
                continue;
            };
            if !sources.values().any(|text| reads(text, field)) {
                violations.push(Violation {
                    file: path.to_owned(),
                    line: index + 1,
                    problem: format!("nobody reads {field}: let its property act, or say in the table that it does not"),
                });
            }
        }
    }
    violations
}

fn declared_field(line: &str) -> Option<&str> {
    let (field, _) = line.strip_prefix("    pub ")?.split_once(": ")?;
    let is_name = field
        .chars()
        .all(|one| one.is_ascii_lowercase() || one == '_');
    is_name.then_some(field)
}

/// Whether a text has `.field` as a whole word.
fn reads(text: &str, field: &str) -> bool {
    text.match_indices(field).any(|(at, _)| {
        let ends = !text[at + field.len()..]
            .starts_with(|next: char| next.is_alphanumeric() || next == '_' || next == '(');
        text[..at].ends_with('.') && ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_nobody_reads_is_told() {
        let declaration = "pub struct A {\n    pub read: i32,\n    pub unread: i32,\n}\n";
        let reader = "fn f(a: &A) -> i32 { a.unread_too + a.read + a.unread() }";
        let sources = BTreeMap::from([
            (DECLARED_IN[0].to_owned(), declaration.to_owned()),
            ("other.rs".to_owned(), reader.to_owned()),
        ]);
        let violations = check(&sources);
        assert_eq!(violations.len(), 1);
        assert_eq!(violations[0].line, 3);
    }
}
