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
