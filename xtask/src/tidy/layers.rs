//! Which crate may know which.

use serde_json::Value;

use super::Violation;

/// Every crate and its layer. A crate depends on lower layers only.
const LAYERS: [(&str, u8); 18] = [
    // Vocabulary: no I/O, no async.
    ("ottla-protocol", 1),
    ("ottla-config", 1),
    // Decisions: pure state machines, no clock and no randomness of their own either.
    ("ottla-raft", 2),
    ("ottla-metadata", 2),
    ("ottla-replication", 2),
    ("ottla-groups", 2),
    ("ottla-transactions", 2),
    ("ottla-security", 2),
    // World: the disk.
    ("ottla-storage", 3),
    // Shell: async, joins decisions to the world.
    ("ottla-client", 4),
    ("ottla-broker", 4),
    ("ottla-console", 4),
    // Program.
    ("ottla", 5),
    // Proof: nothing above depends on these.
    ("ottla-simulator", 6),
    ("ottla-differential", 6),
    ("ottla-faults", 6),
    ("ottla-load", 6),
    ("xtask", 6),
];

/// Edges within a layer: the crate, and what it may depend on.
const WITHIN_A_LAYER: [(&str, &str); 3] = [
    ("ottla-config", "ottla-protocol"),
    ("ottla-broker", "ottla-client"),
    ("ottla-console", "ottla-broker"),
];

/// Dependencies that stand for I/O, async, clocks or randomness.
const WORLDLY: [&str; 7] = [
    "tokio",
    "rustix",
    "socket2",
    "getrandom",
    "rand",
    "mio",
    "async-trait",
];

/// The layers that must do without [`WORLDLY`] dependencies.
const LAST_PURE_LAYER: u8 = 2;

/// Checks the dependencies of every crate of the workspace, as `cargo metadata` lists them.
pub fn check(metadata: &Value) -> Vec<Violation> {
    let mut violations = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let mut violation = |problem: String| {
            violations.push(Violation {
                file: format!("{name}/Cargo.toml"),
                line: 0,
                problem,
            });
        };
        let Some(layer) = layer(name) else {
            violation(format!(
                "{name} has no layer; give it one in xtask/src/tidy/layers.rs"
            ));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let for_tests = dependency["kind"] == "dev";
            let dependency = dependency["name"].as_str().unwrap_or_default();
            if let Some(below) = self::layer(dependency) {
                if !may_depend(name, layer, dependency, below) {
                    violation(format!(
                        "layer {layer} must not depend on {dependency}, of layer {below}"
                    ));
                }
            } else if !for_tests && layer <= LAST_PURE_LAYER && WORLDLY.contains(&dependency) {
                violation(format!(
                    "layer {layer} is pure and must do without {dependency}"
                ));
            }
        }
    }
    violations
}

fn layer(name: &str) -> Option<u8> {
    LAYERS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, layer)| *layer)
}

fn may_depend(name: &str, layer: u8, dependency: &str, below: u8) -> bool {
    below < layer || WITHIN_A_LAYER.contains(&(name, dependency))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(name: &str, dependency: &str, kind: Value) -> Vec<String> {
        let dependencies = json!([{ "name": dependency, "kind": kind }]);
        let metadata = json!({ "packages": [{ "name": name, "dependencies": dependencies }] });
        check(&metadata)
            .into_iter()
            .map(|violation| violation.problem)
            .collect()
    }

    #[test]
    fn edges_point_down() {
        assert!(problems("ottla-storage", "ottla-protocol", Value::Null).is_empty());
        assert!(problems("ottla-config", "ottla-protocol", Value::Null).is_empty());
        assert!(!problems("ottla-protocol", "ottla-config", Value::Null).is_empty());
        assert!(!problems("ottla-groups", "ottla-storage", json!("dev")).is_empty());
        assert!(!problems("ottla-broker", "ottla-simulator", Value::Null).is_empty());
    }

    #[test]
    fn decisions_stay_pure() {
        assert!(!problems("ottla-groups", "tokio", Value::Null).is_empty());
        assert!(problems("ottla-groups", "tokio", json!("dev")).is_empty());
        assert!(problems("ottla-broker", "tokio", Value::Null).is_empty());
    }

    #[test]
    fn an_unknown_crate_needs_a_layer() {
        assert!(!problems("ottla-utils", "bytes", Value::Null).is_empty());
    }
}
