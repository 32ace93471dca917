package process

import (
	"errors"
	"testing"
)

func TestCheckBatch(t *testing.T) {
	for _, program := range []string{`C:\node\npm.cmd`, `C:\x.BAT`} {
		for _, word := range []string{`"&calc`, "%PATH%", "a|b", "a&b", "a>b", "<a", "a^b", "!x!", "a\r\nb"} {
			err := checkBatch(program, []string{"npm", "run", word})
			if e, ok := errors.AsType[*StartError](err); !ok || e.Program != program {
				t.Errorf("%s %q: got %v", program, word, err)
			}
		}
		if err := checkBatch(program, []string{"a&b", "run", "dev", "--x=1", "two words", ""}); err != nil {
			t.Errorf("%s: got %v", program, err)
		}
	}
	if err := checkBatch(`C:\node\node.exe`, []string{"node", `"&calc`}); err != nil {
		t.Errorf("a program is no batch file: %v", err)
	}
}
