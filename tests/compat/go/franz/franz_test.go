// Package franz checks the broker at $BOOTSTRAP with franz-go and its kadm.
package franz

import (
	"context"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	. "ottla/compat/checks"
)

func Test(t *testing.T) {
	Run(t, "topics: create, list, grow, refuse, delete", topics)
	Run(t, "configs of topics and brokers", configs)
	for name, codec := range codecs {
		for _, idempotent := range []bool{false, true} {
			Run(t, fmt.Sprintf("produce %s, idempotent %v", name, idempotent), func(t *testing.T) {
				roundTrip(t, fmt.Sprintf("%s-%v", name, idempotent), codec, idempotent)
			})
		}
	}
	for name, acks := range map[string]kgo.Acks{"0": kgo.NoAck(), "1": kgo.LeaderAck(), "all": kgo.AllISRAcks()} {
		Run(t, "acks="+name, func(t *testing.T) { acknowledged(t, name, acks) })
	}
	Run(t, "a record of 3 MB", large)
	Run(t, "errors: too large, unknown topic", refused)
	Run(t, "auto-create on produce", autoCreate)
	Run(t, "seek by offset, time, ends; offsets listed", seek)
	Run(t, "delete records", deleteRecords)
	Run(t, "log directories, producers, leader epochs", describe)
	Run(t, "commit, fetch, metadata, restart", commits)
	for name, balancer := range map[string]kgo.GroupBalancer{"range": kgo.RangeBalancer(), "roundrobin": kgo.RoundRobinBalancer(),
		"sticky": kgo.StickyBalancer(), "cooperative-sticky": kgo.CooperativeStickyBalancer()} {
		Run(t, "group of 3: join, leave with "+name, func(t *testing.T) { rebalances(t, name, balancer) })
	}
	Run(t, "a member that dies", memberDies)
	Run(t, "static members", staticMembers)
	Run(t, "groups: list, describe, lag, delete", groups)
}

var codecs = map[string]kgo.CompressionCodec{"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(),
	"snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()}

func client(t *testing.T, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(Bootstrap()), kgo.RecordPartitioner(kgo.ManualPartitioner())}, options...)...)
	NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

func admin(t *testing.T) *kadm.Client { return kadm.NewClient(client(t)) }

// newTopic creates a topic and waits until each of its partitions answers: a broker takes any first sequence from a
// producer that it does not know, so nothing may be sent too early.
func newTopic(t *testing.T, name string, partitions int32, configs map[string]*string) string {
	t.Helper()
	topic, ctx, admin := Name("franz", name), Context(t), admin(t)
	_, err := admin.CreateTopic(ctx, partitions, 1, configs, topic)
	NoError(t, err)
	Eventually(t, "the partitions answer", func() bool {
		offsets, err := admin.ListEndOffsets(ctx, topic)
		return err == nil && offsets.Error() == nil && len(offsets[topic]) == int(partitions)
	})
	return topic
}

// fill sends values v0, v1, ... one second apart from 1,000 s after the epoch on.
func fill(t *testing.T, topic string, partition int32, count int, prefix string) {
	t.Helper()
	records := make([]*kgo.Record, count)
	for i := range records {
		records[i] = kgo.StringRecord(fmt.Sprintf("%s%d", prefix, i))
		records[i].Topic, records[i].Partition, records[i].Timestamp = topic, partition, at(i)
	}
	NoError(t, client(t).ProduceSync(Context(t), records...).FirstErr())
}

// read polls until count records have come.
func read(t *testing.T, client *kgo.Client, count int) []*kgo.Record {
	t.Helper()
	ctx, records := Context(t), []*kgo.Record(nil)
	for len(records) < count {
		fetches := client.PollRecords(ctx, count-len(records))
		NoError(t, fetches.Err())
		records = append(records, fetches.Records()...)
	}
	return records
}

