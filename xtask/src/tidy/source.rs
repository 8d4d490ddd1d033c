//! Rules of Rust sources: how long things may be, `unsafe`, and what pure crates must not touch.

use super::Violation;

/// How many lines a function may have, from its signature to its closing brace.
const MAX_FUNCTION_LINES: usize = 70;

/// How many lines a file may have without its tests.
const MAX_FILE_LINES: usize = 600;

/// How many lines above an `unsafe` its reason may stand.
const SAFETY_DISTANCE: usize = 6;

/// Folders of the crates that must not touch the world.
const PURE: [&str; 8] = [
    "crates/protocol/src/",
    "crates/config/src/",
    "crates/raft/src/",
    "crates/metadata/src/",
    "crates/replication/src/",
    "crates/groups/src/",
    "crates/transactions/src/",
    "crates/security/src/",
];

/// How sources reach for files, sockets, clocks and threads.
const WORLDLY: [&str; 9] = [
    "std::fs",
    "std::thread",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "SystemTime",
    "Instant::now",
    "async fn",
    "async move",
];

/// Files that may be longer than [`MAX_FILE_LINES`], and functions, as `file: name`, that may be longer than
/// [`MAX_FUNCTION_LINES`], each with the reason.
const EXCEPTIONS: [(&str, &str); 0] = [];

/// Checks a hand-written Rust file.
pub fn check(path: &str, text: &str) -> Vec<Violation> {
    let all: Vec<&str> = text.lines().collect();
    let mut violations = undocumented_unsafe(path, &all);
    if is_test_file(path) {
        return violations;
    }
    let lines = without_tests(&all);
    if lines.len() > MAX_FILE_LINES && !is_excepted(path) {
        let problem = format!(
            "{} lines without tests; split it at {MAX_FILE_LINES}",
            lines.len()
        );
        violations.push(Violation {
            file: path.to_owned(),
            line: 0,
            problem,
        });
    }
    violations.extend(long_functions(path, lines));
    if PURE.iter().any(|folder| path.starts_with(folder)) {
        violations.extend(worldly_lines(path, lines));
    }
    violations
}

fn is_excepted(what: &str) -> bool {
    EXCEPTIONS
        .iter()
        .any(|(excepted, _reason)| *excepted == what)
}

/// Whether a whole file is tests.
pub fn is_test_file(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    path.split('/')
        .any(|folder| folder == "tests" || folder == "benches")
        || file == "tests.rs"
        || file.ends_with("_tests.rs")
        || file.ends_with("_test.rs")
}

/// The lines above the test module, which stands last.
fn without_tests<'a, 'b>(lines: &'a [&'b str]) -> &'a [&'b str] {
    let is_test_module = |index: &usize| {
        lines[*index] == "#[cfg(test)]"
            && lines
                .get(index + 1)
                .is_some_and(|next| next.starts_with("mod ") && next.ends_with('{'))
    };
    let end = (0..lines.len()).find(is_test_module).unwrap_or(lines.len());
    &lines[..end]
}

fn undocumented_unsafe(path: &str, lines: &[&str]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let code = line.split("//").next().unwrap_or(line).trim_start();
        let opens = code.contains("unsafe {") || code.starts_with("unsafe impl");
        let above = &lines[index.saturating_sub(SAFETY_DISTANCE)..=index];
        if opens && !code.contains('"') && !above.iter().any(|line| line.contains("SAFETY:")) {
            let problem = "unsafe without a SAFETY comment above it".to_owned();
            violations.push(Violation {
                file: path.to_owned(),
                line: index + 1,
                problem,
            });
        }
    }
    violations
}

fn worldly_lines(path: &str, lines: &[&str]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let code = line.split("//").next().unwrap_or(line);
        for word in WORLDLY.iter().filter(|word| code.contains(**word)) {
            let problem =
                format!("{word} in a pure crate; take it as an argument, give it as an effect");
            violations.push(Violation {
                file: path.to_owned(),
                line: index + 1,
                problem,
            });
        }
    }
    violations
}

fn long_functions(path: &str, lines: &[&str]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else {
            continue;
        };
        let length = function_length(&lines[index..]);
        if length > MAX_FUNCTION_LINES && !is_excepted(&format!("{path}: {name}")) {
            let problem = format!("{name} has {length} lines; split it at {MAX_FUNCTION_LINES}");
            violations.push(Violation {
                file: path.to_owned(),
                line: index + 1,
                problem,
            });
        }
    }
    violations
}

/// The name of the function whose signature begins on `line`.
fn function_name(line: &str) -> Option<&str> {
    // A line of a string that goes on is no signature.
    if line.ends_with('\\') {
        return None;
    }
    const BEFORE: [&str; 8] = [
        "pub",
        "pub(crate)",
        "pub(super)",
        "const",
        "async",
        "unsafe",
        "extern",
        "\"C\"",
    ];
    let mut words = line
        .split_whitespace()
        .skip_while(|word| BEFORE.contains(word) || word.starts_with("pub(in"));
    if words.next() != Some("fn") {
        return None;
    }
    words.next()?.split(['(', '<']).next()
}

/// How many lines the function has whose signature is the first of `lines`, formatted by rustfmt.
fn function_length(lines: &[&str]) -> usize {
    let indentation = |line: &str| line.len() - line.trim_start().len();
    let own = indentation(lines[0]);
    for (index, line) in lines.iter().enumerate() {
        let on_level = !line.trim().is_empty() && indentation(line) == own;
        let closes = line.trim() == "}" || index == 0 && line.ends_with('}');
        if on_level && (closes || line.ends_with(';')) {
            return index + 1;
        }
    }
    lines.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(lines: usize) -> String {
        format!(
            "    pub fn f(\n        a: u8,\n    ) -> u8 {{\n{}    }}\n",
            "        a;\n".repeat(lines - 4)
        )
    }

    #[test]
    fn lengths_are_counted_without_tests() {
        let count = |text: &str| check("crates/broker/src/a.rs", text).len();
        assert_eq!(count(&function(70)), 0);
        assert_eq!(count(&function(71)), 1);
        assert_eq!(
            count(&format!("#[cfg(test)]\nmod tests {{\n{}}}\n", function(80))),
            0
        );
        assert_eq!(count(&"const A: u8 = 1;\n".repeat(600)), 0);
        assert_eq!(count(&"const A: u8 = 1;\n".repeat(601)), 1);
        assert_eq!(check("crates/broker/tests/a.rs", &function(80)), []);
        assert_eq!(
            count("    fn declared(&self) -> u8;\n    fn short() {}\n"),
            0
        );
    }

    #[test]
    fn unsafe_needs_its_reason() {
        let count = |text: &str| check("crates/storage/src/a.rs", text).len();
        assert_eq!(count("let a = unsafe { f() };\n"), 1);
        assert_eq!(
            count("// SAFETY: f is never wrong.\nlet a = unsafe { f() };\n"),
            0
        );
    }

    #[test]
    fn pure_crates_do_not_read_clocks() {
        let text = "let now = SystemTime::now();\n";
        assert_eq!(check("crates/groups/src/a.rs", text).len(), 1);
        assert_eq!(check("crates/broker/src/a.rs", text).len(), 0);
        assert_eq!(
            check("crates/groups/src/a.rs", "// not SystemTime\n").len(),
            0
        );
    }
}
