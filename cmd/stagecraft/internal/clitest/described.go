package clitest

import (
	"bytes"
	leb "encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// cmdDescribed adds a provider with the schema in a file to the project and to the lock
// file. Its calls succeed and do nothing.
func cmdDescribed(ts *testscript.TestScript, args []string) {
	schema, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	template, err := os.ReadFile(filepath.Join(ts.Getenv("GUESTS"), "described.wasm"))
	ts.Check(err)
	module, err := Described(template, args[0], schema, args[2:]...)
	ts.Check(err)
	place(ts, args[0], module)
	trustBytes(ts, args[0], module)
}

// Described returns the module described.wasm with another description. The schema need
// not be JSON.
func Described(template []byte, id string, schema []byte, textFrom ...string) ([]byte, error) {
	const dataSection = 11
	at := bytes.LastIndex(template, []byte(`{"ok":{"id":"described"`))
	if at < 0 {
		return nil, errors.New("the template has no description")
	}
	texts, err := json.Marshal(append([]string{}, textFrom...))
	if err != nil {
		return nil, err
	}
	reply := []byte(`{"ok":{"id":"` + id + `","version":"1","abi":` + string('0'+rune(abi.Version)) + `,"capabilities":{},"text_from":` + string(texts) +
		`,"config_schema":` + string(schema) + `}}`)
	// One segment, of memory 0 at offset 0, is the last section.
	section := []byte{1, 0, 0x41, 0, 0x0b}
	section = leb.AppendUvarint(section, uint64(4+len(reply)))
	section = leb.LittleEndian.AppendUint32(section, uint32(len(reply)))
	section = append(section, reply...)
	start := bytes.LastIndexByte(template[:at-11], dataSection)
	module := append(bytes.Clone(template[:start]), dataSection)
	module = leb.AppendUvarint(module, uint64(len(section)))
	return append(module, section...), nil
}
