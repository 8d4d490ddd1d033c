// Package sarama checks the broker at $BOOTSTRAP with sarama.
package sarama

import (
	"fmt"
	"testing"
	"time"

	"github.com/IBM/sarama"

	. "ottla/compat/checks"
)

func Test(t *testing.T) {
	Run(t, "topics: create, list, grow, refuse, delete", topics)
	Run(t, "configs of topics and brokers", configs)
	for _, codec := range []sarama.CompressionCodec{sarama.CompressionNone, sarama.CompressionGZIP, sarama.CompressionSnappy,
		sarama.CompressionLZ4, sarama.CompressionZSTD} {
		for _, idempotent := range []bool{false, true} {
			Run(t, fmt.Sprintf("produce %v, idempotent %v", codec, idempotent), func(t *testing.T) {
				config := configuration(sarama.MaxVersion)
				config.Producer.Compression = codec
				makeIdempotent(config, idempotent)
				roundTrip(t, fmt.Sprintf("%v-%v", codec, idempotent), config)
			})
		}
	}
	for _, version := range []sarama.KafkaVersion{sarama.V2_1_0_0, sarama.V2_8_0_0, sarama.V3_6_0_0} {
		Run(t, "produce as a client of "+version.String(), func(t *testing.T) {
			roundTrip(t, "version-"+version.String(), configuration(version))
		})
	}
	for name, acks := range map[string]sarama.RequiredAcks{"0": sarama.NoResponse, "1": sarama.WaitForLocal, "all": sarama.WaitForAll} {
		Run(t, "acks="+name, func(t *testing.T) { acknowledged(t, name, acks) })
	}
	Run(t, "errors: too large, unknown topic", refused)
	Run(t, "auto-create on produce", autoCreate)
	Run(t, "seek by offset, time, ends; delete records", seek)
	Run(t, "log directories", logDirs)
	Run(t, "commit, fetch, metadata, restart", commits)
	for _, strategy := range []func() sarama.BalanceStrategy{sarama.NewBalanceStrategyRange, sarama.NewBalanceStrategyRoundRobin,
		sarama.NewBalanceStrategySticky, sarama.NewBalanceStrategyCooperativeSticky} {
		name := strategy().Name()
		Run(t, "group of 3: join, leave with "+name, func(t *testing.T) { rebalances(t, name, strategy) })
	}
	Run(t, "static members", staticMembers)
	Run(t, "groups: list, describe, delete", groups)
}

func configuration(version sarama.KafkaVersion) *sarama.Config {
	config := sarama.NewConfig()
	config.Version = version
	config.Metadata.AllowAutoTopicCreation = false
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Producer.Return.Successes = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Flush.Frequency = 5 * time.Millisecond
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Group.Session.Timeout = time.Minute
	config.Consumer.Group.Heartbeat.Interval = 200 * time.Millisecond
	return config
}

func makeIdempotent(config *sarama.Config, idempotent bool) {
	config.Producer.Idempotent = idempotent
	if idempotent {
		config.Net.MaxOpenRequests = 1
	}
}

func admin(t *testing.T) sarama.ClusterAdmin {
	t.Helper()
	admin, err := sarama.NewClusterAdmin([]string{Bootstrap()}, configuration(sarama.MaxVersion))
	NoError(t, err)
	t.Cleanup(func() { admin.Close() })
	return admin
}

func client(t *testing.T) sarama.Client {
	t.Helper()
	client, err := sarama.NewClient([]string{Bootstrap()}, configuration(sarama.MaxVersion))
	NoError(t, err)
	t.Cleanup(func() { client.Close() })
	return client
}

func newTopic(t *testing.T, name string, partitions int32, configs map[string]*string) string {
	t.Helper()
	topic := Name("sarama", name)
	NoError(t, admin(t).CreateTopic(topic, &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1, ConfigEntries: configs}, false))
	client := client(t)
	Eventually(t, "the partitions answer", func() bool {
		for partition := range partitions {
			if _, err := client.GetOffset(topic, partition, sarama.OffsetNewest); err != nil {
				_ = client.RefreshMetadata(topic)
				return false
			}
		}
		return true
	})
	return topic
}

func produce(t *testing.T, config *sarama.Config, messages ...*sarama.ProducerMessage) error {
	t.Helper()
	producer, err := sarama.NewSyncProducer([]string{Bootstrap()}, config)
	NoError(t, err)
	defer producer.Close()
	return producer.SendMessages(messages)
}

// fill sends values v0, v1, ... one second apart from 1,000 s after the epoch on.
func fill(t *testing.T, topic string, partition int32, count int, prefix string) {
	t.Helper()
	messages := make([]*sarama.ProducerMessage, count)
	for i := range messages {
		messages[i] = &sarama.ProducerMessage{Topic: topic, Partition: partition, Timestamp: at(i),
			Value: sarama.StringEncoder(fmt.Sprintf("%s%d", prefix, i))}
	}
	NoError(t, produce(t, configuration(sarama.MaxVersion), messages...))
}

