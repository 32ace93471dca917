package sandbox

import (
	"encoding/binary"
	"fmt"

	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// maxElements bounds the elements of all tables of a module, of 8 bytes each. A large
// module has some ten thousand, one for each function.
const maxElements = 1 << 20

// table is the type of a table in the binary format.
type table struct {
	kind     byte
	min, max uint64
	capped   bool
}

// prepare returns a checked module with an upper bound for each table, with fewer data
// segments, and without custom sections, such as names and debugging information, which a
// compiler would have to read. wazero has a setting for the size of memories, but a table
// without a bound can grow to 32 GiB. A table.grow beyond the bound fails, as the
// specification allows.
func prepare(wasm []byte) ([]byte, error) {
	out := append(make([]byte, 0, len(wasm)*5/4), magic...)
	r := reader{data: wasm[len(magic):]}
	mayJoin := true
	for len(r.data) > 0 && r.err == nil {
		id := r.byte()
		body := r.take(r.u32())
		switch id {
		case sectionCustom:
			continue
		case sectionTable:
			section := reader{data: body}
			tables, err := section.tables()
			if err != nil {
				return nil, err
			}
			body = encodeTables(tables)
		case sectionDataCount:
			// The module's code may name segments by their numbers.
			mayJoin = false
		case sectionData:
			if mayJoin {
				out = appendJoined(out, body, frame.MaxModule-len(wasm))
				continue
			}
		}
		out = appendSection(out, id, body)
	}
	return out, nil
}

func appendSection(module []byte, id byte, body []byte) []byte {
	return append(binary.AppendUvarint(append(module, id), uint64(len(body))), body...)
}

// tables reads the table section, and lets each table grow by an equal part of the
// remaining elements.
func (r *reader) tables() ([]table, error) {
	var tables []table
	var least uint64
	for n := r.u32(); n > 0 && r.err == nil; n-- {
		t := table{kind: r.byte()}
		flags := r.byte()
		if t.min = uint64(r.u32()); flags&limitsHaveMax != 0 {
			t.max, t.capped = uint64(r.u32()), true
		}
		// encodeTables writes the kind in one byte.
		if flags > limitsHaveMax || t.kind != kindFuncref && t.kind != kindExternref {
			r.fail("unknown kind of table")
		}
		tables, least = append(tables, t), least+t.min
	}
	switch {
	case r.err != nil || len(r.data) > 0:
		r.fail("its table section is malformed")
		return nil, &LoadError{Reason: r.err.Error()}
	case least > maxElements || len(tables) > maxElements:
		return nil, &LoadError{Reason: fmt.Sprintf("its tables have %d elements, at most %d are allowed", least, maxElements)}
	}
	for i, t := range tables {
		most := t.min + (maxElements-least)/uint64(len(tables))
		if !t.capped || t.max > most {
			tables[i].max = most
		}
	}
	return tables, nil
}

func encodeTables(tables []table) []byte {
	body := binary.AppendUvarint(nil, uint64(len(tables)))
	for _, t := range tables {
		body = append(body, t.kind, limitsHaveMax)
		body = binary.AppendUvarint(binary.AppendUvarint(body, t.min), t.max)
	}
	return body
}
