package confine

import (
	"encoding/binary"
	"errors"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/wire"
)

// encodingVersion is the first byte of encoded rules. Both sides are the same
// program, so another version is an error.
const encodingVersion = 2

var errEncoding = errors.New("not rules for confining a process")

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

// Encode returns the rules as [Decode] reads them: a byte for the version, one for
// the switches, and the lists.
func (r Rules) Encode() []byte {
	data := []byte{encodingVersion, 0}
	for i, flag := range r.flags() {
		if *flag {
			data[1] |= 1 << i
		}
	}
	for _, list := range r.pathLists() {
		data = wire.AppendTexts(data, *list)
	}
	for _, list := range r.portLists() {
		data = binary.AppendUvarint(data, uint64(len(*list)))
		for _, port := range *list {
			data = binary.AppendUvarint(data, uint64(port))
		}
	}
	return data
}

// Decode reads rules that [Rules.Encode] wrote, and nothing else.
func Decode(data []byte) (Rules, error) {
	var r Rules
	flags := r.flags()
	if len(data) < 2 || data[0] != encodingVersion || data[1]>>len(flags) != 0 {
		return Rules{}, errEncoding
	}
	for i, flag := range flags {
		*flag = data[1]>>i&1 == 1
	}
	in := wire.NewReader(data[2:])
	for _, list := range r.pathLists() {
		for range in.Count() {
			*list = append(*list, in.Text())
		}
	}
	for _, list := range r.portLists() {
		for range in.Count() {
			port := in.Number()
			if port > 1<<16-1 {
				return Rules{}, errEncoding
			}
			*list = append(*list, uint16(port))
		}
	}
	if in.Done() != nil {
		return Rules{}, errEncoding
	}
	return r, nil
}
