//! Consumer groups and committed offsets.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures_executor::block_on;
use rdkafka::Message;
use rdkafka::admin::AdminOptions;
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode;

use crate::client::{Broker, DEADLINE, eventually, read, value};

/// The offset of partition 0.
fn offset(topic: &str, offset: i64) -> TopicPartitionList {
    let mut one = TopicPartitionList::new();
    one.add_partition_offset(topic, 0, Offset::Offset(offset))
        .expect("a partition");
    one
}

pub fn commits(broker: &Broker) {
    let topic = broker.new_topic("commits", 1, &[]);
    broker.fill(&topic, 0, 100, "v");
    let member = || {
        let member = broker.consumer(&[("group.id", &topic)]);
        member.subscribe(&[&topic]).expect("subscribed");
        member
    };
    let first = member();
    let committed = || {
        let mut one = TopicPartitionList::new();
        one.add_partition(&topic, 0);
        let committed = first.committed_offsets(one, DEADLINE).expect("offsets");
        (
            committed.elements()[0].offset(),
            committed.elements()[0].metadata().to_owned(),
        )
    };
    assert_eq!(committed(), (Offset::Invalid, String::new()));
    read(&first, 10);
    first
        .commit(&offset(&topic, 10), CommitMode::Sync)
        .expect("committed");
    assert_eq!(committed(), (Offset::Offset(10), String::new()));
    let described = offset(&topic, 33);
    described.elements()[0].set_metadata("über 33");
    first
        .commit(&described, CommitMode::Async)
        .expect("committed");
    eventually("committed", || {
        committed() == (Offset::Offset(33), "über 33".to_owned())
    });
    drop(first);
    let second = member();
    assert_eq!(value(&read(&second, 67)[0]), "v33");
}

/// A member of a group on a thread of its own.
struct Member {
    stopping: Arc<AtomicBool>,
    owned: Arc<Mutex<BTreeSet<i32>>>,
    thread: Option<JoinHandle<()>>,
}

impl Member {
    fn join(
        broker: &Broker,
        topic: &str,
        values: &Arc<Mutex<BTreeSet<String>>>,
        settings: &[(&str, &str)],
    ) -> Self {
        let consumer = broker.consumer(&[settings, &[("group.id", topic)]].concat());
        consumer.subscribe(&[topic]).expect("subscribed");
        let (stopping, owned) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(Mutex::new(BTreeSet::new())),
        );
        let (stop, own, values) = (stopping.clone(), owned.clone(), values.clone());
        let thread = thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                if let Some(Ok(message)) = consumer.poll(Duration::from_millis(20)) {
                    values.lock().unwrap().insert(value(&message.detach()));
                }
                let assignment = consumer.assignment().expect("the assignment");
                *own.lock().unwrap() = assignment
                    .elements()
                    .iter()
                    .map(|element| element.partition())
                    .collect();
            }
        });
        Self {
            stopping,
            owned,
            thread: Some(thread),
        }
    }

    fn owned(&self) -> BTreeSet<i32> {
        self.owned.lock().unwrap().clone()
    }
}

/// Dropping it closes its consumer, which leaves the group unless it is a static member.
impl Drop for Member {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the member's thread");
        }
    }
}

/// Waits until the members have all of the partitions among them, each at least one and none shared.
fn settled(members: &[&Member], partitions: usize) {
    eventually("the partitions are spread", || {
        let owned: Vec<_> = members.iter().map(|member| member.owned()).collect();
        let all: BTreeSet<_> = owned.iter().flatten().collect();
        owned.iter().all(|set| !set.is_empty())
            && owned.iter().map(BTreeSet::len).sum::<usize>() == partitions
            && all.len() == partitions
    });
}

pub fn rebalances(broker: &Broker, strategy: &str) {
    let topic = broker.new_topic(&format!("group-{strategy}"), 6, &[]);
    let values = Arc::default();
    let mut members: Vec<Member> = Vec::new();
    for _ in 0..3 {
        members.push(Member::join(
            broker,
            &topic,
            &values,
            &[("partition.assignment.strategy", strategy)],
        ));
        settled(&members.iter().collect::<Vec<_>>(), 6);
    }
    for step in ["a", "b"] {
        let mut wanted = BTreeSet::new();
        for partition in 0..6 {
            let prefix = format!("{step}{partition}-");
            broker.fill(&topic, partition, 100, &prefix);
            wanted.extend((0..100).map(|i| format!("{prefix}{i}")));
        }
        eventually("all is read", || wanted.is_subset(&values.lock().unwrap()));
        members.remove(0);
        settled(&members.iter().collect::<Vec<_>>(), 6);
    }
}

pub fn static_members(broker: &Broker) {
    let topic = broker.new_topic("static", 4, &[]);
    let values = Arc::default();
    let named = |name| Member::join(broker, &topic, &values, &[("group.instance.id", name)]);
    let one = named("one");
    let two = named("two");
    settled(&[&one, &two], 4);
    let before = (one.owned(), two.owned());
    drop(two);
    let two = named("two");
    settled(&[&one, &two], 4);
    assert_eq!((one.owned(), two.owned()), before);
}

pub fn groups(broker: &Broker) {
    let topic = broker.new_topic("groups", 1, &[]);
    broker.fill(&topic, 0, 10, "v");
    let (admin, options, other) = (broker.admin(), AdminOptions::new(), broker.consumer(&[]));
    let delete = || {
        block_on(admin.delete_groups(&[&topic], &options))
            .expect("an answer")
            .remove(0)
            .map_err(|(_, code)| code)
    };
    let describe = || {
        let listed = other
            .fetch_group_list(Some(&topic), DEADLINE)
            .expect("groups");
        let found = listed.groups().iter().find(|group| group.name() == topic);
        found.map(|group| {
            (
                group.state().to_owned(),
                group.protocol_type().to_owned(),
                group.members().len(),
            )
        })
    };
    let member = broker.consumer(&[("group.id", &topic)]);
    member.subscribe(&[&topic]).expect("subscribed");
    assert_eq!(read(&member, 10)[9].offset(), 9);
    member
        .commit(&offset(&topic, 10), CommitMode::Sync)
        .expect("committed");
    assert_eq!(
        describe(),
        Some(("Stable".to_owned(), "consumer".to_owned(), 1))
    );
    let all = other.fetch_group_list(None, DEADLINE).expect("groups");
    assert!(all.groups().iter().any(|group| group.name() == topic));
    assert_eq!(delete(), Err(RDKafkaErrorCode::NonEmptyGroup));
    drop(member);
    eventually("the group is empty", || {
        describe().is_some_and(|(state, ..)| state == "Empty")
    });
    assert_eq!(delete(), Ok(topic.clone()));
    assert_eq!(delete(), Err(RDKafkaErrorCode::GroupIdNotFound));
}
