package dockerfile

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

const (
	excerptAround = 2   // lines before and after an instruction
	excerptLines  = 20  // of the instruction itself
	excerptWidth  = 200 // characters of a line
)

// stepMark is what builders put before a step's instruction: "[2/3] ",
// "Step 2/3 : " or, in Podman, "STEP 2/3: ".
var stepMark = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:\[[^]]*\] |(?i:step) \d+/\d+ ?: )`) })

// StepLine is the line of the instruction that a builder's name of a step has, 0
// where none has it or several do.
func StepLine(text []byte, step string) int {
	step = strings.Join(strings.Fields(stepMark().ReplaceAllString(step, "")), " ")
	found := 0
	for _, node := range instructionsOf(text) {
		if strings.EqualFold(strings.Join(strings.Fields(node.Original), " "), step) {
			if found != 0 {
				return 0
			}
			found = node.StartLine
		}
	}
	return found
}

// Excerpt shows the instruction at a line, marked by ">", with the lines around
// it, each with its number. It is empty where there is no such line.
func Excerpt(text []byte, line int) string {
	lines := strings.Split(strings.TrimRight(string(text), "\r\n"), "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	first, last := line, line
	for _, node := range instructionsOf(text) {
		if node.StartLine <= line && line <= node.EndLine {
			first, last = node.StartLine, node.EndLine
		}
	}
	var b strings.Builder
	width := len(fmt.Sprint(min(last+excerptAround, len(lines))))
	for n := max(1, first-excerptAround); n <= min(last+excerptAround, len(lines)); n++ {
		if n == first+excerptLines && n < last {
			fmt.Fprintf(&b, "%*s ...\n", width, "")
			n = last - 1
			continue
		}
		mark := "|"
		if first <= n && n <= last {
			mark = ">"
		}
		b.WriteString(strings.TrimRight(fmt.Sprintf("%*d %s %s", width, n, mark, shownLine(lines[n-1])), " ") + "\n")
	}
	return b.String()
}

// shownLine is a line fit to be printed, with its indentation.
func shownLine(line string) string {
	line = strings.ReplaceAll(line, "\t", "    ")
	text := strings.TrimLeft(line, " ")
	indentation := min(len(line)-len(text), excerptWidth)
	return line[:indentation] + termtext.Line(text, excerptWidth)
}

// instructionsOf are a file's instructions, none where they cannot be read.
func instructionsOf(text []byte) (nodes []*parser.Node) {
	defer func() {
		// Neither the parser nor its input is ours.
		if recover() != nil {
			nodes = nil
		}
	}()
	parsed, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return nil
	}
	return parsed.AST.Children
}