// assigned is a client that reads partition 0 of the topic from the offset.
func assigned(t *testing.T, topic string, from kgo.Offset) *kgo.Client {
	t.Helper()
	return client(t, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: from}}))
}

func topics(t *testing.T) {
	ctx, admin := Context(t), admin(t)
	topic := newTopic(t, "topics", 3, map[string]*string{"retention.ms": kadm.StringPtr("3600000")})
	listed, err := admin.ListTopics(ctx)
	NoError(t, err)
	Equal(t, 3, len(listed[topic].Partitions))
	Equal(t, false, listed[topic].ID == kadm.TopicID{})
	_, err = admin.CreateTopic(ctx, 1, 1, nil, topic)
	Refused(t, kerr.TopicAlreadyExists, err)
	_, err = admin.CreateTopic(ctx, 1, 1, nil, "bad name!")
	Refused(t, kerr.InvalidTopicException, err)
	_, err = admin.CreateTopic(ctx, 1, 7, nil, topic+"-replicated")
	Refused(t, kerr.InvalidReplicationFactor, err)
	valid, err := admin.ValidateCreateTopics(ctx, 1, 1, nil, topic+"-checked")
	NoError(t, err)
	NoError(t, valid.Error())
	grown, err := admin.UpdatePartitions(ctx, 5, topic)
	NoError(t, err)
	NoError(t, grown.Error())
	Eventually(t, "5 partitions", func() bool {
		listed, err := admin.ListTopics(ctx, topic)
		return err == nil && len(listed[topic].Partitions) == 5
	})
	shrunk, err := admin.UpdatePartitions(ctx, 4, topic)
	NoError(t, err)
	Refused(t, kerr.InvalidPartitions, shrunk.Error())
	_, err = admin.DeleteTopic(ctx, topic)
	NoError(t, err)
	Eventually(t, "the topic is gone", func() bool {
		listed, err := admin.ListTopics(ctx)
		return err == nil && !listed.Has(topic) && !listed.Has(topic+"-checked")
	})
	_, err = admin.DeleteTopic(ctx, topic)
	Refused(t, kerr.UnknownTopicOrPartition, err)
}

func configs(t *testing.T) {
	ctx, admin, topic := Context(t), admin(t), newTopic(t, "configs", 1, nil)
	alter := func(op kadm.IncrementalOp, name, value string) error {
		altered, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: op, Name: name, Value: &value}}, topic)
		NoError(t, err)
		return altered[0].Err
	}
	is := func(name, want string) {
		t.Helper()
		Eventually(t, name+" is "+want, func() bool {
			described, err := admin.DescribeTopicConfigs(ctx, topic)
			NoError(t, err)
			return value(described[0], name) == want
		})
	}
	NoError(t, alter(kadm.SetConfig, "retention.ms", "7200000"))
	is("retention.ms", "7200000")
	NoError(t, alter(kadm.AppendConfig, "cleanup.policy", "compact"))
	is("cleanup.policy", "delete,compact")
	NoError(t, alter(kadm.SubtractConfig, "cleanup.policy", "delete"))
	is("cleanup.policy", "compact")
	NoError(t, alter(kadm.DeleteConfig, "retention.ms", ""))
	is("retention.ms", "604800000")
	Refused(t, kerr.InvalidConfig, alter(kadm.SetConfig, "segment.bytes", "many"))
	brokers, err := admin.ListBrokers(ctx)
	NoError(t, err)
	described, err := admin.DescribeBrokerConfigs(ctx, brokers.NodeIDs()...)
	NoError(t, err)
	Equal(t, "1", value(described[0], "node.id"))
}

func value(resource kadm.ResourceConfig, name string) string {
	for _, config := range resource.Configs {
		if config.Key == name {
			return config.MaybeValue()
		}
	}
	return "absent"
}

