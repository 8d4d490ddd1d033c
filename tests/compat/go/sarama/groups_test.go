package sarama

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/IBM/sarama"

	. "ottla/compat/checks"
)

// A member is one of a group on goroutines of its own, which notes what it owns and what it reads.
type member struct {
	group sarama.ConsumerGroup
	into  *sink
	stop  func()
	mutex sync.Mutex
	owned map[int32]bool
	// generation is that of the last assignment.
	generation int32
}

// sink is what all members of a group have read.
type sink struct {
	mutex  sync.Mutex
	values map[string]bool
}

func newSink() *sink { return &sink{values: map[string]bool{}} }

func (s *sink) has(wanted ...string) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, value := range wanted {
		if !s.values[value] {
			return false
		}
	}
	return true
}

func join(t *testing.T, topic string, into *sink, change func(*sarama.Config)) *member {
	t.Helper()
	config := configuration(sarama.MaxVersion)
	change(config)
	group, err := sarama.NewConsumerGroup([]string{Bootstrap()}, topic, config)
	NoError(t, err)
	m := &member{group: group, into: into, owned: map[int32]bool{}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	m.stop = sync.OnceFunc(func() { cancel(); <-done; group.Close() })
	t.Cleanup(m.stop)
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			if err := group.Consume(ctx, []string{topic}, m); err != nil && ctx.Err() == nil {
				t.Logf("consume: %v", err)
			}
		}
	}()
	return m
}

func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.owned, m.generation = map[int32]bool{}, session.GenerationID()
	for _, partitions := range session.Claims() {
		for _, partition := range partitions {
			m.owned[partition] = true
		}
	}
	return nil
}

func (m *member) Cleanup(sarama.ConsumerGroupSession) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.owned = map[int32]bool{}
	return nil
}

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	m.mutex.Lock()
	m.owned[claim.Partition()] = true
	m.mutex.Unlock()
	defer func() {
		m.mutex.Lock()
		delete(m.owned, claim.Partition())
		m.mutex.Unlock()
	}()
	for message := range claim.Messages() {
		m.into.mutex.Lock()
		m.into.values[string(message.Value)] = true
		m.into.mutex.Unlock()
		session.MarkMessage(message, "")
	}
	return nil
}

func (m *member) partitions() (map[int32]bool, int32) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	copied := map[int32]bool{}
	for partition := range m.owned {
		copied[partition] = true
	}
	return copied, m.generation
}

// settled waits until the members have all of the partitions among them.
func settled(t *testing.T, partitions int, members ...*member) {
	t.Helper()
	Eventually(t, "the partitions are spread", func() bool {
		owned := []map[int32]bool{}
		for _, member := range members {
			has, _ := member.partitions()
			owned = append(owned, has)
		}
		return Spread(owned, partitions)
	})
}

func commits(t *testing.T) {
	topic, client := newTopic(t, "commits", 1, nil), client(t)
	fill(t, topic, 0, 100, "v")
	manager, err := sarama.NewOffsetManagerFromClient(topic, client)
	NoError(t, err)
	partition, err := manager.ManagePartition(topic, 0)
	NoError(t, err)
	partition.MarkOffset(33, "über 33")
	manager.Commit()
	NoError(t, partition.Close())
	NoError(t, manager.Close())
	// AlterConsumerGroupOffsets and a member that reads from there see the same.
	admin := admin(t)
	fetched, err := admin.ListConsumerGroupOffsets(topic, map[string][]int32{topic: {0}})
	NoError(t, err)
	block := fetched.GetBlock(topic, 0)
	Equal(t, int64(33), block.Offset)
	Equal(t, "über 33", block.Metadata)
	into := newSink()
	one := join(t, topic, into, func(*sarama.Config) {})
	Eventually(t, "the rest is read", func() bool { return into.has("v33", "v99") })
	Equal(t, false, into.has("v32"))
	one.stop()
	fetched, err = admin.ListConsumerGroupOffsets(topic, nil)
	NoError(t, err)
	Equal(t, int64(100), fetched.GetBlock(topic, 0).Offset)
	altered, err := admin.AlterConsumerGroupOffsets(topic, map[string]map[int32]sarama.OffsetAndMetadata{
		topic: {0: {Offset: 90, LeaderEpoch: -1}}}, nil)
	NoError(t, err)
	Equal(t, sarama.ErrNoError, altered.Errors[topic][0])
	into = newSink()
	join(t, topic, into, func(*sarama.Config) {})
	Eventually(t, "the rest is read", func() bool { return into.has("v90", "v99") })
	Equal(t, false, into.has("v89"))
}

