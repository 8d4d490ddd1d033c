// Package checks is what the suites of the Go clients share: the broker under test, records to send, waiting.
package checks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"reflect"
	"strconv"
	"testing"
	"time"
)

// Deadline bounds every wait of a check.
const Deadline = 2 * time.Minute

var run = strconv.FormatInt(time.Now().UnixNano(), 36)

// Bootstrap is the address of the broker under test, HOST:PORT.
func Bootstrap() string { return os.Getenv("BOOTSTRAP") }

// Name makes a name of a topic or a group that no other run uses.
func Name(suite, name string) string { return suite + "-" + name + "-" + run }

// Run runs one check beside the others of its suite.
func Run(t *testing.T, name string, check func(t *testing.T)) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		check(t)
	})
}

// Context ends with the check, or after Deadline.
func Context(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), Deadline)
	t.Cleanup(cancel)
	return ctx
}

func NoError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func Refused(t *testing.T, want, got error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("wanted the error %v, got %v", want, got)
	}
}

func Equal[T any](t *testing.T, want, got T) {
	t.Helper()
	if !reflect.DeepEqual(want, got) {
		t.Fatalf("wanted %v, got %v", want, got)
	}
}

// Eventually waits until the condition holds.
func Eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(Deadline); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never came true: %s", what)
		}
	}
}

// Header is a header of a record; its value may be nil.
type Header struct {
	Key   string
	Value []byte
}

// Record is what a client sends and must read back; Key and Value may be nil.
type Record struct {
	Key, Value  []byte
	TimestampMs int64
	Headers     []Header
}

// Same says whether both are equal to the last byte, where nil and empty differ.
func (r Record) Same(other Record) bool {
	same := func(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }
	if !same(r.Key, other.Key) || !same(r.Value, other.Value) || r.TimestampMs != other.TimestampMs ||
		len(r.Headers) != len(other.Headers) {
		return false
	}
	for i, header := range r.Headers {
		if header.Key != other.Headers[i].Key || !same(header.Value, other.Headers[i].Value) {
			return false
		}
	}
	return true
}

// Records makes records with and without keys, values and headers; some are large, the last nearly as large as a
// broker takes by default.
func Records(count int) []Record {
	source := rand.New(rand.NewSource(int64(count)))
	records := make([]Record, count)
	for i := range records {
		record := Record{TimestampMs: 1_700_000_000_000 + int64(i)}
		if i%7 != 0 {
			record.Key = fmt.Appendf(nil, "key-%d", i%50)
		}
		if i%11 != 0 {
			size := 300
			if i%100 == 1 {
				size = 20_000
			}
			record.Value = make([]byte, source.Intn(size))
			if i%2 == 0 {
				source.Read(record.Value)
			}
		}
		if i%3 == 0 {
			record.Headers = []Header{{"h", fmt.Appendf(nil, "header %d", i)}, {"h", nil}, {"", []byte{}}}
		}
		records[i] = record
	}
	last := make([]byte, 900_000)
	source.Read(last)
	records[count-1].Value = last
	return records
}

// Spread says whether the members own all of the partitions, each at least one and none shared.
func Spread(owned []map[int32]bool, partitions int) bool {
	total, all := 0, map[int32]bool{}
	for _, member := range owned {
		if len(member) == 0 {
			return false
		}
		total += len(member)
		for partition := range member {
			all[partition] = true
		}
	}
	return total == partitions && len(all) == partitions
}
