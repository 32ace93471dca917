package redact

import "slices"

// scanner finds what to mask in a text that is read in pieces. Offsets are in bytes
// from the start of the text.
type scanner struct {
	matcher *matcher
	node    int32
	end     int    // the text before it was read
	done    int    // the text before it was appended to an output
	starred bool   // the output ends with a mask
	spans   []span // what to mask from done on, in order and disjoint
}

type span struct{ start, end int }

// read reads the next bytes of the text.
func (s *scanner) read(text []byte) {
	m, at := s.matcher, s.node
	for i := 0; i < len(text); i++ {
		if at == 0 {
			for i < len(text) && m.first[text[i]] == 0 {
				i++
			}
			if i == len(text) {
				break
			}
		}
		at = m.step(at, text[i])
		if n := int(m.nodes[at].match); n > 0 {
			end := s.end + i + 1
			s.cover(span{end - n, end})
		}
	}
	s.node = at
	s.end += len(text)
}

// cover adds a span. It ends after all others, except after a restart, which keeps
// the first.
func (s *scanner) cover(added span) {
	last := len(s.spans) - 1
	for ; last >= 0 && s.spans[last].end >= added.start; last-- {
		added.start = min(added.start, s.spans[last].start)
		added.end = max(added.end, s.spans[last].end)
	}
	s.spans = append(s.spans[:last+1], added)
}

// decided returns the offset before which no byte can be part of a further match.
func (s *scanner) decided() int {
	return s.end - int(s.matcher.nodes[s.node].open)
}

// restart reads the text from done on again, with a matcher of more values. A match
// that starts before done is not found again and is kept.
func (s *scanner) restart(m *matcher, text []byte) {
	s.matcher, s.node, s.end = m, 0, s.done
	s.spans = slices.DeleteFunc(s.spans, func(sp span) bool { return sp.start >= s.done })
	s.read(text)
}

// appendMasked appends the text from done on to an output. A mask that the previous
// call began is continued.
func (s *scanner) appendMasked(out, text []byte) []byte {
	for len(text) > 0 {
		n, masked := s.run(len(text))
		if !masked {
			out = append(out, text[:n]...)
		} else if !s.starred {
			out = append(out, stars...)
		}
		s.starred = masked
		s.done += n
		text = text[n:]
	}
	return out
}

// run returns how many of the next limit bytes are all masked or all not masked, and
// which.
func (s *scanner) run(limit int) (n int, masked bool) {
	for len(s.spans) > 0 && s.spans[0].end <= s.done {
		s.spans = s.spans[1:]
	}
	if len(s.spans) == 0 {
		return limit, false
	}
	if first := s.spans[0]; first.start > s.done {
		return min(limit, first.start-s.done), false
	} else {
		return min(limit, first.end-s.done), true
	}
}
