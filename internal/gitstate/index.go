package gitstate

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// maxName is the most bytes of a file's path.
const maxName = 4096

// maxIndex is the most bytes of an index; a million files take less.
const maxIndex = 256 << 20

var errIndex = errors.New("not a readable index")

// entry is a file of the index, with its state in the working tree.
// https://git-scm.com/docs/index-format
type entry struct {
	name         string // with slashes, from the working tree's root
	mode         uint32
	size         uint32
	seconds      uint32 // of the modification time
	nanoseconds  uint32
	object       []byte
	assumed      bool // assumed to be unchanged
	skipped      bool // not in the working tree
	intended     bool // added without its content
	stage        uint16
	changedAfter bool // or at the time of the index, when git cannot tell
}

// The kinds of entries: the upper four bits of a mode.
const (
	modeKinds   = 0o170000
	modeTree    = 0o040000
	modeLink    = 0o120000
	modeCommit  = 0o160000
	modeFile    = 0o100000
	modeRunBits = 0o111
)

// readIndex reads the index of a working tree; size is the length of an object's name
// in bytes.
func readIndex(file string, size int) ([]entry, error) {
	f, err := safefile.Open(file, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	data, err := safefile.Read(file, maxIndex)
	if err != nil {
		return nil, err
	}
	entries, err := parseIndex(data, size)
	for i := range entries {
		e := &entries[i]
		e.changedAfter = !time.Unix(int64(e.seconds), int64(e.nanoseconds)).Before(info.ModTime())
	}
	return entries, err
}

const indexFixed = 40 // bytes of an entry before its object's name

func parseIndex(data []byte, size int) ([]entry, error) {
	if len(data) < 12+size || string(data[:4]) != "DIRC" {
		return nil, errIndex
	}
	version, count := binary.BigEndian.Uint32(data[4:]), binary.BigEndian.Uint32(data[8:])
	if version < 2 || version > 4 {
		return nil, errIndex
	}
	rest, name := data[12:len(data)-size], []byte(nil)
	var entries []entry
	for range count {
		if len(rest) < indexFixed+size+2 {
			return nil, errIndex
		}
		at := func(offset int) uint32 { return binary.BigEndian.Uint32(rest[offset:]) }
		flags := binary.BigEndian.Uint16(rest[indexFixed+size:])
		e := entry{
			seconds: at(8), nanoseconds: at(12), mode: at(24), size: at(36), object: rest[indexFixed : indexFixed+size],
			assumed: flags&0x8000 != 0, stage: flags >> 12 & 3,
		}
		used := indexFixed + size + 2
		if flags&0x4000 != 0 {
			if len(rest) < used+2 {
				return nil, errIndex
			}
			more := binary.BigEndian.Uint16(rest[used:])
			e.skipped, e.intended = more&0x4000 != 0, more&0x2000 != 0
			used += 2
		}
		var err error
		if name, used, err = indexName(rest, used, version, name); err != nil {
			return nil, err
		}
		e.name, rest = string(name), rest[used:]
		entries = append(entries, e)
	}
	return entries, checkExtensions(rest)
}

// indexName reads an entry's name, which version 4 stores as the difference to the
// previous one, and returns the end of the entry.
func indexName(rest []byte, used int, version uint32, before []byte) ([]byte, int, error) {
	kept := 0
	if version == 4 {
		drop, n := offsetNumber(rest[used:])
		if n == 0 || drop > uint64(len(before)) {
			return nil, 0, errIndex
		}
		kept, used = len(before)-int(drop), used+n
	}
	end := bytes.IndexByte(rest[used:], 0)
	if end < 0 {
		return nil, 0, errIndex
	}
	name := append(bytes.Clone(before[:kept]), rest[used:used+end]...)
	used += end + 1
	if version < 4 {
		// An entry's size is a multiple of 8.
		used = (used + 7) &^ 7
	}
	if used > len(rest) || len(name) > maxName || !fs.ValidPath(string(bytes.TrimSuffix(name, []byte("/")))) {
		return nil, 0, errIndex
	}
	return name, used, nil
}

// offsetNumber reads a number as encoded in packs and indexes, and returns how many
// bytes it takes, 0 if there is none.
func offsetNumber(data []byte) (value uint64, n int) {
	for i, b := range data {
		if i > 8 {
			break
		}
		if i > 0 {
			value++
		}
		value = value<<7 | uint64(b&0x7f)
		if b&0x80 == 0 {
			return value, i + 1
		}
	}
	return 0, 0
}

// checkExtensions refuses an index with entries in another file.
func checkExtensions(data []byte) error {
	for len(data) >= 8 {
		size := uint64(binary.BigEndian.Uint32(data[4:]))
		if uint64(len(data)) < 8+size || string(data[:4]) == "link" {
			return errIndex
		}
		data = data[8+size:]
	}
	return nil
}

// path is the path of an entry in the working tree.
func (e entry) path(root string) string { return filepath.Join(root, filepath.FromSlash(e.name)) }
