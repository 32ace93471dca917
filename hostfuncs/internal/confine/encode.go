package confine

import (
	"encoding/binary"
	"errors"
)

// encodingVersion is the first byte of encoded rules. Both sides are the same
// program, so that another version is a mistake and not an older one.
const encodingVersion = 2

var errEncoding = errors.New("these are no rules for confining a process")

// flags are the switches of the rules, in the order of their bits.
func (r *Rules) flags() []*bool {
	return []*bool{&r.AnyFiles, &r.UDP, &r.AnyNet, &r.AnySockets, &r.BestEffort, &r.AnyConnect, &r.AnyListen}
}

func (r *Rules) pathLists() []*[]string {
	return []*[]string{&r.Read, &r.Write, &r.Exec, &r.List, &r.Sockets}
}

func (r *Rules) portLists() []*[]uint16 {
	return []*[]uint16{&r.Connect, &r.Listen}
}

// AppendBinary appends the rules as [Decode] reads them: a byte for the
// version, one for the switches, and the lists, each number an unsigned varint
// and each path with its length in bytes before it. There is no error; it is
// for [encoding.BinaryAppender].
func (r Rules) AppendBinary(data []byte) ([]byte, error) {
	var bits byte
	for i, flag := range r.flags() {
		if *flag {
			bits |= 1 << i
		}
	}
	data = append(data, encodingVersion, bits)
	for _, list := range r.pathLists() {
		data = binary.AppendUvarint(data, uint64(len(*list)))
		for _, p := range *list {
			data = binary.AppendUvarint(data, uint64(len(p)))
			data = append(data, p...)
		}
	}
	for _, list := range r.portLists() {
		data = binary.AppendUvarint(data, uint64(len(*list)))
		for _, port := range *list {
			data = binary.AppendUvarint(data, uint64(port))
		}
	}
	return data, nil
}

// Decode reads rules that [Rules.AppendBinary] wrote, and nothing else.
func Decode(data []byte) (Rules, error) {
	var r Rules
	flags := r.flags()
	if len(data) < 2 || data[0] != encodingVersion || data[1]>>len(flags) != 0 {
		return Rules{}, errEncoding
	}
	for i, flag := range flags {
		*flag = data[1]>>i&1 == 1
	}
	in := reader{data: data[2:]}
	for _, list := range r.pathLists() {
		for range in.count() {
			*list = append(*list, in.text())
		}
	}
	for _, list := range r.portLists() {
		for range in.count() {
			*list = append(*list, in.port())
		}
	}
	if in.bad || len(in.data) > 0 {
		return Rules{}, errEncoding
	}
	return r, nil
}

// reader cuts numbers and texts off its data, and is bad from the first one on
// that isn't there.
type reader struct {
	data []byte
	bad  bool
}

func (in *reader) number() uint64 {
	n, size := binary.Uvarint(in.data)
	if in.bad || size <= 0 {
		in.bad = true
		return 0
	}
	in.data = in.data[size:]
	return n
}

// count is of a list, each element of which takes at least a byte.
func (in *reader) count() uint64 {
	n := in.number()
	if n > uint64(len(in.data)) {
		in.bad = true
		return 0
	}
	return n
}

func (in *reader) text() string {
	n := in.count()
	text := string(in.data[:n])
	in.data = in.data[n:]
	return text
}

func (in *reader) port() uint16 {
	n := in.number()
	if n > 1<<16-1 {
		in.bad = true
	}
	return uint16(n)
}
