package bounds

// rule allows a system call whose arguments pass all tests. Other calls end the process.
type rule struct {
	number uintptr
	why    string
	tests  []test
}

// test passes if the lower half of an argument, masked, is one of the values.
type test struct {
	arg    int
	mask   uint32
	values []uint32
}

func is(arg int, values ...uint32) test { return test{arg, ^uint32(0), values} }

// The kinds of futex that Go's runtime uses, of one process alone.
const (
	futexWait = 0 | 128
	futexWake = 1 | 128
)
