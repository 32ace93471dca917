// Package diskspace says whether files can be written to a directory, without writing.
package diskspace
