package clitest

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/creack/pty"
	"github.com/rogpeppe/go-internal/testscript"
)

// questionEnd is what every question of stagecraft ends with.
const questionEnd = "[y/N] "

// cmdAsk runs stagecraft on a terminal, gives one answer to each question, and
// wants exactly these questions and an exit code. An answer "WORD: PROGRAM
// ARG..." runs a program while the question is open. What the terminal shows is
// the standard output:
// ask CODE ANSWER... -- ARG...
func cmdAsk(ts *testscript.TestScript, neg bool, args []string) {
	cut := slices.Index(args, "--")
	if neg || cut < 1 || len(args) == cut+1 {
		ts.Fatalf("usage: ask CODE ANSWER... -- ARG...")
	}
	keyboard, terminal, err := pty.Open()
	ts.Check(err)
	defer keyboard.Close()
	cmd, stop := onTerminal(ts, terminal, args[cut+1:])
	defer stop()
	said, left := answerEach(ts, keyboard, args[1:cut])
	fmt.Fprint(ts.Stdout(), said)
	if got := strconv.Itoa(exitCode(ts, cmd)); got != args[0] || left != 0 {
		ts.Fatalf("exit code %s, want %s; %d answers are left:\n%s", got, args[0], left, said)
	}
}

// answerEach reads what a terminal shows until its last process has gone, and
// types the next answer at each question; left is below 0 if one had none.
func answerEach(ts *testscript.TestScript, keyboard *os.File, answers []string) (said string, left int) {
	left = len(answers)
	var shown strings.Builder
	for b := make([]byte, 1); ; {
		if _, err := keyboard.Read(b); err != nil {
			return shown.String(), left
		}
		shown.Write(b)
		if !strings.HasSuffix(shown.String(), questionEnd) {
			continue
		}
		answer := "n"
		if left--; left >= 0 {
			answer = answers[len(answers)-left-1]
		}
		answer, command, with := strings.Cut(answer, ": ")
		if words := strings.Fields(command); with {
			ts.Check(ts.Exec(words[0], words[1:]...))
		}
		_, _ = io.WriteString(keyboard, answer+"\n")
	}
}
