package exec

import (
	"context"
	"fmt"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/keyboard"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// showKeys is what the user types to see the keys.
const showKeys = "?"

func checkKeys(keys []abi.Key) error {
	if len(keys) > abi.MaxKeys {
		return abi.Errorf(abi.CodeTooLarge, "process_wait: %d keys, the limit is %d", len(keys), abi.MaxKeys)
	}
	seen := make(map[string]bool)
	for _, k := range keys {
		if len(k.Key) != 1 || k.Key[0] < 'a' || k.Key[0] > 'z' || seen[k.Key] {
			return abi.Errorf(abi.CodeInvalid, "process_wait: %q is not a key: expected letters from a to z, each once", k.Key)
		}
		seen[k.Key] = true
	}
	return nil
}

// typing receives the lines that the user types while a provider waits.
type typing struct {
	lines <-chan string
	stop  func() // waits for the end of the reader
}

// listen reads what the user types if the provider asks for keys and somebody can type.
// Without that, nothing ever comes.
func (r *Runner) listen(keys []abi.Key) typing {
	if len(keys) == 0 || r.opts.Keyboard == nil {
		return typing{stop: func() {}}
	}
	r.hint.Do(func() { r.opts.Tell(abi.LevelInfo, "type "+showKeys+" and Enter to see the keys") })
	lines, stop := r.opts.Keyboard.Lines()
	return typing{lines, stop}
}

// typed returns the key of a line. ok is false if the line is not for the provider.
func (r *Runner) typed(line string, keys []abi.Key) (key abi.TypedKey, ok bool) {
	words := strings.Fields(termtext.Line(line, abi.MaxKeyArgument+2))
	if len(words) == 0 {
		return key, false
	}
	if words[0] == showKeys {
		r.opts.Tell(abi.LevelInfo, keysText(keys))
		return key, false
	}
	for _, k := range keys {
		if k.Key != words[0] {
			continue
		}
		want := 1
		if k.Argument != "" {
			want = 2
		}
		if len(words) != want {
			r.opts.Tell(abi.LevelWarn, fmt.Sprintf("expected %q, got %q", strings.TrimSpace(k.Key+" "+k.Argument), strings.Join(words, " ")))
			return key, false
		}
		key.Key = k.Key
		if want == 2 {
			key.Argument = words[1]
		}
		return key, true
	}
	r.opts.Tell(abi.LevelWarn, fmt.Sprintf("unknown key %q: type %s and Enter to see the keys", words[0], showKeys))
	return key, false
}

func keysText(keys []abi.Key) string {
	lines := []string{"keys, each with Enter:"}
	for _, k := range keys {
		lines = append(lines, fmt.Sprintf("  %-8s %s", strings.TrimSpace(k.Key+" "+termtext.Line(k.Argument, 20)), termtext.Line(k.Help, 60)))
	}
	return strings.Join(append(lines, "  Ctrl-C   ends all; twice kills them"), "\n")
}

// Keyboard is the terminal at which the user types.
type Keyboard = keyboard.Keyboard

// OpenKeyboard opens the terminal of standard input, nil if it is none.
func OpenKeyboard() *Keyboard { return keyboard.Open() }

// waitTyping waits as startedPrograms.wait does, or for a key.
func (r *Runner) waitTyping(ctx context.Context, p waitPlan) (abi.ProcessWaitResult, error) {
	typing := r.listen(p.keys)
	defer typing.stop()
	return r.started.wait(ctx, p.of, p.timeout, typing.lines, func(line string) (abi.TypedKey, bool) { return r.typed(line, p.keys) })
}
