// Command checker decides whether the recorded history of each room is linearizable. A room is one append-only log: every
// member reads it in order, and skips a part of it only after a notice of a loss.
//
// It reads a JSON array of operations, and writes a line for each room with a violation.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"time"

	"github.com/anishathalye/porcupine"
)

const timeout = 60 * time.Second

type operation struct {
	Room   string
	Kind   string // publish, deliver, loss, recovered, or rest: the member has read everything
	Member string // of all but publish
	ID     int    // the message of publish and deliver
	Epoch  string // of deliver and of an acknowledged publish
	Offset int    // the same; 0 if nobody knows whether the message was published
	Call   int64  // ticks of one counter for all operations
	Return int64  // the same; 0 if the outcome remained unknown
}

func (op operation) String() string {
	switch op.Kind {
	case "publish":
		return fmt.Sprintf("publish of %d at offset %d of epoch %q", op.ID, op.Offset, op.Epoch)
	case "deliver":
		return fmt.Sprintf("delivery of %d at offset %d of epoch %q to %s", op.ID, op.Offset, op.Epoch, op.Member)
	}
	return fmt.Sprintf("%s of %s", op.Kind, op.Member)
}

// An entry of a log. Entries form a tree: after a loss, a new epoch continues what the servers still had.
type entry struct {
	before  *entry
	id      int
	epoch   string
	offset  int
	isAcked bool
}

type reader struct {
	at       *entry // the last entry that it read
	maySkip  bool   // a loss was reported since
	hadALoss bool
}

// state must not be changed: a step copies what it changes.
type state struct {
	last    *entry
	ended   []*entry // the last entries of earlier epochs
	readers []reader
	placed  int // publishes with a known place
}

func equal(one, other interface{}) bool {
	a, b := one.(state), other.(state)
	if a.last != b.last || a.placed != b.placed || len(a.ended) != len(b.ended) {
		return false
	}
	for i := range a.ended {
		if a.ended[i] != b.ended[i] {
			return false
		}
	}
	for i := range a.readers {
		if a.readers[i] != b.readers[i] {
			return false
		}
	}
	return true
}

type place struct {
	epoch  string
	offset int
}

// A room has the operations of one room, and one copy of each entry: equal entries are the same pointer.
type room struct {
	operations []operation
	members    map[string]int
	taken      map[place]bool
	ends       map[string]int // the highest taken offset of each epoch
	placed     int
	entries    map[entry]*entry
	repeated   map[int]bool // messages with several places
}

func newRoom(operations []operation) *room {
	r := &room{
		members: map[string]int{},
		taken:   map[place]bool{},
		ends:    map[string]int{},
		entries: map[entry]*entry{}, repeated: map[int]bool{},
	}
	first := map[string]int{} // the first acknowledged offset of each epoch
	delivered := map[int][]place{}
	for _, op := range operations {
		if _, known := r.members[op.Member]; op.Kind != "publish" && !known {
			r.members[op.Member] = len(r.members)
		}
		at := place{op.Epoch, op.Offset}
		if op.Kind == "publish" && op.Offset > 0 && (first[op.Epoch] == 0 || op.Offset < first[op.Epoch]) {
			first[op.Epoch] = op.Offset
		}
		if op.Kind == "deliver" {
			delivered[op.ID] = append(delivered[op.ID], at)
		}
	}
	for _, op := range operations {
		if op.Kind != "publish" {
			r.operations = append(r.operations, op)
			continue
		}
		var places []place
		if op.Offset > 0 {
			places = append(places, place{op.Epoch, op.Offset})
		}
		// A publish may take several places: one that a failover lost, and that of the publisher's repetition.
		for _, at := range delivered[op.ID] {
			isAlias := false // an entry of an earlier epoch, as a later epoch names it
			for _, known := range places {
				isAlias = isAlias || at == known || at.offset == known.offset && at.offset < first[at.epoch]
			}
			if !isAlias {
				places = append(places, at)
			}
		}
		if len(places) == 0 {
			r.operations = append(r.operations, op)
		}
		for i, at := range places {
			attempt := op
			attempt.Epoch, attempt.Offset = at.epoch, at.offset
			if i > 0 {
				attempt.Return = 0
			}
			r.operations = append(r.operations, attempt)
			r.placed++
			r.taken[at] = true
			if at.offset > r.ends[at.epoch] {
				r.ends[at.epoch] = at.offset
			}
		}
		r.repeated[op.ID] = len(places) > 1
	}
	sort.SliceStable(r.operations, func(i, j int) bool { return r.operations[i].Call < r.operations[j].Call })
	return r
}

func (r *room) entry(e entry) *entry {
	if r.entries[e] == nil {
		r.entries[e] = &e
	}
	return r.entries[e]
}

func offsetOf(e *entry) int {
	if e == nil {
		return 0
	}
	return e.offset
}