// read takes count messages of a partition from an offset on.
func read(t *testing.T, config *sarama.Config, topic string, partition int32, from int64, count int) []*sarama.ConsumerMessage {
	t.Helper()
	consumer, err := sarama.NewConsumer([]string{Bootstrap()}, config)
	NoError(t, err)
	defer consumer.Close()
	reader, err := consumer.ConsumePartition(topic, partition, from)
	NoError(t, err)
	defer reader.Close()
	messages, ctx := []*sarama.ConsumerMessage(nil), Context(t)
	for len(messages) < count {
		select {
		case message := <-reader.Messages():
			messages = append(messages, message)
		case <-ctx.Done():
			t.Fatalf("read %d of %d", len(messages), count)
		}
	}
	return messages
}

func at(i int) time.Time { return time.UnixMilli(1_000_000 + 1000*int64(i)) }

func topics(t *testing.T) {
	admin := admin(t)
	retention := "3600000"
	topic := newTopic(t, "topics", 3, map[string]*string{"retention.ms": &retention})
	listed, err := admin.ListTopics()
	NoError(t, err)
	Equal(t, int32(3), listed[topic].NumPartitions)
	Equal(t, retention, *listed[topic].ConfigEntries["retention.ms"])
	detail := &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1}
	Refused(t, sarama.ErrTopicAlreadyExists, admin.CreateTopic(topic, detail, false))
	Refused(t, sarama.ErrInvalidTopic, admin.CreateTopic("bad name!", detail, false))
	NoError(t, admin.CreateTopic(topic+"-checked", detail, true))
	NoError(t, admin.CreatePartitions(topic, 5, nil, false))
	Eventually(t, "5 partitions", func() bool {
		described, err := admin.DescribeTopics([]string{topic, topic + "-checked"})
		NoError(t, err)
		Refused(t, sarama.ErrUnknownTopicOrPartition, described[1].Err)
		return len(described[0].Partitions) == 5
	})
	Refused(t, sarama.ErrInvalidPartitions, admin.CreatePartitions(topic, 4, nil, false))
	NoError(t, admin.DeleteTopic(topic))
	Eventually(t, "the topic is gone", func() bool {
		listed, err := admin.ListTopics()
		NoError(t, err)
		_, there := listed[topic]
		return !there
	})
	Refused(t, sarama.ErrUnknownTopicOrPartition, admin.DeleteTopic(topic))
}

func configs(t *testing.T) {
	admin, topic := admin(t), newTopic(t, "configs", 1, nil)
	alter := func(operation sarama.IncrementalAlterConfigsOperation, name, value string) error {
		return admin.IncrementalAlterConfig(sarama.TopicResource, topic,
			map[string]sarama.IncrementalAlterConfigsEntry{name: {Operation: operation, Value: &value}}, false)
	}
	is := func(kind sarama.ConfigResourceType, resource, name, want string) {
		t.Helper()
		Eventually(t, name+" is "+want, func() bool {
			entries, err := admin.DescribeConfig(sarama.ConfigResource{Type: kind, Name: resource, ConfigNames: []string{name}})
			NoError(t, err)
			Equal(t, 1, len(entries))
			return entries[0].Value == want
		})
	}
	NoError(t, alter(sarama.IncrementalAlterConfigsOperationSet, "retention.ms", "7200000"))
	is(sarama.TopicResource, topic, "retention.ms", "7200000")
	NoError(t, alter(sarama.IncrementalAlterConfigsOperationAppend, "cleanup.policy", "compact"))
	is(sarama.TopicResource, topic, "cleanup.policy", "delete,compact")
	minute := "60000"
	NoError(t, admin.AlterConfig(sarama.TopicResource, topic, map[string]*string{"retention.ms": &minute}, false))
	is(sarama.TopicResource, topic, "retention.ms", "60000")
	is(sarama.TopicResource, topic, "cleanup.policy", "delete") // AlterConfig replaces all.
	Refused(t, sarama.ErrInvalidConfig, alter(sarama.IncrementalAlterConfigsOperationSet, "segment.bytes", "many"))
	is(sarama.BrokerResource, "1", "node.id", "1")
}

func roundTrip(t *testing.T, name string, config *sarama.Config) {
	topic, wanted := newTopic(t, name, 2, nil), Records(2000)
	messages := make([]*sarama.ProducerMessage, len(wanted))
	for i, record := range wanted {
		messages[i] = toSarama(record)
		messages[i].Topic, messages[i].Partition = topic, int32(i%2)
	}
	NoError(t, produce(t, config, messages...))
	for i, message := range messages {
		Equal(t, int64(i/2), message.Offset)
	}
	for partition := range 2 {
		for offset, message := range read(t, config, topic, int32(partition), sarama.OffsetOldest, len(wanted)/2) {
			Equal(t, int64(offset), message.Offset)
			if i := offset*2 + partition; !wanted[i].Same(fromSarama(message)) {
				t.Fatalf("record %d came back as another", i)
			}
		}
	}
}

