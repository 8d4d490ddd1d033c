//! Which names a topic may have.

/// The longest name, in bytes.
const MAX_NAME_BYTES: usize = 249;

/// Why a name is not a topic's. Source: `org.apache.kafka.common.internals.Topic`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameError {
    #[error("the topic name is empty; give it at least one character")]
    Empty,
    #[error("topic names '.' and '..' are not allowed")]
    Dots,
    #[error("the topic name has {0} characters; at most {MAX_NAME_BYTES} are allowed")]
    TooLong(usize),
    #[error("topic name '{0}' has other characters than letters, digits, '.', '_' and '-'")]
    Characters(String),
    #[error(
        "topic '{0}' collides with existing topic '{1}': '.' and '_' are the same in metric names"
    )]
    Collision(String, String),
}

/// Whether `name` may be a topic's.
pub(crate) fn check(name: &str) -> Result<(), NameError> {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    match name {
        "" => Err(NameError::Empty),
        "." | ".." => Err(NameError::Dots),
        _ if name.len() > MAX_NAME_BYTES => Err(NameError::TooLong(name.len())),
        _ if !name.bytes().all(is_legal) => Err(NameError::Characters(name.to_owned())),
        _ => Ok(()),
    }
}

/// Whether two names differ only in `.` and `_`.
pub(crate) fn collide(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().map(unify).eq(other.bytes().map(unify))
}

/// Whether a name has a character that may collide.
pub(crate) fn may_collide(name: &str) -> bool {
    name.contains(['.', '_'])
}

fn unify(byte: u8) -> u8 {
    if byte == b'.' { b'_' } else { byte }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let long = "a".repeat(250);
        for (name, legal) in [
            ("a", true),
            ("A.b_c-9", true),
            ("", false),
            (".", false),
            ("..", false),
            ("...", true),
            ("a b", false),
            ("ä", false),
            (&long, false),
            (&long[1..], true),
        ] {
            assert_eq!(check(name).is_ok(), legal, "{name:?}");
        }
        assert!(collide("a.b", "a_b"));
        assert!(!collide("a.b", "a-b"));
    }
}
