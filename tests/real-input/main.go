// The group "go" reads the topic "flights", is rewound to a time, and reads again: group BROKER DIRECTORY MEMBERS FROM.
// What its members do goes to DIRECTORY/go.first and go.again, in the lines of check.py.
package main

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const group, topic = "go", "flights"

var (
	broker    = os.Args[1]
	directory = os.Args[2]
	ctx       = context.Background()
)

func main() {
	members := must(strconv.Atoi(os.Args[3]))
	ends, all := map[int32]int64{}, int64(0)
	must(admin().ListEndOffsets(ctx, topic)).Each(func(end kadm.ListedOffset) {
		ends[end.Partition] = end.Offset
		all += end.Offset
	})
	read("first", ends, members, all/2)
	rewind(must(time.Parse(time.RFC3339, os.Args[4])))
	read("again", ends, members, math.MaxInt64)
}

// admin is a client of its own each time: one whose connections the kill has cut fails once.
func admin() *kadm.Client { return kadm.NewClient(must(kgo.NewClient(kgo.SeedBrokers(broker)))) }

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// rewind commits, for the group, the first offsets that are not before from.
func rewind(from time.Time) {
	admin := admin()
	listed := must(admin.ListOffsetsAfterMilli(ctx, from.UnixMilli(), topic))
	check(listed.Error())
	file := must(os.Create(filepath.Join(directory, group+".rewound-to")))
	listed.Each(func(offset kadm.ListedOffset) { fmt.Fprintf(file, "W\t%d\t%d\n", offset.Partition, offset.Offset) })
	check(file.Close())
	check(must(admin.CommitOffsets(ctx, group, listed.Offsets())).Error())
	waitForKill("rewound")
}

// waitForKill says that the point is reached, and waits until the broker was killed there.
func waitForKill(point string) {
	check(must(os.Create(filepath.Join(directory, group+"."+point))).Close())
	for {
		if _, err := os.Stat(filepath.Join(directory, point+".killed")); err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// reading is what the members of one reading share; its lock gives what they do one order.
type reading struct {
	sync.Mutex
	out       *bufio.Writer
	ends      map[int32]int64
	committed map[int32]int64
	records   int64
	killAfter int64
	killed    bool
}

func read(name string, ends map[int32]int64, members int, killAfter int64) {
	file := must(os.Create(filepath.Join(directory, group+"."+name)))
	shared := &reading{out: bufio.NewWriter(file), ends: ends, committed: map[int32]int64{}, killAfter: killAfter}
	var running sync.WaitGroup
	for member := range members {
		running.Go(func() { shared.member(member) })
	}
	running.Wait()
	committed := must(admin().FetchOffsets(ctx, group))
	check(committed.Error())
	committed.Each(func(offset kadm.OffsetResponse) { fmt.Fprintf(shared.out, "E\t%d\t%d\n", offset.Partition, offset.At) })
	check(shared.out.Flush())
	check(file.Close())
}

func (r *reading) assigned(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
	r.Lock()
	defer r.Unlock()
	for _, partition := range partitions[topic] {
		fmt.Fprintf(r.out, "A\t%d\n", partition)
	}
}

// member reads until all is read; the first leaves the group after the kill.
func (r *reading) member(number int) {
	client := must(kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(r.assigned),
		kgo.OnPartitionsRevoked(func(context.Context, *kgo.Client, map[string][]int32) {})))
	defer client.CloseAllowingRebalance()
	for !r.isDone(number) {
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		fetches := client.PollRecords(short, 1000)
		cancel()
		r.note(fetches)
		r.commit(client)
		client.AllowRebalance()
	}
}

func (r *reading) isDone(number int) bool {
	r.Lock()
	defer r.Unlock()
	return number == 0 && r.killed || maps.Equal(r.ends, r.committed)
}

func (r *reading) note(fetches kgo.Fetches) {
	r.Lock()
	defer r.Unlock()
	fetches.EachRecord(func(record *kgo.Record) {
		fmt.Fprintf(r.out, "R\t%d\t%d\t%d\t%s\t%s\t%s\n", record.Partition, record.Offset, record.Timestamp.UnixMilli(),
			record.Headers[0].Value, record.Key, record.Value)
		r.records++
	})
	if !r.killed && r.records >= r.killAfter {
		waitForKill("half")
		r.killed = true
	}
}

// commit commits what the client has been given and has not committed, now or with a later call.
func (r *reading) commit(client *kgo.Client) {
	uncommitted := client.UncommittedOffsets()
	if len(uncommitted[topic]) == 0 {
		return
	}
	client.CommitOffsetsSync(ctx, uncommitted, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, response *kmsg.OffsetCommitResponse, err error) {
		if err != nil {
			return
		}
		r.Lock()
		defer r.Unlock()
		for _, partition := range response.Topics[0].Partitions {
			if offset := uncommitted[topic][partition.Partition].Offset; partition.ErrorCode == 0 {
				fmt.Fprintf(r.out, "C\t%d\t%d\n", partition.Partition, offset)
				r.committed[partition.Partition] = offset
			}
		}
	})
}
