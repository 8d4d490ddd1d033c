use ottla_protocol::Uuid;

use super::*;

fn open_alone(directory: &Path, topic_id: u8) -> Result<Log, OpenLogError> {
    let partition = TopicPartition::new("__cluster_metadata", 0);
    Log::open_alone(
        directory,
        partition,
        TopicId(Uuid([topic_id; 16])),
        LogConfig::default(),
        0,
    )
}

#[test]
fn a_log_alone_is_made_and_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("a/b");
    for _ in 0..2 {
        let log = open_alone(&directory, 1).unwrap();
        assert_eq!(
            (
                log.log_start_offset(),
                log.log_end_offset(),
                log.high_watermark()
            ),
            (Offset(0), Offset(0), Offset(0))
        );
    }
    assert!(matches!(
        open_alone(&directory, 2),
        Err(OpenLogError::OtherTopic { .. })
    ));
}
