package sandbox

import "math"

const (
	// maxGap is how many zeros between two data segments take less time than another
	// segment.
	maxGap = 32
	// maxSegments bounds the segments that are compared with each other.
	maxSegments = 1000
)

// The code of a data segment's offset.
const (
	opI32Const = 0x41
	opEnd      = 0x0b
)

// joiner appends data segments to a module. Neighbouring segments become one, with zeros
// between them. Go writes a segment for each run of bytes that are not zero, 26,000 in a
// module of 2 MB, and each takes time whenever the module is loaded.
type joiner struct {
	module  []byte
	size    int      // the place of the last segment's size in module
	extents []extent // of the segments in memory, in their order
	ceiling uint64   // up to where no earlier segment wrote behind the last one
	room    int      // for zeros between segments
}

// extent is a part of memory.
type extent struct{ start, end uint64 }

// appendJoined appends an equal data section with fewer segments, and with at most room
// zeros more. A section with other segments than those with a fixed offset in the only
// memory, or with too many that are apart, is appended unchanged.
func appendJoined(module, section []byte, room int) []byte {
	const head = 1 + padded
	j := joiner{module: append(append(module, sectionData), make([]byte, 2*padded)...), room: room}
	if !j.join(section) {
		return appendSection(module, sectionData, section)
	}
	putPadded(j.module[len(module)+1:], uint32(len(j.module)-len(module)-head))
	putPadded(j.module[len(module)+head:], uint32(len(j.extents)))
	return j.module
}

// join adds all segments of a section, and reports whether it could.
func (j *joiner) join(section []byte) bool {
	r := reader{data: section}
	for n := r.u32(); n > 0; n-- {
		begin := r.data
		if r.byte() != 0 || r.byte() != opI32Const {
			return false
		}
		offset := r.u32()
		if r.err != nil || begin[len(begin)-len(r.data)-1]&0x40 != 0 || r.byte() != opEnd {
			return false // damaged, or negative
		}
		head := begin[:len(begin)-len(r.data)]
		data := r.take(r.u32())
		if r.err != nil || len(j.extents) > maxSegments {
			return false
		}
		j.add(head, uint64(offset), data)
	}
	j.close()
	return r.err == nil && len(r.data) == 0
}

// add adds a segment. It becomes a part of the last one if it begins little behind that,
// and no earlier segment wrote between them: the memory is zero at first.
func (j *joiner) add(head []byte, offset uint64, data []byte) {
	if gap, joins := j.gap(offset); joins {
		j.room -= gap
		j.module = append(j.module, make([]byte, gap)...)
	} else {
		j.close()
		j.ceiling = j.freeFrom(offset)
		j.extents = append(j.extents, extent{start: offset})
		j.module = append(j.module, head...)
		j.size = len(j.module)
		j.module = append(j.module, make([]byte, padded)...)
	}
	j.module = append(j.module, data...)
	j.extents[len(j.extents)-1].end = offset + uint64(len(data))
}

// gap returns how many zeros are between the last segment and one that can join it.
func (j *joiner) gap(offset uint64) (zeros int, joins bool) {
	if len(j.extents) == 0 {
		return 0, false
	}
	end := j.extents[len(j.extents)-1].end
	if offset < end || offset > j.ceiling || offset-end > uint64(min(maxGap, j.room)) {
		return 0, false
	}
	return int(offset - end), true
}

// freeFrom returns up to where no segment wrote from an offset on.
func (j *joiner) freeFrom(offset uint64) uint64 {
	free := uint64(math.MaxUint64)
	for _, e := range j.extents {
		if e.end > offset {
			free = min(free, max(e.start, offset))
		}
	}
	return free
}

// close writes the size of the last segment.
func (j *joiner) close() {
	if len(j.extents) > 0 {
		putPadded(j.module[j.size:], uint32(len(j.module)-j.size-padded))
	}
}

// padded is the size of the longest LEB128 of 32 bits.
const padded = 5

// putPadded writes a number as a LEB128 of that size.
func putPadded(data []byte, v uint32) {
	for i := range padded - 1 {
		data[i] = byte(v>>(7*i)) | 0x80
	}
	data[padded-1] = byte(v >> (7 * (padded - 1)))
}