func roundTrip(t *testing.T, name string, codec kgo.CompressionCodec, idempotent bool) {
	topic, wanted, options := newTopic(t, name, 2, nil), Records(2000), []kgo.Opt{kgo.ProducerBatchCompression(codec)}
	if !idempotent {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	sent := make([]*kgo.Record, len(wanted))
	for i, record := range wanted {
		sent[i] = toFranz(record)
		sent[i].Topic, sent[i].Partition = topic, int32(i%2)
	}
	NoError(t, client(t, options...).ProduceSync(Context(t), sent...).FirstErr())
	for i, record := range sent {
		Equal(t, int64(i/2), record.Offset)
	}
	found := read(t, client(t, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())), len(sent))
	next := [2]int64{}
	for _, record := range found {
		Equal(t, next[record.Partition], record.Offset)
		next[record.Partition]++
		if i := int(record.Offset)*2 + int(record.Partition); !wanted[i].Same(fromFranz(record)) {
			t.Fatalf("record %d came back as another", i)
		}
	}
}

func toFranz(record Record) *kgo.Record {
	to := &kgo.Record{Key: record.Key, Value: record.Value, Timestamp: milli(record.TimestampMs)}
	for _, header := range record.Headers {
		to.Headers = append(to.Headers, kgo.RecordHeader{Key: header.Key, Value: header.Value})
	}
	return to
}

func fromFranz(record *kgo.Record) Record {
	from := Record{Key: record.Key, Value: record.Value, TimestampMs: record.Timestamp.UnixMilli()}
	for _, header := range record.Headers {
		from.Headers = append(from.Headers, Header{Key: header.Key, Value: header.Value})
	}
	return from
}

func acknowledged(t *testing.T, name string, acks kgo.Acks) {
	topic, ctx := newTopic(t, "acks-"+name, 1, nil), Context(t)
	producer := client(t, kgo.RequiredAcks(acks), kgo.DisableIdempotentWrite())
	for i := range 500 {
		record := kgo.StringRecord(fmt.Sprintf("v%d", i))
		record.Topic = topic
		producer.Produce(ctx, record, nil)
	}
	NoError(t, producer.Flush(ctx))
	for i, record := range read(t, assigned(t, topic, kgo.NewOffset().AtStart()), 500) {
		Equal(t, fmt.Sprintf("v%d", i), string(record.Value))
	}
}

func large(t *testing.T) {
	topic := newTopic(t, "large", 1, map[string]*string{"max.message.bytes": kadm.StringPtr("4000000")})
	value := make([]byte, 3_000_000)
	copy(value[len(value)-3:], "end")
	NoError(t, client(t, kgo.ProducerBatchMaxBytes(4_000_000), kgo.ProducerBatchCompression(kgo.NoCompression())).
		ProduceSync(Context(t), &kgo.Record{Topic: topic, Value: value}).FirstErr())
	Equal(t, value, read(t, assigned(t, topic, kgo.NewOffset().AtStart()), 1)[0].Value)
}

func refused(t *testing.T) {
	topic, ctx := newTopic(t, "refused", 1, map[string]*string{"max.message.bytes": kadm.StringPtr("2000")}), Context(t)
	producer := client(t, kgo.UnknownTopicRetries(1))
	record := &kgo.Record{Topic: topic, Value: Records(1)[0].Value}
	Refused(t, kerr.MessageTooLarge, producer.ProduceSync(ctx, record).FirstErr())
	NoError(t, producer.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("small")}).FirstErr())
	Refused(t, kerr.UnknownTopicOrPartition, producer.ProduceSync(ctx, &kgo.Record{Topic: topic + "-absent"}).FirstErr())
	listed, err := admin(t).ListTopics(ctx, topic+"-absent")
	NoError(t, err)
	Refused(t, kerr.UnknownTopicOrPartition, listed[topic+"-absent"].Err)
}

func autoCreate(t *testing.T) {
	record := &kgo.Record{Topic: Name("franz", "auto"), Value: []byte("v")}
	NoError(t, client(t, kgo.AllowAutoTopicCreation()).ProduceSync(Context(t), record).FirstErr())
	Equal(t, int64(0), record.Offset)
}