func rebalances(t *testing.T, name string, strategy func() sarama.BalanceStrategy) {
	topic, into, members := newTopic(t, "group-"+name, 6, nil), newSink(), []*member{}
	for range 3 {
		members = append(members, join(t, topic, into, func(config *sarama.Config) {
			config.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{strategy()}
		}))
		settled(t, 6, members...)
	}
	for _, step := range []string{"a", "b"} {
		wanted := []string{}
		for partition := range int32(6) {
			prefix := fmt.Sprintf("%s%d-", step, partition)
			fill(t, topic, partition, 100, prefix)
			for i := range 100 {
				wanted = append(wanted, fmt.Sprintf("%s%d", prefix, i))
			}
		}
		Eventually(t, "all is read", func() bool { return into.has(wanted...) })
		members[0].stop()
		members = members[1:]
		settled(t, 6, members...)
	}
}

func staticMembers(t *testing.T) {
	topic, into, admin := newTopic(t, "static", 4, nil), newSink(), admin(t)
	named := func(name string) func(*sarama.Config) {
		return func(config *sarama.Config) { config.Consumer.Group.InstanceId = name }
	}
	one := join(t, topic, into, named("one"))
	two := join(t, topic, into, named("two"))
	settled(t, 4, one, two)
	// A static member that closes does not leave: the other keeps what it has, and so does the one that returns.
	_, generation := one.partitions()
	before, _ := two.partitions()
	two.stop()
	two = join(t, topic, into, named("two"))
	settled(t, 4, one, two)
	owned, after := two.partitions()
	Equal(t, before, owned)
	Equal(t, generation, after)
	two.stop()
	left, err := admin.RemoveMemberFromConsumerGroup(topic, []string{"two"})
	NoError(t, err)
	Equal(t, sarama.ErrNoError, left.Members[0].Err)
	settled(t, 4, one)
}

func groups(t *testing.T) {
	topic, into, admin := newTopic(t, "groups", 2, nil), newSink(), admin(t)
	fill(t, topic, 0, 10, "v")
	one := join(t, topic, into, func(*sarama.Config) {})
	Eventually(t, "all is read", func() bool { return into.has("v9") })
	listed, err := admin.ListConsumerGroups()
	NoError(t, err)
	Equal(t, "consumer", listed[topic])
	described, err := admin.DescribeConsumerGroups([]string{topic})
	NoError(t, err)
	Equal(t, "Stable", described[0].State)
	Equal(t, 1, len(described[0].Members))
	for _, member := range described[0].Members {
		assignment, err := member.GetMemberAssignment()
		NoError(t, err)
		Equal(t, 2, len(assignment.Topics[topic]))
	}
	Refused(t, sarama.ErrNonEmptyGroup, admin.DeleteConsumerGroup(topic))
	Refused(t, sarama.ErrGroupSubscribedToTopic, admin.DeleteConsumerGroupOffset(topic, topic, 0))
	one.stop()
	described, err = admin.DescribeConsumerGroups([]string{topic})
	NoError(t, err)
	Equal(t, "Empty", described[0].State)
	NoError(t, admin.DeleteConsumerGroupOffset(topic, topic, 0))
	fetched, err := admin.ListConsumerGroupOffsets(topic, map[string][]int32{topic: {0}})
	NoError(t, err)
	Equal(t, int64(-1), fetched.GetBlock(topic, 0).Offset)
	NoError(t, admin.DeleteConsumerGroup(topic))
	listed, err = admin.ListConsumerGroups()
	NoError(t, err)
	_, there := listed[topic]
	Equal(t, false, there)
}
