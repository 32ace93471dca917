package gitstate

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// The kinds of objects in a pack. https://git-scm.com/docs/pack-format
var packKinds = map[byte]string{1: "commit", 2: "tree", 3: "blob", 4: "tag"}

const (
	deltaOfOffset = 6
	deltaOfName   = 7
	// maxDeltas is the most deltas of an object, and maxInflated the most bytes of
	// all of them; git makes 50 deltas, and 250 with --aggressive.
	maxDeltas   = 500
	maxInflated = 4 * maxObject
)

// packed finds an object in the packs of a directory.
func packed(dir string, name []byte) (content []byte, kind string, err error) {
	indexes, err := filepath.Glob(filepath.Join(escapeGlob(dir), "pack", "*.idx"))
	if err != nil {
		return nil, "", err
	}
	for _, index := range indexes {
		offset, ok := find(index, name)
		if !ok {
			continue
		}
		f, err := safefile.Open(strings.TrimSuffix(index, ".idx")+".pack", os.O_RDONLY)
		if err != nil {
			continue
		}
		p := &pack{f, len(name), maxInflated}
		content, kind, err = p.read(offset, maxDeltas)
		f.Close()
		if err == nil {
			return content, kind, nil
		}
	}
	return nil, "", errObject
}

func escapeGlob(dir string) string {
	if os.PathSeparator == '\\' {
		return dir
	}
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(dir)
}

// find looks an object up in a pack's index, of version 2.
func find(index string, name []byte) (offset int64, ok bool) {
	f, err := safefile.Open(index, os.O_RDONLY)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	number := func(at int64, size int) (n uint64) {
		b := make([]byte, size)
		if _, rerr := f.ReadAt(b, at); rerr != nil {
			err = rerr
			return 0
		}
		for _, c := range b {
			n = n<<8 | uint64(c)
		}
		return n
	}
	if number(0, 4) != 0xff744f63 || number(4, 4) != 2 {
		return 0, false
	}
	const fanout, names = 8, 8 + 256*4
	size, total := int64(len(name)), int64(number(fanout+255*4, 4))
	begin := int64(0)
	if name[0] > 0 {
		begin = int64(number(fanout+int64(name[0]-1)*4, 4))
	}
	end := int64(number(fanout+int64(name[0])*4, 4))
	if err != nil || begin > end || end > total {
		return 0, false
	}
	at := begin + int64(sort.Search(int(end-begin), func(i int) bool {
		b := make([]byte, size)
		if _, rerr := f.ReadAt(b, names+(begin+int64(i))*size); rerr != nil {
			err = rerr
		}
		return bytes.Compare(b, name) >= 0
	}))
	found := make([]byte, size)
	if _, rerr := f.ReadAt(found, names+at*size); rerr != nil || err != nil || at >= end || !bytes.Equal(found, name) {
		return 0, false
	}
	offsets := names + total*(size+4)
	position := number(offsets+at*4, 4)
	if position&(1<<31) != 0 {
		position = number(offsets+total*4+int64(position&^(1<<31))*8, 8)
	}
	return int64(position), err == nil
}

// pack reads objects of a pack.
type pack struct {
	file *os.File
	size int   // of an object's name
	left int64 // bytes that may still be inflated
}

func (p *pack) inflate(r io.Reader) ([]byte, error) {
	data, err := inflate(r, min(p.left, maxObject))
	p.left -= int64(len(data))
	return data, err
}

func (p *pack) read(offset int64, deltas int) (content []byte, kind string, err error) {
	if deltas == 0 || offset < 0 {
		return nil, "", errObject
	}
	r := bufio.NewReader(io.NewSectionReader(p.file, offset, 1<<62))
	b, err := r.ReadByte()
	if err != nil {
		return nil, "", err
	}
	number := b >> 4 & 7
	for b&0x80 != 0 {
		if b, err = r.ReadByte(); err != nil {
			return nil, "", err
		}
	}
	var base []byte
	switch number {
	case deltaOfOffset:
		head, _ := r.Peek(10)
		back, n := offsetNumber(head)
		if n == 0 || back == 0 || back > uint64(offset) {
			return nil, "", errObject
		}
		_, _ = r.Discard(n)
		base, kind, err = p.read(offset-int64(back), deltas-1)
	case deltaOfName:
		name := make([]byte, p.size)
		if _, err = io.ReadFull(r, name); err == nil {
			// A complete pack has the bases of its deltas.
			at, ok := find(strings.TrimSuffix(p.file.Name(), ".pack")+".idx", name)
			if !ok {
				return nil, "", errObject
			}
			base, kind, err = p.read(at, deltas-1)
		}
	default:
		if kind = packKinds[number]; kind == "" {
			return nil, "", errObject
		}
		content, err = p.inflate(r)
		return content, kind, err
	}
	if err != nil {
		return nil, "", err
	}
	delta, err := p.inflate(r)
	if err == nil {
		content, err = patch(base, delta)
	}
	return content, kind, err
}

// patch applies a delta to an object.
func patch(base, delta []byte) ([]byte, error) {
	from, n := binary.Uvarint(delta)
	if n <= 0 || from != uint64(len(base)) {
		return nil, errObject
	}
	delta = delta[n:]
	to, n := binary.Uvarint(delta)
	if n <= 0 || to > maxObject {
		return nil, errObject
	}
	delta = delta[n:]
	var out []byte
	for len(delta) > 0 {
		op := delta[0]
		delta = delta[1:]
		if op&0x80 == 0 {
			if op == 0 || int(op) > len(delta) {
				return nil, errObject
			}
			out, delta = append(out, delta[:op]...), delta[op:]
			continue
		}
		var offset, size uint64
		for i := range 7 {
			if op>>i&1 == 0 {
				continue
			}
			if len(delta) == 0 {
				return nil, errObject
			}
			if i < 4 {
				offset |= uint64(delta[0]) << (8 * i)
			} else {
				size |= uint64(delta[0]) << (8 * (i - 4))
			}
			delta = delta[1:]
		}
		if size == 0 {
			size = 0x10000
		}
		if offset+size > uint64(len(base)) || uint64(len(out))+size > to {
			return nil, errObject
		}
		out = append(out, base[offset:offset+size]...)
	}
	if uint64(len(out)) != to {
		return nil, errObject
	}
	return out, nil
}
