package sandbox

import "fmt"

// What a function may have. Browsers have the same bounds:
// https://webassembly.github.io/spec/js-api/#limits
const (
	maxParams  = 1000
	maxResults = 1000
	maxLocals  = 50_000
)

// A compiler makes room for what a module counts, before it reads that, and locals
// are counted without taking bytes: a few bytes could ask for gigabytes. So counts
// are compared with the bytes that there are.

// count reads how many things follow, each of at least a byte.
func (r *reader) count() uint32 {
	n := r.u32()
	if uint64(n) > uint64(len(r.data)) {
		r.fail(fmt.Sprintf("it counts %d things in %d bytes", n, len(r.data)))
		return 0
	}
	return n
}

// types reads a section of types. What is not a function's is left to the compiler,
// which refuses it.
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

// values reads types of values, each of one byte.
func (r *reader) values(what string, most uint32) {
	n := r.u32()
	if n > most {
		r.tooMany(what, uint64(n), uint64(most))
	}
	r.take(n)
}

// bodies reads a section of code: the locals of each function, and of all together
// against the size of the module.
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
		r.err = fmt.Errorf("its functions have %d locals in all, at most %d are allowed in a module of %d bytes", all, most, size)
	}
}

// locals reads how many there are, which come in groups of one type.
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
		r.err = fmt.Errorf("a function of it has %d %s, at most %d are allowed", n, what, most)
	}
	r.data = nil
}
