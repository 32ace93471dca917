package sandbox

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// memorySize is the size of the memory that segments of tests are written to.
const memorySize = 4 << 10

// segment encodes a data segment.
func segment(offset int, data string) []byte {
	out := signed([]byte{0, opI32Const}, offset)
	return append(binary.AppendUvarint(append(out, opEnd), uint64(len(data))), data...)
}

// signed appends a LEB128 of a signed number.
func signed(out []byte, v int) []byte {
	for ; v < -0x40 || v >= 0x40; v >>= 7 {
		out = append(out, byte(v)|0x80)
	}
	return append(out, byte(v)&0x7f)
}

// dataSection encodes segments, without the section's head.
func dataSection(segments ...[]byte) []byte {
	return append(binary.AppendUvarint(nil, uint64(len(segments))), bytes.Join(segments, nil)...)
}

// write is what an engine does with a whole data section: it writes the segments to an empty
// memory, and fails if one is outside. It also returns how many there are.
func write(t *testing.T, section []byte) (memory []byte, segments int) {
	t.Helper()
	r := reader{data: section}
	if id, size := r.byte(), r.u32(); id != sectionData || int(size) != len(r.data) {
		t.Fatalf("a section %d of %d bytes, there are %d", id, size, len(r.data))
	}
	memory = make([]byte, memorySize)
	for n := r.u32(); n > 0; n-- {
		r.take(2)
		offset := uint64(r.u32())
		r.byte()
		data := r.take(r.u32())
		if offset+uint64(len(data)) > memorySize {
			memory = nil
		} else if memory != nil {
			copy(memory[offset:], data)
		}
		segments++
	}
	if r.err != nil || len(r.data) > 0 {
		t.Fatal(r.err, len(r.data))
	}
	return memory, segments
}

func TestJoinedSegments(t *testing.T) {
	for name, tt := range map[string]struct {
		segments [][]byte
		want     int
	}{
		"none":                {nil, 0},
		"one":                 {[][]byte{segment(8, "a")}, 1},
		"neighbours":          {[][]byte{segment(8, "a"), segment(9, "b"), segment(9+1+maxGap, "c")}, 1},
		"apart":               {[][]byte{segment(8, "a"), segment(9+maxGap+1, "b")}, 2},
		"backwards":           {[][]byte{segment(100, "a"), segment(90, "b"), segment(92, "c")}, 2},
		"over another":        {[][]byte{segment(8, "abc"), segment(9, "x"), segment(12, "y")}, 3},
		"across another":      {[][]byte{segment(20, "abc"), segment(10, "x"), segment(15, "y"), segment(30, "z")}, 3},
		"up to another":       {[][]byte{segment(20, "abc"), segment(10, "x"), segment(20, "y")}, 2},
		"into a wide one":     {[][]byte{segment(8, "abcdefghijk"), segment(4, "x"), segment(10, "y")}, 3},
		"empty ones":          {[][]byte{segment(8, ""), segment(10, ""), segment(12, "a")}, 1},
		"outside":             {[][]byte{segment(memorySize-1, "a"), segment(memorySize+1, "")}, 1},
		"behind one outside":  {[][]byte{segment(memorySize, "a"), segment(1, "b")}, 2},
		"two bytes of offset": {[][]byte{segment(0x1000-70, "a"), segment(0x1000-65, "b")}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			section := dataSection(tt.segments...)
			want, _ := write(t, appendSection(nil, sectionData, section))
			got, n := write(t, appendJoined([]byte{}, section, memorySize))
			if !bytes.Equal(got, want) || n != tt.want {
				t.Errorf("%d segments, want %d; the memory is equal: %v", n, tt.want, bytes.Equal(got, want))
			}
		})
	}
}

// TestJoinedMemory joins random segments, which must leave the same memory.
func TestJoinedMemory(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	joined := 0
	for range 2000 {
		var segments [][]byte
		at := random.IntN(memorySize)
		for range random.IntN(20) {
			if at += random.IntN(50); at > memorySize-50 || random.IntN(8) == 0 {
				at = random.IntN(memorySize - 50)
			}
			data := make([]byte, random.IntN(12))
			for i := range data {
				data[i] = byte(random.IntN(3))
			}
			segments = append(segments, segment(at, string(data)))
			at += len(data)
		}
		section := dataSection(segments...)
		want, _ := write(t, appendSection(nil, sectionData, section))
		got, n := write(t, appendJoined(nil, section, random.IntN(200)))
		if !bytes.Equal(got, want) {
			t.Fatalf("another memory after %x", section)
		}
		joined += len(segments) - n
	}
	if joined == 0 {
		t.Error("no segments were joined")
	}
}

func TestUnjoinedSegments(t *testing.T) {
	ok := segment(8, "a")
	many := make([][]byte, maxSegments+2)
	for i := range many {
		many[i] = segment(i*(maxGap+2), "a")
	}
	for name, section := range map[string][]byte{
		"passive":           dataSection(ok, []byte{1, 1, 'b'}),
		"of a memory":       dataSection(ok, append([]byte{2, 0}, ok[1:]...)),
		"a global's offset": dataSection(ok, []byte{0, 0x23, 0, opEnd, 0}),
		"an extended one":   dataSection(ok, []byte{0, opI32Const, 9, opI32Const, 1, 0x6a, opEnd, 0}),
		"a negative one":    dataSection(ok, segment(-1, "b")),
		"a large one":       dataSection(ok, segment(-1<<31, "b")),
		"too many apart":    dataSection(many...),
		"cut":               dataSection(ok, ok)[:10],
		"an empty one":      {},
		"cut in an offset":  {1, 0, opI32Const, 0x80},
		"fewer":             append([]byte{3}, bytes.Repeat(ok, 2)...),
		"more":              append([]byte{1}, bytes.Repeat(ok, 2)...),
	} {
		if got, want := appendJoined(nil, section, memorySize), appendSection(nil, sectionData, section); !bytes.Equal(got, want) {
			t.Errorf("%s: %x became %x", name, want, got)
		}
	}
}

// TestRoom joins no segments that make a module too large.
func TestRoom(t *testing.T) {
	section := dataSection(segment(8, "a"), segment(8+1+10, "b"), segment(8+1+10+1+10, "c"))
	for room, want := range map[int]int{0: 3, 9: 3, 10: 2, 19: 2, 20: 1} {
		if _, n := write(t, appendJoined(nil, section, room)); n != want {
			t.Errorf("%d segments with room for %d zeros, want %d", n, room, want)
		}
	}
}

// TestNumberedSegments keeps the segments of a module whose code may name them.
func TestNumberedSegments(t *testing.T) {
	section := dataSection(segment(8, "a"), segment(9, "b"))
	for wasm, joins := range map[string]bool{
		magic + string(appendSection(nil, sectionData, section)):                  true,
		magic + "\x0c\x01\x02" + string(appendSection(nil, sectionData, section)): false,
	} {
		got, err := prepare([]byte(wasm))
		if err != nil || bytes.Equal(got, []byte(wasm)) == joins {
			t.Errorf("%x became %x, %v", wasm, got, err)
		}
	}
}
