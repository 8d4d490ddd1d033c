//! Which partition of `__consumer_offsets` coordinates a group.

/// The partition among `partitions` that coordinates `group_id`: the absolute value of Java's hash of the id,
/// 0 for the one that has none, modulo the number of partitions. `partitions` must be positive.
///
/// Source: `GroupCoordinatorService.partitionFor`, `Utils.abs`, `String.hashCode`.
pub fn partition_for(group_id: &str, partitions: i32) -> i32 {
    assert!(
        partitions > 0,
        "__consumer_offsets has at least one partition"
    );
    let hash = group_id.encode_utf16().fold(0i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    });
    // `Utils.abs`, which is not `Utils.toPositive`: the sign is dropped, not the sign bit.
    hash.checked_abs().unwrap_or(0) % partitions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_javas() {
        // Computed with Utils.abs(groupId.hashCode()) % n of the reference release.
        for (group_id, partitions, expected) in [
            ("", 50, 0),
            ("a", 50, 47),
            ("classic-dynamic", 4, 0),
            ("modern", 4, 1),
            ("simple", 4, 2),
            ("classic-static", 4, 3),
            ("sharing", 4, 0),
            // The hash is Integer.MIN_VALUE, whose absolute value does not exist.
            ("polygenelubricants", 50, 0),
            // Outside the basic plane: two UTF-16 units.
            ("\u{1f600}", 50, 49),
        ] {
            assert_eq!(partition_for(group_id, partitions), expected, "{group_id}");
        }
    }
}
