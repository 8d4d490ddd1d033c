//! Small quorums under a seed: first faults, then healing, and after it everybody agrees.
//!
//! `RAFT_SEEDS=100000` runs more of them.
//! `RAFT_SEED=17 cargo test -p ottla-raft --test simulation -- --nocapture` replays a seed and prints what happens.

mod cluster;
mod disk;
mod invariants;
mod random;

use ottla_protocol::ids::Offset;

use cluster::Cluster;

const SEEDS: u64 = 2000;
const FAULTS_MS: u64 = 1200;
const HEALING_MS: u64 = 900;

/// Says which seed failed.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "seed {} failed; replay it with RAFT_SEED={}",
                self.0, self.0
            );
        }
    }
}

/// What a run did, so that a run that does nothing is seen.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    trace: u64,
    committed: usize,
    epochs: i32,
}

fn run(number: u64, print: bool) -> Outcome {
    let seed = Seed(number);
    let mut cluster = Cluster::new(seed.0, print);
    let end_ms = cluster.now_ms + FAULTS_MS;
    while cluster.now_ms < end_ms {
        let step_ms = 5 + cluster.random.below(15);
        cluster.run_until(cluster.now_ms + step_ms);
        if cluster.random.permille(700) {
            cluster.append();
        }
        do_harm(&mut cluster);
        if cluster.random.permille(50) {
            cluster.check_logs();
        }
    }
    cluster.check_logs();
    cluster.heal();
    let committed_in_faults = cluster.ledger.committed.len();
    cluster.run_until(cluster.now_ms + HEALING_MS);
    cluster.append();
    cluster.run_until(cluster.now_ms + 100);
    converged(&cluster, committed_in_faults);
    let leader = cluster.nodes[0].raft.as_ref().unwrap().election();
    Outcome {
        trace: cluster.trace,
        committed: cluster.ledger.committed.len(),
        epochs: leader.epoch.0,
    }
}

fn do_harm(cluster: &mut Cluster) {
    let count = cluster.nodes.len() as u64;
    let index = cluster.random.below(count) as usize;
    let is_up = cluster.nodes[index].raft.is_some();
    match cluster.random.below(100) {
        0..3 if is_up => cluster.crash(index),
        3..13 if !is_up => {
            // Of the damage that a quorum survives: one node at a time, and never its only voter.
            let voters = cluster.nodes.iter().filter(|node| node.is_voter).count();
            let damaged = cluster.nodes.iter().any(|node| node.disk.damaged);
            if voters > 1 && !damaged && cluster.random.permille(200) {
                cluster.damage(index);
            }
            cluster.start(index);
        }
        13..16 => {
            // One side of a partition, or one direction of it.
            let side: Vec<bool> = (0..count).map(|_| cluster.random.permille(500)).collect();
            let one_way = cluster.random.permille(300);
            for from in 0..count as usize {
                for to in 0..count as usize {
                    if side[from] != side[to] && (side[from] || !one_way) {
                        cluster.cuts.insert((from, to));
                    }
                }
            }
        }
        16..22 => cluster.cuts.clear(),
        22..25 => {
            let for_ms = 20 + cluster.random.below(250);
            cluster.pause(index, for_ms);
        }
        25..27 => cluster.shut_down(index),
        27..32 => cluster.snapshot(index),
        _ => {}
    }
}

/// After healing there is one leader, it still commits, and everybody has all of it.
fn converged(cluster: &Cluster, committed_in_faults: usize) {
    let rafts = || cluster.nodes.iter().map(|node| node.raft.as_ref().unwrap());
    let leaders: Vec<_> = rafts().filter(|raft| raft.is_leader()).collect();
    assert_eq!(leaders.len(), 1, "not one leader");
    let leader = leaders[0];
    assert!(leader.high_watermark() > Offset(0));
    assert_eq!(leader.high_watermark(), leader.log().end_offset());
    for (raft, node) in rafts().zip(&cluster.nodes) {
        assert_eq!(raft.election().epoch, leader.election().epoch);
        assert_eq!(raft.election().leader, leader.election().leader);
        assert_eq!(raft.high_watermark(), leader.high_watermark());
        assert_eq!(raft.log().durable_end_offset(), leader.log().end_offset());
        assert_eq!(node.applied, leader.high_watermark());
    }
    let digests: Vec<_> = cluster.nodes.iter().map(|node| node.digest).collect();
    assert!(digests.iter().all(|digest| *digest == digests[0]));
    assert!(cluster.ledger.committed.len() > committed_in_faults);
}

#[test]
fn no_seed_breaks_the_quorum() {
    if let Ok(seed) = std::env::var("RAFT_SEED") {
        run(seed.parse().expect("RAFT_SEED is a number"), true);
        return;
    }
    let seeds = std::env::var("RAFT_SEEDS").map_or(SEEDS, |seeds| {
        seeds.parse().expect("RAFT_SEEDS is a number")
    });
    let outcomes: Vec<Outcome> = (0..seeds).map(|seed| run(seed, false)).collect();
    let committed: usize = outcomes.iter().map(|outcome| outcome.committed).sum();
    let contested = outcomes.iter().filter(|outcome| outcome.epochs > 2).count();
    // The seeds test something: there are commits, and most runs have lost leaders.
    assert!(committed > 10 * outcomes.len());
    assert!(contested > outcomes.len() / 3);
    eprintln!(
        "{seeds} seeds: {committed} batches committed, {contested} runs with several leaders"
    );
}

#[test]
fn one_seed_gives_one_trace() {
    for seed in 0..20 {
        assert_eq!(run(seed, false), run(seed, false));
    }
    assert_ne!(run(1, false).trace, run(2, false).trace);
}
