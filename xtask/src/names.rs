//! From Kafka's names to Rust's.

/// Words that Rust keeps for itself, as far as a field could be called so.
const KEYWORDS: [&str; 6] = ["type", "match", "ref", "move", "in", "where"];

/// The snake case of a name: `ReplicaId` and `replicaId` become `replica_id`, and `KRaftVersion` `kraft_version`.
pub fn snake_case(name: &str) -> String {
    let name = name.replace("KRaft", "Kraft").replace("kRaft", "kraft");
    let characters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (index, character) in characters.iter().enumerate() {
        let after_lower = index > 0 && !characters[index - 1].is_ascii_uppercase();
        let before_lower = characters
            .get(index + 1)
            .is_some_and(char::is_ascii_lowercase);
        if character.is_ascii_uppercase() && index > 0 && (after_lower || before_lower) {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

/// The name of a field: snake case, with an underscore after a keyword.
pub fn field_name(name: &str) -> String {
    let mut field = snake_case(name);
    if KEYWORDS.contains(&field.as_str()) {
        field.push('_');
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_snake_case() {
        let check = |name, expected: &str| assert_eq!(field_name(name), expected);
        check("ReplicaId", "replica_id");
        check("timeoutMs", "timeout_ms");
        check("KRaftVersionFeature", "kraft_version_feature");
        check("HMACKey", "hmac_key");
        check("Type", "type_");
        check("ISR", "isr");
    }
}
