package franz

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	. "ottla/compat/checks"
)

func milli(ms int64) time.Time { return time.UnixMilli(ms) }
func at(i int) time.Time       { return milli(1_000_000 + 1000*int64(i)) }

func commits(t *testing.T) {
	ctx, admin, topic := Context(t), admin(t), newTopic(t, "commits", 1, nil)
	fill(t, topic, 0, 100, "v")
	member := func() *kgo.Client {
		return client(t, kgo.ConsumerGroup(topic), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	}
	committed := func() kadm.Offset {
		offsets, err := admin.FetchOffsets(ctx, topic)
		NoError(t, err)
		NoError(t, offsets.Error())
		return offsets.Offsets()[topic][0]
	}
	first := member()
	NoError(t, first.CommitRecords(ctx, read(t, first, 10)...))
	Equal(t, int64(10), committed().At)
	read(t, first, 10)
	NoError(t, first.CommitUncommittedOffsets(ctx))
	Equal(t, int64(20), committed().At)
	first.Close()
	second := member()
	Equal(t, "v20", string(read(t, second, 1)[0].Value))
	second.Close()
	wanted := kadm.Offset{Topic: topic, At: 33, LeaderEpoch: -1, Metadata: "über 33"}
	stored, err := admin.CommitOffsets(ctx, topic, kadm.Offsets{topic: {0: wanted}})
	NoError(t, err)
	NoError(t, stored.Error())
	got := committed()
	got.TopicID = kadm.TopicID{}
	Equal(t, wanted, got)
	third := member()
	Equal(t, "v33", string(read(t, third, 1)[0].Value))
	third.Close()
}

// A member is one of a group on a goroutine of its own, which notes what it owns and what it reads.
type member struct {
	*kgo.Client
	stop  func()
	mutex sync.Mutex
	owned map[int32]bool
}

// sink is what all members of a group have read.
type sink struct {
	mutex  sync.Mutex
	values map[string]bool
}

func (s *sink) has(wanted []string) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return !slices.ContainsFunc(wanted, func(value string) bool { return !s.values[value] })
}

func join(t *testing.T, topic string, into *sink, options ...kgo.Opt) *member {
	t.Helper()
	m := &member{owned: map[int32]bool{}}
	change := func(now bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
			m.mutex.Lock()
			defer m.mutex.Unlock()
			for _, partition := range partitions[topic] {
				if now {
					m.owned[partition] = true
				} else {
					delete(m.owned, partition)
				}
			}
		}
	}
	m.Client = client(t, append(options, kgo.ConsumerGroup(topic), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.HeartbeatInterval(200*time.Millisecond),
		kgo.OnPartitionsAssigned(change(true)), kgo.OnPartitionsRevoked(change(false)), kgo.OnPartitionsLost(change(false)))...)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	m.stop = sync.OnceFunc(func() { cancel(); <-done; m.Close() })
	t.Cleanup(m.stop)
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			m.PollFetches(ctx).EachRecord(func(record *kgo.Record) {
				into.mutex.Lock()
				defer into.mutex.Unlock()
				into.values[string(record.Value)] = true
			})
		}
	}()
	return m
}

func (m *member) partitions() map[int32]bool {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	copied := map[int32]bool{}
	for partition := range m.owned {
		copied[partition] = true
	}
	return copied
}

// settled waits until the members have all of the partitions among them.
func settled(t *testing.T, partitions int, members ...*member) {
	t.Helper()
	Eventually(t, "the partitions are spread", func() bool {
		owned := []map[int32]bool{}
		for _, member := range members {
			owned = append(owned, member.partitions())
		}
		return Spread(owned, partitions)
	})
}

func rebalances(t *testing.T, name string, balancer kgo.GroupBalancer) {
	topic, into, members := newTopic(t, "group-"+name, 6, nil), &sink{values: map[string]bool{}}, []*member{}
	for range 3 {
		members = append(members, join(t, topic, into, kgo.Balancers(balancer)))
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
		Eventually(t, "all is read", func() bool { return into.has(wanted) })
		members[0].stop()
		members = members[1:]
		settled(t, 6, members...)
	}
}