func toSarama(record Record) *sarama.ProducerMessage {
	to := &sarama.ProducerMessage{Timestamp: time.UnixMilli(record.TimestampMs)}
	if record.Key != nil {
		to.Key = sarama.ByteEncoder(record.Key)
	}
	if record.Value != nil {
		to.Value = sarama.ByteEncoder(record.Value)
	}
	for _, header := range record.Headers {
		to.Headers = append(to.Headers, sarama.RecordHeader{Key: []byte(header.Key), Value: header.Value})
	}
	return to
}

func fromSarama(message *sarama.ConsumerMessage) Record {
	from := Record{Key: message.Key, Value: message.Value, TimestampMs: message.Timestamp.UnixMilli()}
	for _, header := range message.Headers {
		from.Headers = append(from.Headers, Header{Key: string(header.Key), Value: header.Value})
	}
	return from
}

func acknowledged(t *testing.T, name string, acks sarama.RequiredAcks) {
	topic, config := newTopic(t, "acks-"+name, 1, nil), configuration(sarama.MaxVersion)
	config.Producer.RequiredAcks = acks
	messages := make([]*sarama.ProducerMessage, 500)
	for i := range messages {
		messages[i] = &sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(fmt.Sprintf("v%d", i))}
	}
	NoError(t, produce(t, config, messages...))
	for i, message := range read(t, config, topic, 0, sarama.OffsetOldest, 500) {
		Equal(t, fmt.Sprintf("v%d", i), string(message.Value))
	}
}

func refused(t *testing.T) {
	limit := "2000"
	topic, config := newTopic(t, "refused", 1, map[string]*string{"max.message.bytes": &limit}), configuration(sarama.MaxVersion)
	config.Producer.Retry.Max, config.Metadata.Retry.Max = 1, 1
	message := func(topic string, size int) *sarama.ProducerMessage {
		return &sarama.ProducerMessage{Topic: topic, Value: sarama.ByteEncoder(make([]byte, size))}
	}
	reason := func(err error) error {
		errors, ok := err.(sarama.ProducerErrors)
		Equal(t, true, ok && len(errors) == 1)
		return errors[0].Err
	}
	Refused(t, sarama.ErrMessageSizeTooLarge, reason(produce(t, config, message(topic, 5000))))
	NoError(t, produce(t, config, message(topic, 500)))
	Refused(t, sarama.ErrUnknownTopicOrPartition, reason(produce(t, config, message(topic+"-absent", 1))))
}

func autoCreate(t *testing.T) {
	config, topic := configuration(sarama.MaxVersion), Name("sarama", "auto")
	config.Metadata.AllowAutoTopicCreation = true
	NoError(t, produce(t, config, &sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder("v")}))
	Equal(t, "v", string(read(t, config, topic, 0, sarama.OffsetOldest, 1)[0].Value))
}

func seek(t *testing.T) {
	topic, config, client := newTopic(t, "seek", 1, nil), configuration(sarama.MaxVersion), client(t)
	fill(t, topic, 0, 1000, "v")
	offset := func(at int64) int64 {
		t.Helper()
		offset, err := client.GetOffset(topic, 0, at)
		NoError(t, err)
		return offset
	}
	for _, i := range []int{0, 1, 499, 999} {
		found := offset(at(i).UnixMilli() - 1)
		Equal(t, int64(i), found)
		Equal(t, fmt.Sprintf("v%d", i), string(read(t, config, topic, 0, found, 1)[0].Value))
	}
	Equal(t, int64(-1), offset(at(1000).UnixMilli()))
	Equal(t, int64(1000), offset(sarama.OffsetNewest))
	NoError(t, admin(t).DeleteRecords(topic, map[int32]int64{0: 400}))
	Equal(t, int64(400), offset(sarama.OffsetOldest))
	Equal(t, int64(400), read(t, config, topic, 0, sarama.OffsetOldest, 600)[0].Offset)
	consumer, err := sarama.NewConsumerFromClient(client)
	NoError(t, err)
	_, err = consumer.ConsumePartition(topic, 0, 399)
	Refused(t, sarama.ErrOffsetOutOfRange, err)
}

func logDirs(t *testing.T) {
	topic, admin := newTopic(t, "log-dirs", 1, nil), admin(t)
	fill(t, topic, 0, 10, "v")
	brokers, _, err := admin.DescribeCluster()
	NoError(t, err)
	dirs, err := admin.DescribeLogDirs([]int32{brokers[0].ID()})
	NoError(t, err)
	found := int64(0)
	for _, dir := range dirs[brokers[0].ID()] {
		Equal(t, true, dir.TotalBytes > 0 && dir.UsableBytes > 0)
		for _, held := range dir.Topics {
			if held.Topic == topic {
				found += held.Partitions[0].Size
			}
		}
	}
	Equal(t, true, found > 100)
}
