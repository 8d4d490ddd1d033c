//! The tables of all properties, one for each scope, and what a row says.
//!
//! One row holds everything that is known of a property; the parser, the typed configurations,
//! DescribeConfigs and the checks of alterations all read it. Rows stand in one file for each part
//! of the broker they belong to.

mod broker_groups;
mod broker_log;
mod broker_network;
mod broker_quorum;
mod broker_remote_log;
mod broker_replication;
mod broker_sasl;
mod broker_server;
mod broker_share;
mod broker_ssl;
mod broker_streams;
mod broker_transactions;
mod client_metrics;
mod group;
mod quota;
mod row;
mod topic;

use std::collections::HashMap;
use std::sync::LazyLock;

pub use row::{DefaultValue, Effect, Feature, Importance, Property, Reason, UpdateMode};

/// The properties of one kind of resource.
pub struct Table {
    by_name: HashMap<&'static str, &'static Property>,
    sorted: Vec<&'static Property>,
}

impl Table {
    fn new(parts: &[&'static [Property]]) -> Self {
        let mut sorted: Vec<&'static Property> = parts.iter().copied().flatten().collect();
        sorted.sort_by_key(|property| property.name);
        let by_name = sorted
            .iter()
            .map(|property| (property.name, *property))
            .collect();
        Self { by_name, sorted }
    }

    /// The row of `name`.
    pub fn get(&self, name: &str) -> Option<&'static Property> {
        self.by_name.get(name).copied()
    }

    /// All rows, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &'static Property> + '_ {
        self.sorted.iter().copied()
    }

    /// The known name nearest to `name`, if one is near enough to be meant.
    pub fn suggest(&self, name: &str) -> Option<&'static str> {
        const MAX_DISTANCE: usize = 3;
        let distance = |property: &&'static Property| edit_distance(property.name, name);
        let nearest = self.sorted.iter().copied().min_by_key(distance)?;
        let is_near = edit_distance(nearest.name, name) <= MAX_DISTANCE.min(name.len() / 3);
        is_near.then_some(nearest.name)
    }
}

/// Properties of a broker or controller, as `server.properties` holds them.
pub static BROKER: LazyLock<Table> = LazyLock::new(|| {
    Table::new(&[
        broker_groups::PROPERTIES,
        broker_log::PROPERTIES,
        broker_network::PROPERTIES,
        broker_quorum::PROPERTIES,
        broker_remote_log::PROPERTIES,
        broker_replication::PROPERTIES,
        broker_sasl::PROPERTIES,
        broker_server::PROPERTIES,
        broker_share::PROPERTIES,
        broker_ssl::PROPERTIES,
        broker_streams::PROPERTIES,
        broker_transactions::PROPERTIES,
    ])
});

/// Properties of a topic.
pub static TOPIC: LazyLock<Table> = LazyLock::new(|| Table::new(&[topic::PROPERTIES]));

/// Properties of a group.
pub static GROUP: LazyLock<Table> = LazyLock::new(|| Table::new(&[group::PROPERTIES]));

/// Properties of a client metrics subscription (KIP-714).
pub static CLIENT_METRICS: LazyLock<Table> =
    LazyLock::new(|| Table::new(&[client_metrics::PROPERTIES]));

/// Quotas of users and client ids.
pub static CLIENT_QUOTA: LazyLock<Table> =
    LazyLock::new(|| Table::new(&[quota::CLIENT_PROPERTIES]));

/// Properties of a broker that only exist while it runs: quotas of replication.
pub static BROKER_QUOTA: LazyLock<Table> =
    LazyLock::new(|| Table::new(&[quota::BROKER_PROPERTIES]));

/// Quotas of IP addresses.
pub static IP_QUOTA: LazyLock<Table> = LazyLock::new(|| Table::new(&[quota::IP_PROPERTIES]));

/// How many characters must be put in, taken out or changed to turn one text into the other.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (left_index, left_character) in left.chars().enumerate() {
        let mut diagonal = left_index;
        let mut before = left_index + 1;
        for (slot, right_character) in row.iter_mut().skip(1).zip(&right) {
            let substituted = diagonal + usize::from(left_character != *right_character);
            diagonal = *slot;
            before = substituted.min(*slot + 1).min(before + 1);
            *slot = before;
        }
        if let Some(first) = row.first_mut() {
            *first = left_index + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests;