// cut is a dialer whose connections can be broken for good.
type cut struct {
	mutex sync.Mutex
	conns []net.Conn
	off   bool
}

func (c *cut) dial(ctx context.Context, network, host string) (net.Conn, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.off {
		return nil, net.ErrClosed
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, network, host)
	if err == nil {
		c.conns = append(c.conns, conn)
	}
	return conn, err
}

func (c *cut) now() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.off = true
	for _, conn := range c.conns {
		conn.Close()
	}
}

func memberDies(t *testing.T) {
	topic, into, wire := newTopic(t, "dies", 4, nil), &sink{values: map[string]bool{}}, &cut{}
	lost := join(t, topic, into, kgo.Dialer(wire.dial), kgo.SessionTimeout(2*time.Second), kgo.RetryTimeout(2*time.Second))
	left := join(t, topic, into, kgo.SessionTimeout(2*time.Second))
	settled(t, 4, lost, left)
	wire.now()
	settled(t, 4, left)
	fill(t, topic, 2, 1, "after")
	Eventually(t, "it is read", func() bool { return into.has([]string{"after0"}) })
}

func staticMembers(t *testing.T) {
	ctx, admin := Context(t), admin(t)
	topic, into := newTopic(t, "static", 4, nil), &sink{values: map[string]bool{}}
	one := join(t, topic, into, kgo.InstanceID("one"))
	two := join(t, topic, into, kgo.InstanceID("two"))
	settled(t, 4, one, two)
	// A static member that closes does not leave: the other keeps what it has, and so does the one that returns.
	_, generation := one.GroupMetadata()
	before := two.partitions()
	two.stop()
	two = join(t, topic, into, kgo.InstanceID("two"))
	settled(t, 4, one, two)
	Equal(t, before, two.partitions())
	_, after := two.GroupMetadata()
	Equal(t, generation, after)
	described, err := admin.DescribeGroups(ctx, topic)
	NoError(t, err)
	Equal(t, "one", *described[topic].Members[0].InstanceID)
	two.stop()
	left, err := admin.LeaveGroup(ctx, kadm.LeaveGroup(topic).InstanceIDs("two").Reason("gone"))
	NoError(t, err)
	NoError(t, left.Error())
	settled(t, 4, one)
}

func groups(t *testing.T) {
	ctx, admin, topic := Context(t), admin(t), newTopic(t, "groups", 2, nil)
	fill(t, topic, 0, 10, "v")
	into := &sink{values: map[string]bool{}}
	one := join(t, topic, into)
	settled(t, 2, one)
	Eventually(t, "all is read", func() bool { return into.has([]string{"v9"}) })
	NoError(t, one.CommitUncommittedOffsets(ctx))
	listed, err := admin.ListGroups(ctx)
	NoError(t, err)
	Equal(t, "Stable", listed[topic].State)
	Equal(t, "consumer", listed[topic].ProtocolType)
	_, err = admin.DeleteGroup(ctx, topic)
	Refused(t, kerr.NonEmptyGroup, err)
	fill(t, topic, 1, 5, "w")
	Eventually(t, "all is read", func() bool { return into.has([]string{"w4"}) })
	one.stop()
	described, err := admin.DescribeGroups(ctx, topic)
	NoError(t, err)
	Equal(t, "Empty", described[topic].State)
	fill(t, topic, 0, 7, "x")
	lag, err := admin.Lag(ctx, topic)
	NoError(t, err)
	Equal(t, int64(7), lag[topic].Lag[topic][0].Lag)
	empty, err := admin.ListGroups(ctx, "Empty")
	NoError(t, err)
	Equal(t, "Empty", empty[topic].State)
	topics := kadm.TopicsSet{}
	topics.Add(topic, 0)
	deleted, err := admin.DeleteOffsets(ctx, topic, topics)
	NoError(t, err)
	NoError(t, deleted.Error())
	offsets, err := admin.FetchOffsets(ctx, topic)
	NoError(t, err)
	_, kept := offsets.Lookup(topic, 0)
	Equal(t, false, kept)
	_, err = admin.DeleteGroup(ctx, topic)
	NoError(t, err)
	_, err = admin.DeleteGroup(ctx, topic)
	Refused(t, kerr.GroupIDNotFound, err)
}
