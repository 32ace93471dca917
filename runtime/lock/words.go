package lock

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Words says what a provider asks for, one thing a line, for people who have
// never seen the ABI. Control characters are removed, and letters that only look
// Latin are marked.
func Words(c abi.Capabilities) []string {
	var said []string
	for _, ask := range c.Exec {
		said = append(said, execWords(ask))
	}
	for _, ask := range c.Build {
		said = append(said, buildWords(ask)...)
	}
	each := func(list []string, before string, word func(string) string, after string) {
		for _, item := range list {
			said = append(said, before+word(item)+after)
		}
	}
	each(c.Files, "read files: ", yamldoc.Word, "")
	each(c.FilesFrom, "read the files at ", fieldName, "")
	each(c.Env, "read a variable and pass it on: ", yamldoc.Word, "")
	each(c.EnvFrom, "read the variables named at ", fieldName, " and pass them on")
	each(c.EnvFilesFrom, "pass the variables in the files at ", fieldName, " to its commands")
	each(c.EnvPass, "pass your variable to all its commands: ", yamldoc.Word, "")
	each(c.EnvSecret, "pass your variable to all its commands, with its value masked: ", yamldoc.Word, "")
	each(c.ConnectFrom, "connect to this machine's port at ", fieldName, "")
	for _, port := range c.Connect {
		said = append(said, fmt.Sprintf("connect to this machine's port %d, if the configuration names no port", port))
	}
	each(c.Images, "look up images: ", yamldoc.Word, "")
	for _, argv := range c.Daemons {
		said = append(said, "leave running after the run: "+strings.Join(yamldoc.Words(argv), " "))
	}
	var out []string
	for _, line := range said {
		// Nothing is cut or collapsed: people trust the whole line.
		if line = termtext.Mark(termtext.Clean(line)); !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	return out
}

func execWords(ask abi.ExecAsk) string {
	said := "run: " + strings.Join(yamldoc.Words(ask.Argv), " ")
	if ask.ArgvFrom != "" {
		said = "run exactly the command at " + fieldName(ask.ArgvFrom)
		if len(ask.Argv) > 0 {
			said += ", and: " + strings.Join(yamldoc.Words(ask.Argv), " ")
		}
	}
	if ask.DirFrom != "" {
		said += ", in the directory at " + fieldName(ask.DirFrom)
	}
	if ask.EnvFrom != "" {
		said += ", with the variables at " + fieldName(ask.EnvFrom)
	}
	return said
}

func buildWords(ask abi.BuildAsk) []string {
	var places []string
	for _, pointer := range ask.ContextFrom {
		places = append(places, fieldName(pointer))
	}
	said := "build an image from the directory at " + strings.Join(append(places, "the project directory"), ", else ")
	if len(places) == 0 {
		said = "build an image from the project directory"
	}
	if ask.DockerfileFrom != "" {
		said += ", by the Dockerfile at " + fieldName(ask.DockerfileFrom)
	}
	out := []string{said}
	for _, name := range ask.Args {
		out = append(out, "set an argument of the build: "+yamldoc.Word(name))
	}
	for _, place := range [...]struct{ before, pointer, after string }{
		{"build the stage at ", ask.TargetFrom, ""},
		{"build for the platforms at ", ask.PlatformsFrom, ""},
		{"set the arguments of the build at ", ask.ArgsFrom, ""},
		{"give the secrets at ", ask.SecretsFrom, " to the build"},
		{"build with the network at ", ask.NetworkFrom, ""},
		{"fetch results of builds from the caches at ", ask.CacheImportFrom, ""},
		{"send results of builds to the caches at ", ask.CacheExportFrom, ""},
	} {
		if place.pointer != "" {
			out = append(out, place.before+fieldName(place.pointer)+place.after)
		}
	}
	return out
}

// fieldName is a place of the configuration.
func fieldName(pointer string) string { return yamldoc.Word(abi.FieldName(pointer)) }
