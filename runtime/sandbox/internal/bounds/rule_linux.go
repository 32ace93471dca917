package bounds

// rule allows a system call, if the tests hold; any other use of it, and any
// other call, ends the process.
type rule struct {
	number uintptr
	why    string
	tests  []test
}

// test holds if one of the values is left of an argument's lower half under the
// mask.
type test struct {
	arg    int
	mask   uint32
	values []uint32
}
