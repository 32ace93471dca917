package process

import (
	"fmt"
	"path/filepath"
	"strings"
)

// batchSpecial are the characters that cmd.exe, which runs Windows' batch
// files, interprets in their arguments even where they are quoted.
const batchSpecial = "\"%!&|<>^\r\n"

// checkBatch refuses arguments that a batch file would get as commands.
func checkBatch(program string, argv []string) error {
	ending := strings.ToLower(filepath.Ext(program))
	if ending != ".bat" && ending != ".cmd" {
		return nil
	}
	for _, word := range argv[1:] {
		if strings.ContainsAny(word, batchSpecial) {
			return &StartError{program, fmt.Errorf("%q can't be passed to a batch file: it has a character that cmd.exe interprets", word)}
		}
	}
	return nil
}
