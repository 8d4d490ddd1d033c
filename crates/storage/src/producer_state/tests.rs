use super::*;

fn header(epoch: i16, base_sequence: i32, records: i32, base_offset: i64) -> BatchHeader {
    let mut header = BatchHeader::decode(&[0; 61]);
    header.producer_id = 7;
    header.producer_epoch = epoch;
    header.base_sequence = base_sequence;
    header.last_offset_delta = records - 1;
    header.records_count = records;
    header.base_offset = base_offset;
    header
}

fn after(batches: &[(i16, i32, i32)]) -> ProducerState {
    let mut state = ProducerState::default();
    let mut offset = 100;
    for &(epoch, sequence, records) in batches {
        state.append_data(&header(epoch, sequence, records, offset), 1);
        offset += i64::from(records);
    }
    state
}

#[test]
fn an_unknown_producer_may_begin_anywhere() {
    assert_eq!(
        ProducerState::default().check(&header(3, 1000, 5, 0)),
        Ok(None)
    );
}

#[test]
fn the_next_sequence_is_taken_and_others_are_not() {
    let state = after(&[(0, 0, 10)]);
    assert_eq!(state.check(&header(0, 10, 1, 0)), Ok(None));
    for found in [11, 12, 5] {
        let error = SequenceError::OutOfOrder {
            producer_id: 7,
            last: 9,
            found,
        };
        assert_eq!(state.check(&header(0, found, 1, 0)), Err(error));
    }
}

#[test]
fn five_batches_are_remembered_with_their_offsets() {
    let state = after(&[
        (0, 0, 1),
        (0, 1, 2),
        (0, 3, 1),
        (0, 4, 1),
        (0, 5, 1),
        (0, 6, 1),
    ]);
    let duplicate = state.check(&header(0, 1, 2, 0)).unwrap().unwrap();
    assert_eq!(
        (duplicate.base_offset, duplicate.last_offset),
        (Offset(101), Offset(102))
    );
    assert!(
        state.check(&header(0, 0, 1, 0)).is_err(),
        "the sixth last batch is forgotten"
    );
}

#[test]
fn sequences_wrap_to_zero() {
    let state = after(&[(0, i32::MAX - 1, 2)]);
    assert_eq!(state.check(&header(0, 0, 1, 0)), Ok(None));
}

#[test]
fn a_new_epoch_begins_at_zero_and_an_old_one_is_fenced() {
    let state = after(&[(4, 0, 3)]);
    assert_eq!(state.check(&header(5, 0, 1, 0)), Ok(None));
    assert!(matches!(
        state.check(&header(5, 3, 1, 0)),
        Err(SequenceError::OutOfOrder { last: -1, .. })
    ));
    assert!(matches!(
        state.check(&header(3, 3, 1, 0)),
        Err(SequenceError::StaleEpoch { current: 4, .. })
    ));
}

#[test]
fn an_open_transaction_holds_back_the_stable_offset_until_its_marker() {
    let mut state = ProducerState::default();
    let mut data = header(0, 0, 1, 50);
    data.attributes = data.attributes.with_transactional();
    state.append_data(&data, 1);
    assert_eq!(state.first_unstable_offset(), Some(Offset(50)));
    state.expire(i64::MAX, 1);
    assert!(
        !state.is_empty(),
        "a producer with an open transaction does not expire"
    );
    let marker = header(0, -1, 1, 60);
    let aborted = state
        .append_marker(&marker, ControlRecordType::Abort, 3)
        .unwrap();
    assert_eq!(
        (aborted.first_offset, aborted.last_offset),
        (Offset(50), Offset(60))
    );
    assert_eq!(aborted.last_stable_offset, Offset(61));
    state.settle(Offset(60));
    assert_eq!(
        state.first_unstable_offset(),
        Some(Offset(50)),
        "the marker could still be lost"
    );
    state.settle(Offset(61));
    assert_eq!(state.first_unstable_offset(), None);
}

#[test]
fn idle_producers_expire() {
    let mut state = after(&[(0, 0, 1)]);
    state.expire(1000, 999);
    assert!(state.is_empty());
}