func seek(t *testing.T) {
	ctx, admin, topic := Context(t), admin(t), newTopic(t, "seek", 1, nil)
	fill(t, topic, 0, 1000, "v")
	for want, from := range map[int64]kgo.Offset{0: kgo.NewOffset().AtStart(), 700: kgo.NewOffset().At(700),
		999: kgo.NewOffset().AtEnd().Relative(-1), 500: kgo.NewOffset().AfterMilli(at(499).UnixMilli() + 1)} {
		Equal(t, want, read(t, assigned(t, topic, from), 1)[0].Offset)
	}
	consumer := assigned(t, topic, kgo.NewOffset().At(5000))
	Equal(t, int64(0), read(t, consumer, 1)[0].Offset) // Out of range: back to the start.
	for _, i := range []int64{700, 0, 999} {
		consumer.SetOffsets(map[string]map[int32]kgo.EpochOffset{topic: {0: {Epoch: -1, Offset: i}}})
		Equal(t, fmt.Sprintf("v%d", i), string(read(t, consumer, 1)[0].Value))
	}
	is := func(want int64, list func(context.Context, ...string) (kadm.ListedOffsets, error)) {
		t.Helper()
		listed, err := list(ctx, topic)
		NoError(t, err)
		NoError(t, listed.Error())
		Equal(t, want, listed[topic][0].Offset)
	}
	is(0, admin.ListStartOffsets)
	is(0, admin.ListLocalLogStartOffsets)
	is(1000, admin.ListEndOffsets)
	is(1000, admin.ListCommittedOffsets)
	is(999, admin.ListMaxTimestampOffsets)
	for _, i := range []int64{0, 1, 499, 999} {
		is(i, func(ctx context.Context, topics ...string) (kadm.ListedOffsets, error) {
			return admin.ListOffsetsAfterMilli(ctx, at(int(i)).UnixMilli()-1, topics...)
		})
	}
}

func deleteRecords(t *testing.T) {
	ctx, admin, topic := Context(t), admin(t), newTopic(t, "delete-records", 1, nil)
	fill(t, topic, 0, 100, "v")
	remove := func(before int64) kadm.DeleteRecordsResponse {
		deleted, err := admin.DeleteRecords(ctx, kadm.Offsets{topic: {0: {Topic: topic, At: before}}})
		NoError(t, err)
		return deleted[topic][0]
	}
	Equal(t, kadm.DeleteRecordsResponse{Topic: topic, LowWatermark: 40}, remove(40))
	Equal(t, int64(40), read(t, assigned(t, topic, kgo.NewOffset().AtStart()), 60)[0].Offset)
	Refused(t, kerr.OffsetOutOfRange, remove(101).Err)
	Equal(t, kadm.DeleteRecordsResponse{Topic: topic, LowWatermark: 100}, remove(-1))
}

func describe(t *testing.T) {
	ctx, admin, topic := Context(t), admin(t), newTopic(t, "describe", 1, nil)
	fill(t, topic, 0, 10, "v")
	only := kadm.TopicsSet{}
	only.Add(topic, 0)
	dirs, err := admin.DescribeAllLogDirs(ctx, only)
	NoError(t, err)
	Equal(t, 1, len(dirs.Sorted()))
	Equal(t, true, dirs.Sorted()[0].Size() > 100)
	Equal(t, true, dirs.Sorted()[0].TotalBytes > 0)
	producers, err := admin.DescribeProducers(ctx, only)
	NoError(t, err)
	Equal(t, 1, len(producers.SortedProducers()))
	Equal(t, int32(9), producers.SortedProducers()[0].LastSequence)
	epochs, err := admin.OffsetForLeaderEpoch(ctx, kadm.OffsetForLeaderEpochRequest{topic: {0: 0}})
	NoError(t, err)
	NoError(t, epochs[topic][0].Err)
	Equal(t, int64(10), epochs[topic][0].EndOffset)
}
