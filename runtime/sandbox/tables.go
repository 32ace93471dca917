package sandbox

import (
	"encoding/binary"
	"fmt"
)

// maxElements is how many elements all tables of a module may have together, 8
// bytes each. A large module has some ten thousand, one for each function.
const maxElements = 1 << 20

// table is the type of a table as the binary format has it.
type table struct {
	kind     byte
	min, max uint64
	capped   bool
}

// prepare gives what is compiled of a module that was checked: without custom
// sections, such as names and debugging information, which nothing here reads and
// a compiler would; and with a most to its tables' growth. wazero bounds memories
// by a setting, but a table that names no most can grow to 32 GiB, and no
// instruction of the module may be left out to prevent that. A table.grow beyond
// it fails, as the specification lets any fail.
func prepare(wasm []byte) ([]byte, error) {
	out := append(make([]byte, 0, len(wasm)), magic...)
	r := reader{data: wasm[len(magic):]}
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
		}
		out = append(binary.AppendUvarint(append(out, id), uint64(len(body))), body...)
	}
	return out, nil
}

// tables reads a table section, and gives each table its part of what is left
// of maxElements.
func (r *reader) tables() ([]table, error) {
	var tables []table
	var least uint64
	for n := r.u32(); n > 0 && r.err == nil; n-- {
		t := table{kind: r.byte()}
		flags := r.byte()
		if t.min = uint64(r.u32()); flags&limitsHaveMax != 0 {
			t.max, t.capped = uint64(r.u32()), true
		}
		// A kind of several bytes would be written as something else.
		if flags > limitsHaveMax || t.kind != kindFuncref && t.kind != kindExternref {
			r.fail("a table is of an unknown kind")
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
