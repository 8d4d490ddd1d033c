//! The `rdkafka` crate against the broker given as argument; ends with "N passed, N failed".

mod client;
mod groups;
mod records;
mod topics;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use client::Broker;

/// Checks that run at a time.
const AT_ONCE: usize = 4;

type Check = (String, Box<dyn Fn(&Broker) + Send>);

fn check(name: impl Into<String>, run: impl Fn(&Broker) + Send + 'static) -> Check {
    (name.into(), Box::new(run))
}

fn checks() -> Vec<Check> {
    let mut checks = vec![
        check("topics: create, grow, refuse, delete", topics::topics),
        check("configs of topics and brokers", topics::configs),
    ];
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        for idempotent in [false, true] {
            let name = format!("produce {codec}, idempotent {idempotent}");
            checks.push(check(name, move |broker| {
                records::round_trip(broker, codec, idempotent)
            }));
        }
    }
    for acks in ["0", "1", "all"] {
        checks.push(check(format!("acks={acks}"), move |broker| {
            records::acknowledged(broker, acks)
        }));
    }
    checks.push(check("a record of 3 MB", records::large));
    checks.push(check("errors: too large, unknown topic", records::refused));
    checks.push(check("auto-create on produce", records::auto_create));
    checks.push(check(
        "seek by offset, time, ends; delete records",
        records::seek,
    ));
    checks.push(check("pause and resume", records::pause));
    checks.push(check("commit, fetch, metadata, restart", groups::commits));
    for strategy in ["range", "roundrobin", "cooperative-sticky"] {
        let name = format!("group of 3: join, leave with {strategy}");
        checks.push(check(name, move |broker| {
            groups::rebalances(broker, strategy)
        }));
    }
    checks.push(check("static members", groups::static_members));
    checks.push(check("groups: list, describe, delete", groups::groups));
    checks.reverse();
    checks
}

fn main() {
    let broker = Broker::new(
        std::env::args()
            .nth(1)
            .expect("usage: ottla-compat-rust HOST:PORT"),
    );
    let waiting = Mutex::new(checks());
    let outcomes = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some((name, run)) = waiting.lock().unwrap().pop() else {
                        break;
                    };
                    let passed = catch_unwind(AssertUnwindSafe(|| run(&broker))).is_ok();
                    println!("{} {name}", if passed { "ok     " } else { "FAILED " });
                    outcomes.lock().unwrap().push(passed);
                }
            });
        }
    });
    let outcomes = outcomes.into_inner().unwrap();
    let failed = outcomes.iter().filter(|passed| !**passed).count();
    println!("{} passed, {failed} failed", outcomes.len() - failed);
    std::process::exit(i32::from(failed > 0));
}
