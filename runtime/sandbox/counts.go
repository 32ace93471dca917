package sandbox

import "fmt"

// The bounds of a function, which are those of browsers:
// https://webassembly.github.io/spec/js-api/#limits
const (
	maxParams  = 1000
	maxResults = 1000
	maxLocals  = 50_000
)

// A compiler allocates memory for a count before it reads the elements, and a count of
// locals has no elements: a few bytes could allocate gigabytes. So counts are compared
// with the number of bytes.

// count reads the number of elements that follow, each of at least one byte.
func (r *reader) count() uint32 {
	n := r.u32()
	if uint64(n) > uint64(len(r.data)) {
		r.fail(fmt.Sprintf("a count of %d elements in %d bytes", n, len(r.data)))
		return 0
	}
	return n
}

// types reads the section of types. The compiler refuses types that are not of functions.
func (r *reader) types() {
	const function = 0x60
	for n := r.count(); n > 0 && r.err == nil; n-- {
		if r.byte() != function {
			r.data = nil
			return
		}
		r.values("parameters", maxParams)
		r.values("results", maxResults)
	}
}

// values skips a list of value types, each of one byte.
func (r *reader) values(what string, most uint32) {
	n := r.u32()
	if n > most {
		r.tooMany(what, uint64(n), uint64(most))
	}
	r.take(n)
}

// bodies reads the code section. It bounds the locals of each function, and those of all
// functions by the size of the module.
func (r *reader) bodies(size int) {
	var all uint64
	for n := r.count(); n > 0 && r.err == nil; n-- {
		body := reader{data: r.take(r.u32())}
		locals := body.locals()
		if r.err == nil {
			r.err = body.err
		}
		if locals > maxLocals {
			r.tooMany("locals", locals, maxLocals)
		}
		all += locals
	}
	if most := uint64(maxLocals + size); all > most && r.err == nil {
		r.err = fmt.Errorf("its functions have %d locals in total, at most %d are allowed in a module of %d bytes", all, most, size)
	}
}

// locals reads the number of locals, which are in groups of one type.
func (r *reader) locals() uint64 {
	var locals uint64
	for groups := r.count(); groups > 0 && r.err == nil; groups-- {
		locals += uint64(r.u32())
		r.byte()
	}
	return locals
}

func (r *reader) tooMany(what string, n, most uint64) {
	if r.err == nil {
		r.err = fmt.Errorf("one of its functions has %d %s, at most %d are allowed", n, what, most)
	}
	r.data = nil
}
