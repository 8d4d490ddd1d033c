//! Which brokers keep the replicas of new partitions.
//!
//! Source: `StripedReplicaPlacer`: racks in turn, within a rack brokers in turn, unfenced ones first
//! as leaders, and each partition begins one further than the one before.

use std::collections::BTreeMap;

use ottla_config::BrokerConfig;

use crate::image::MetadataImage;

/// The brokers of one rack and how far the striping has come.
struct Rack {
    unfenced: Vec<i32>,
    fenced: Vec<i32>,
}

/// Places replicas, partition after partition.
pub(crate) struct Placer {
    racks: Vec<Rack>,
    next_partition: usize,
}

/// Why replicas cannot be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PlacementError {
    #[error("the replication factor must be at least 1, not {0}")]
    NotPositive(i16),
    #[error("replication factor {wanted} is larger than the number of brokers, {brokers}")]
    TooFewBrokers { wanted: i16, brokers: usize },
    #[error("every broker is fenced, or has all its log directories cordoned")]
    NoneUsable,
}

impl Placer {
    /// A placer over the brokers of `image`; `offset` spreads the first leaders. `config` is that of
    /// this node, which places nothing on itself while its log directories are cordoned (KIP-1066).
    pub fn new(image: &MetadataImage, config: &BrokerConfig, offset: usize) -> Self {
        let is_cordoned = config.log.is_wholly_cordoned();
        let brokers = image.cluster().brokers();
        let usable = brokers.filter(|broker| !is_cordoned || broker.id().0 != config.node_id);
        let mut racks: BTreeMap<Option<&str>, Rack> = BTreeMap::new();
        for broker in usable {
            let rack = racks.entry(broker.rack()).or_insert_with(|| Rack {
                unfenced: Vec::new(),
                fenced: Vec::new(),
            });
            match broker.is_fenced() {
                true => rack.fenced.push(broker.id().0),
                false => rack.unfenced.push(broker.id().0),
            }
        }
        Self {
            racks: racks.into_values().collect(),
            next_partition: offset,
        }
    }

    /// The replicas of the next partition, the leader to be first.
    pub fn place(&mut self, replication_factor: i16) -> Result<Vec<i32>, PlacementError> {
        let wanted = usize::try_from(replication_factor)
            .ok()
            .filter(|wanted| *wanted > 0);
        let wanted = wanted.ok_or(PlacementError::NotPositive(replication_factor))?;
        if self.racks.iter().all(|rack| rack.unfenced.is_empty()) {
            return Err(PlacementError::NoneUsable);
        }
        let brokers: usize = self
            .racks
            .iter()
            .map(|rack| rack.unfenced.len() + rack.fenced.len())
            .sum();
        if wanted > brokers {
            return Err(PlacementError::TooFewBrokers {
                wanted: replication_factor,
                brokers,
            });
        }
        let start = self.next_partition;
        self.next_partition += 1;
        let mut replicas: Vec<i32> = self.stripe(start, |rack| &rack.unfenced).collect();
        replicas.extend(self.stripe(start, |rack| &rack.fenced));
        replicas.truncate(wanted);
        Ok(replicas)
    }

    /// One broker of each rack in turn, until all are named.
    fn stripe<'a>(
        &'a self,
        start: usize,
        brokers: impl Fn(&'a Rack) -> &'a Vec<i32>,
    ) -> impl Iterator<Item = i32> {
        let racks: Vec<&Vec<i32>> = self
            .racks
            .iter()
            .map(brokers)
            .filter(|brokers| !brokers.is_empty())
            .collect();
        let deepest = racks.iter().map(|brokers| brokers.len()).max().unwrap_or(0);
        let count = racks.len();
        (0..deepest).flat_map(move |depth| {
            let racks = racks.clone();
            (0..count).filter_map(move |turn| {
                let brokers = racks[(start + turn) % count];
                // The row moves on once every rack has been first.
                (depth < brokers.len()).then(|| brokers[(start / count + depth) % brokers.len()])
            })
        })
    }
}
