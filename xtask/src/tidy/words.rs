//! Words that no file of the repository may hold.

use super::Violation;

/// Paths of one machine. Written in two halves here so that this file does not hold them.
const MACHINE_PATHS: [&str; 3] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("../sh", "ared/"),
];

/// Rust that must not be left behind: the word, and what to do.
const LEFTOVERS: [(&str, &str); 5] = [
    (concat!("to", "do!("), "write it"),
    (concat!("unimpl", "emented!("), "write it"),
    (concat!("db", "g!("), "remove it"),
    (concat!("#[ig", "nore"), "a test runs or does not exist"),
    (concat!("TO", "DO"), "do it, or open an issue"),
];

/// Checks a text file.
pub fn check(path: &str, text: &str) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut violation = |problem: String| {
            violations.push(Violation {
                file: path.to_owned(),
                line: index + 1,
                problem,
            });
        };
        for word in MACHINE_PATHS.iter().filter(|word| line.contains(**word)) {
            violation(format!("a path of one machine: {word}"));
        }
        if !path.ends_with(".rs") {
            continue;
        }
        for (word, remedy) in LEFTOVERS.iter().filter(|(word, _)| line.contains(word)) {
            violation(format!("{word} is left over: {remedy}"));
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_are_found_where_they_stand() {
        let text = format!("fn f() {{\n    {}x);\n}}\n", LEFTOVERS[2].0);
        let violations = check("crates/a/src/lib.rs", &text);
        assert_eq!(violations.len(), 1);
        assert_eq!(violations[0].line, 2);
        assert!(check("notes.md", &text).is_empty());
        assert_eq!(check("notes.md", MACHINE_PATHS[0]).len(), 1);
    }
}
