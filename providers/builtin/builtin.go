// Package builtin has the modules of the built-in providers. "make build" lays them, compressed, over
// this directory, with their digests, and sets the tag builtin; see RATIONALE.md, "Why are
// modules and helpers added with -overlay?". Without the tag a stagecraft has none.
package builtin
