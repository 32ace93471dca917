package capability_test

import (
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// run is a claim for a program that was found, or wasn't where program is
// empty.
func run(dir, program, inside string, argv ...string) capability.Claim {
	return capability.Claim{Operation: "exec", Provider: "generic", Exec: &capability.Exec{
		Argv: argv, Program: program, ProgramInProject: inside, Dir: dir,
	}}
}

func TestExecRules(t *testing.T) {
	const windows = `C:\Program Files\nodejs\npm.cmd`
	for _, tt := range []struct {
		name        string
		allow, deny string
		claim       capability.Claim
		want        bool
	}{
		{"file in the project from a directory", "./scripts/run.sh", "", run("scripts", "/p/scripts/run.sh", "scripts/run.sh", "./run.sh"), true},
		{"name is relative to the project", "./run.sh", "", run("scripts", "/p/scripts/run.sh", "scripts/run.sh", "./run.sh"), false},
		{"in the project by a link from outside", "./x", "", run(".", "/bin/x", "", "./x"), false},
		{"file that isn't there", "./scripts/run.sh", "", run("scripts", "", "", "./run.sh"), true},
		{"file that isn't there nor allowed", "./scripts/run.sh", "", run("scripts", "", "", "./other.sh"), false},
		{"absolute file that isn't there", "/opt/x", "", run(".", "", "", "/opt/./x"), true},
		{"file that isn't there, outside", "**", "", run(".", "", "", "../x"), false},
		{"name that isn't there", "npm", "", run(".", "", "", "npm"), true},
		{"any name", "**", "", command("npm", "-x"), true},
		{"any name is not a path", "**", "", command("/usr/bin/npm"), false},
		{"./ is not a name", "npm", "", command("./npm"), false},
		{"a name is not a file of the project", "./npm", "", run(".", "/usr/bin/npm", "", "npm"), false},
		{"pattern of a name", "n*", "", command("npm"), true},
		{"option as a program", "*", "", command("-x"), false},
		{"option by a pattern of options", "npm --*", "", command("npm", "--x"), true},
		{"pattern with a * first for an option", "npm *x", "", command("npm", "-x"), false},
		{"absolute pattern", "/usr/*/npm", "", command("/usr/bin/npm"), true},
		{"absolute pattern and more directories", "/usr/*", "", command("/usr/bin/npm"), false},
		{"absolute pattern and fewer", "/usr/*/npm", "", command("/usr/npm"), false},

		{"Windows by its path", `['C:\Program Files\nodejs\npm.cmd']`, "", run(".", windows, "", "npm"), true},
		{"Windows with slashes", `['C:/Program Files/*/npm.cmd']`, "", run(".", windows, "", "npm"), true},
		{"Windows path is not a name", "**", "", run(".", windows, "", windows), false},
		{"Windows name on another drive", "**", "", run(".", `D:\npm.exe`, "", "D:npm"), false},
		{"share", `['\\srv\bin\x.exe']`, "", run(".", `\\srv\bin\x.exe`, "", `\\srv\bin\x.exe`), true},
		{"share is not a directory here", "/srv/bin/x.exe", "", run(".", `\\srv\bin\x.exe`, "", `\\srv\bin\x.exe`), false},
		{"backslash elsewhere is a letter", `['/opt/a\b']`, "", run(".", `/opt/a\b`, "", `/opt/a\b`), true},

		{"deny by name", "npm run", "npm **", command("npm", "run"), false},
		{"deny of other words", "npm run", "npm publish", command("npm", "run"), true},
		{"deny of all", "npm run", "**", command("npm", "run"), false},
		{"deny by any word", "npm -x", "npm *", command("npm", "-x"), false},
		{"deny by the path's end", "/opt/npm", "npm", command("/opt/npm"), false},
		{"deny by what it is a link to", "./x", "npm", run(".", "/p/x", "x", "./x"), true},
		{"deny by what a link leads to", "./tools/npm", "npm", run(".", "/p/x", "tools/npm", "./x"), false},
		{"deny by where it was found", "x", "npm", run(".", "/usr/bin/npm", "", "x"), false},
		{"deny by its file", "npm", "/usr/bin/npm", command("npm"), false},
		{"deny by how it was called", "./scripts/run.sh", "./run.sh", run("scripts", "/p/scripts/run.sh", "scripts/run.sh", "./run.sh"), false},
		{"deny by its file in the project", "./scripts/run.sh", "scripts/*.sh", run("scripts", "/p/scripts/run.sh", "scripts/run.sh", "./run.sh"), false},
		{"deny in another case", "**", "curl", command("CURL"), false},
		{"deny written in another case", "**", "Curl", command("curl"), false},
		{"deny of a file in another case", "**", "/USR/bin/*", command("curl"), false},
		{"deny in another case of what isn't there", "**", "curl", run(".", "", "", "CURL"), false},
		{"deny by the end of what isn't there", "/opt/npm", "npm", run(".", "", "", "/opt/npm"), false},
		{"deny by the end of what isn't there on Windows", "./npm", "npm", run(".", "", "", `.\npm`), false},
		{"deny by the end of how it was called", "/opt/real", "npm", run(".", "/opt/real", "", "/opt/npm"), false},
		{"deny by the end of how it was called on Windows", "C:/t/real.exe", "npm", run(".", `C:\t\real.exe`, "", `C:\t\npm.exe`), false},
		{"words keep their case", "**", "curl -X", command("curl", "-x"), true},
		{"deny on Windows", `['C:/Program Files/nodejs/npm.cmd', publish]`, "npm publish", run(".", windows, "", windows, "publish"), false},
		{"deny on Windows by the file", "npm publish", "npm.cmd **", run(".", windows, "", "npm", "publish"), false},
		{"deny on Windows by a pattern", "npm", `['c:\program files\*\npm.*']`, run(".", windows, "", "npm"), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := "version: 1\nproviders: {generic: {exec: {allow: [" + inYAML(tt.allow) + "]"
			if tt.deny != "" {
				text += ", deny: [" + inYAML(tt.deny) + "]"
			}
			p := parse(t, text+"}}}")
			if d := capability.Decide([]*capability.Policy{p}, tt.claim); d.Allowed != tt.want {
				t.Errorf("%v: %s", tt.claim, d.Reason())
			}
		})
	}
}

// inYAML quotes a rule, unless it is a list.
func inYAML(rule string) string {
	if strings.HasPrefix(rule, "[") {
		return rule
	}
	return "'" + rule + "'"
}