func (r *room) step(from, input, _ interface{}) (bool, interface{}) {
	s, op := from.(state), input.(operation)
	member := r.members[op.Member]
	switch op.Kind {
	case "publish":
		if op.Offset == 0 {
			return r.publishUnknown(s, op)
		}
		return r.publish(s, op)
	case "deliver":
		return s.deliver(op, member)
	case "loss":
		return true, s.with(member, reader{s.readers[member].at, true, true})
	case "recovered": // Claims that nothing is missing, so it permits nothing.
		return true, s
	case "rest":
		return s.hasAll(s.readers[member]), s
	}
	return false, s
}

func (r *room) publish(s state, op operation) (bool, interface{}) {
	e := entry{before: s.last, id: op.ID, epoch: op.Epoch, offset: op.Offset, isAcked: op.Return > 0}
	if s.last != nil && s.last.epoch != op.Epoch {
		for e.before != nil && e.before.offset >= op.Offset {
			e.before = e.before.before
		}
		s.ended = append(append([]*entry{}, s.ended...), s.last)
		for _, last := range s.ended {
			if last.epoch == op.Epoch {
				return false, s
			}
		}
	}
	if offsetOf(e.before) != op.Offset-1 {
		return false, s
	}
	for earlier := e.before; r.repeated[op.ID] && earlier != nil; earlier = earlier.before {
		if earlier.id == op.ID {
			return false, s // One log has a message once.
		}
	}
	s.last = r.entry(e)
	s.placed++
	return true, s
}

// publishUnknown fills a place that nothing else has taken; else the message was never published.
func (r *room) publishUnknown(s state, op operation) (bool, interface{}) {
	if s.last == nil || r.taken[place{s.last.epoch, s.last.offset + 1}] || s.last.offset >= r.ends[s.last.epoch] {
		return s.placed == r.placed, s
	}
	s.last = r.entry(entry{before: s.last, id: op.ID, epoch: s.last.epoch, offset: s.last.offset + 1})
	return true, s
}

func (s state) deliver(op operation, member int) (bool, interface{}) {
	e, by := s.find(op), s.readers[member]
	if e == nil {
		return false, s
	}
	// A later epoch that names the entry may have lost it: then this is the publisher's repetition, at the same offset.
	isBack := by.at != nil && by.at.epoch == e.epoch && op.Epoch == e.epoch && e.offset <= by.at.offset
	if by.maySkip && isBack || !by.maySkip && e.before != by.at {
		return false, s
	}
	return true, s.with(member, reader{e, false, by.hadALoss})
}

// find returns the entry of a delivered message, in the log or in what the log was before a loss. A later epoch may name an
// entry of an earlier one.
func (s state) find(op operation) *entry {
	var found *entry
	for _, last := range append([]*entry{s.last}, s.ended...) {
		for e := last; e != nil && e.offset >= op.Offset; e = e.before {
			if e.id == op.ID && e.offset == op.Offset && (found == nil || e.epoch == op.Epoch) {
				found = e
			}
		}
	}
	return found
}

// hasAll reports whether the reader has read every acknowledged message, or was notified of the loss.
func (s state) hasAll(by reader) bool {
	if by.maySkip {
		return true
	}
	read := map[*entry]bool{}
	for e := by.at; e != nil; e = e.before {
		read[e] = true
	}
	heads := []*entry{s.last}
	if !by.hadALoss {
		heads = append(heads, s.ended...)
	}
	for _, last := range heads {
		for e := last; e != nil && !read[e]; e = e.before {
			if e.isAcked {
				return false
			}
		}
	}
	return true
}

func (s state) with(member int, now reader) state {
	s.readers = append([]reader{}, s.readers...)
	s.readers[member] = now
	return s
}

// check decides about the first count operations, in the order of their calls.
func (r *room) check(count int) porcupine.CheckResult {
	model := porcupine.Model{
		Init:  func() interface{} { return state{readers: make([]reader, len(r.members))} },
		Step:  r.step,
		Equal: equal,
	}
	end := int64(1) << 62
	var history []porcupine.Operation
	for i, op := range r.operations[:count] {
		until := op.Return
		if until == 0 || count < len(r.operations) && until > r.operations[count].Call {
			until = end
		}
		history = append(history, porcupine.Operation{ClientId: i, Input: op, Call: op.Call, Return: until})
	}
	return porcupine.CheckOperationsTimeout(model, history, timeout)
}

// violation describes the first operation that no linearization contains; it is empty if there is none.
func (r *room) violation() string {
	result := r.check(len(r.operations))
	if result == porcupine.Ok {
		return ""
	}
	if result == porcupine.Unknown {
		return fmt.Sprintf("not decided within %v", timeout)
	}
	first := sort.Search(len(r.operations), func(count int) bool { return r.check(count) == porcupine.Illegal })
	if first == 0 || first > len(r.operations) {
		return "the history is not linearizable"
	}
	return fmt.Sprintf("not linearizable: %v", r.operations[first-1])
}

func main() {
	var operations []operation
	if err := json.NewDecoder(os.Stdin).Decode(&operations); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	rooms := map[string][]operation{}
	for _, op := range operations {
		rooms[op.Room] = append(rooms[op.Room], op)
	}
	for name, operations := range rooms {
		if violation := newRoom(operations).violation(); violation != "" {
			fmt.Printf("%s: %s\n", name, violation)
		}
	}
}
