package process

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"strconv"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/confine"
)

// guardPlan is what a guard is to run. It goes over the line, since what a
// command has in its environment must not steer the guard.
type guardPlan struct {
	program, dir string
	argv, env    []string
	// is tells the file at guardProgram, the zero identity that there is none.
	is identity
	// how the program is run, and opened that guardDir is where.
	how    runBy
	opened bool
	// group is the process group to join, 0 for one of the program's own.
	group  int
	limits Limits
	// confine is what it is held to, nil for nothing.
	confine *confine.Rules
	// watch has the guard tell what the tree uses.
	watch  bool
	leaves []Leaving
}

// runBy is how a program is run.
type runBy uint64

const (
	byPath       runBy = iota
	byDescriptor       // which the program doesn't get
	byOpenFile         // by a descriptor, which is left to an interpreter
)

// maxGuardPlan is more than the kernel takes of arguments and variables.
const maxGuardPlan = 64 << 20

// numbers are those of the plan, but for the group.
func (p *guardPlan) numbers() []*uint64 {
	return []*uint64{
		&p.limits.OpenFiles, &p.limits.Processes, &p.is.device, &p.is.inode, &p.is.size, &p.is.modified, &p.is.changed,
		(*uint64)(&p.how),
	}
}

// encode writes the plan as lists of strings, each with its length before it.
func (p guardPlan) encode() []byte {
	numbers := []string{strconv.Itoa(p.group)}
	for _, n := range p.numbers() {
		numbers = append(numbers, strconv.FormatUint(*n, 10))
	}
	held := []string{}
	if p.confine != nil {
		rules, _ := p.confine.AppendBinary(nil) // it has no errors
		held = []string{string(rules)}
	}
	lists := [][]string{{p.program, p.dir}, numbers, flag(p.opened), flag(p.watch), held, p.argv, p.env}
	for _, l := range p.leaves {
		lists = append(lists, append([]string{l.Program}, l.Args...))
	}
	data := make([]byte, 4)
	for _, list := range lists {
		data = binary.AppendUvarint(data, uint64(len(list)))
		for _, s := range list {
			data = binary.AppendUvarint(data, uint64(len(s)))
			data = append(data, s...)
		}
	}
	binary.LittleEndian.PutUint32(data, uint32(len(data)-4))
	return data
}

// flag is a list of nothing if it is set, else none.
func flag(set bool) []string {
	if set {
		return []string{""}
	}
	return nil
}

var errGuardPlan = errors.New("not a plan for a guard")

func readGuardPlan(r *bufio.Reader) (guardPlan, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(r, head); err != nil {
		return guardPlan{}, err
	}
	size := binary.LittleEndian.Uint32(head)
	if size > maxGuardPlan {
		return guardPlan{}, errGuardPlan
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(r, data); err != nil {
		return guardPlan{}, err
	}
	return decodeGuardPlan(data)
}

func decodeGuardPlan(data []byte) (guardPlan, error) {
	var lists [][]string
	for len(data) > 0 {
		list, rest, err := cutList(data)
		if err != nil {
			return guardPlan{}, err
		}
		lists, data = append(lists, list), rest
	}
	const heads = 7
	var p guardPlan
	if len(lists) < heads || len(lists[0]) != 2 || len(lists[1]) != 1+len(p.numbers()) || len(lists[4]) > 1 {
		return guardPlan{}, errGuardPlan
	}
	p = guardPlan{
		program: lists[0][0], dir: lists[0][1], opened: len(lists[2]) > 0, watch: len(lists[3]) > 0,
		argv: lists[5], env: lists[6],
	}
	var errs []error
	group, err := strconv.Atoi(lists[1][0])
	p.group, errs = group, append(errs, err)
	for i, n := range p.numbers() {
		*n, err = strconv.ParseUint(lists[1][1+i], 10, 64)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return guardPlan{}, err
	}
	if p.how > byOpenFile {
		return guardPlan{}, errGuardPlan
	}
	for _, held := range lists[4] {
		rules, err := confine.Decode([]byte(held))
		if err != nil {
			return guardPlan{}, err
		}
		p.confine = &rules
	}
	for _, l := range lists[heads:] {
		if len(l) == 0 {
			return guardPlan{}, errGuardPlan
		}
		p.leaves = append(p.leaves, Leaving{Program: l[0], Args: l[1:]})
	}
	return p, nil
}

func cutList(data []byte) (list []string, rest []byte, err error) {
	count, data, err := cutNumber(data)
	// Each string has at least a byte for its length.
	if err != nil || count > uint64(len(data)) {
		return nil, nil, errGuardPlan
	}
	list = make([]string, count)
	for i := range list {
		var size uint64
		if size, data, err = cutNumber(data); err != nil || size > uint64(len(data)) {
			return nil, nil, errGuardPlan
		}
		list[i], data = string(data[:size]), data[size:]
	}
	return list, data, nil
}

func cutNumber(data []byte) (uint64, []byte, error) {
	n, size := binary.Uvarint(data)
	if size <= 0 {
		return 0, nil, errGuardPlan
	}
	return n, data[size:], nil
}
