package main

import (
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// detectGo finds the main packages of a module: at its root, below cmd, or elsewhere.
func detectGo(d *directory) []proposal {
	if !d.has("go.mod") {
		return d.loneGo()
	}
	base := proposal{name: "Go", certainty: abi.Likely, needs: needs{use: []string{"go"}, manifest: "go.mod"}}
	if d.at("vendor") == nil && strings.Contains(d.text("go.mod"), "require") {
		base.notes = []string{"go run cannot download modules under the policy: run \"go mod download\" first"}
	}
	if d.has(".air.toml") {
		p := base
		p.certainty, p.command = abi.Certain, []string{"air"}
		p.evidence, p.write = []string{d.named(".air.toml")}, []string{"tmp"}
		p.listenGo(d, "")
		return []proposal{p}
	}
	var found []proposal
	for _, dir := range d.goMains() {
		p := base
		p.evidence = []string{d.named("go.mod") + ", package main in " + d.named(dir)}
		p.command = []string{"go", "run", "./" + dir}
		if dir == "." {
			p.command[2] = "."
		}
		p.listenGo(d, dir)
		found = append(found, p)
	}
	return found
}

// loneGo is a program in one file, without a module.
func (d *directory) loneGo() []proposal {
	if at, _ := d.up("go.mod"); at != nil || !d.has("main.go") {
		return nil
	}
	p := proposal{name: "Go", certainty: abi.Likely, evidence: []string{d.named("main.go")}, command: []string{"go", "run", "main.go"}, needs: needs{use: []string{"go"}}}
	p.listenGo(d, "")
	return []proposal{p}
}

// goMains are the directories of main packages of a module, the likeliest server first.
func (d *directory) goMains() []string {
	var mains, others []string
	for _, sub := range d.search.directories {
		name, inside := strings.CutPrefix(sub.path+"/", d.path+"/")
		if d.path == "." {
			name, inside = sub.path+"/", true
		}
		name = strings.TrimSuffix(name, "/")
		if !inside || sub != d && sub.hasOwnModule(d) || !sub.isMain() {
			continue
		}
		if sub == d {
			name = "."
		}
		if isServerName(name) {
			mains = append(mains, name)
		} else {
			others = append(others, name)
		}
	}
	return append(mains, others...)
}

// isServerName reports whether a main package is likely the server, by its directory.
func isServerName(dir string) bool {
	last := dir[strings.LastIndexByte(dir, '/')+1:]
	return dir == "." || containsAny(last, "server|api|web|http|app|serve|service|backend")
}

// hasOwnModule reports whether a directory belongs to another module below that of root.
func (d *directory) hasOwnModule(root *directory) bool {
	for at := d; at != nil && at != root; at = at.above {
		if at.has("go.mod") {
			return true
		}
	}
	return false
}

// isMain reports whether a directory has a main package.
func (d *directory) isMain() bool {
	for _, name := range d.ending(".go") {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text := d.text(name)
		if containsAny(text, "//go:build ignore|// +build ignore") {
			continue
		}
		// Other files of the directory are of the same package.
		isMain := false
		lines(text, func(line string) { isMain = isMain || line == "package main" })
		if !isMain {
			return false
		}
		if strings.Contains(text, "func main()") {
			return true
		}
	}
	return false
}

// listenGo finds the port in the sources of a main package, or of those beside it.
func (n *needs) listenGo(d *directory, dir string) {
	var sources []string
	for _, at := range []string{dir, ".", "internal/config", "config", "internal/server", "server", "internal/api", "pkg/config"} {
		sub := d
		if at != "." && at != "" {
			sub = d.at(at)
		}
		if sub == nil {
			continue
		}
		for _, name := range sub.ending(".go") {
			if !strings.HasSuffix(name, "_test.go") {
				if at != "." && at != "" {
					name = at + "/" + name
				}
				sources = append(sources, name)
			}
		}
	}
	n.listen(d, "", 0, "", sources...)
}
