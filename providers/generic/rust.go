package main

import (
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// rustFrameworks are servers with their usual ports, by their crates.
var rustFrameworks = []struct {
	crate, name string
	port        int
}{
	{"rocket", "Rocket", 8000}, {"actix-web", "Actix Web", 8080}, {"axum", "axum", 3000}, {"warp", "warp", 3030}, {"poem", "Poem", 3000}, {"salvo", "Salvo", 5800},
	{"tide", "Tide", 8080}, {"loco-rs", "Loco", 5150}, {"leptos", "Leptos", 3000}, {"tonic", "tonic", 50051}, {"hyper", "hyper", 3000},
}

// detectRust finds the binaries of a package, or of the members of a workspace.
func detectRust(d *directory) []proposal {
	text := d.text("Cargo.toml")
	if text == "" || !strings.Contains(text, "[package]") {
		return nil
	}
	p := proposal{
		name: "Rust", certainty: abi.Likely, before: []string{"cargo fetch"},
		needs: needs{use: []string{"rust"}, write: []string{"target"}, manifest: "Cargo.toml"},
	}
	workspace := d.rustWorkspace()
	if workspace != nil {
		// Cargo builds in the directory of the workspace.
		p.write = []string{strings.Repeat("../", d.depth()-workspace.depth()) + "target"}
	}
	switch {
	case d.has("Trunk.toml"):
		p.name, p.evidence, p.command = "Trunk", []string{d.named("Trunk.toml")}, []string{"trunk", "serve"}
		p.write = append(p.write, "dist")
		p.listen(d, "", 8080, "Trunk", "Trunk.toml")
		return []proposal{p}
	case strings.Contains(text, "[package.metadata.leptos]") || strings.Contains(text, "[[workspace.metadata.leptos]]"):
		p.name, p.evidence, p.command = "Leptos", []string{d.named("Cargo.toml") + " has leptos"}, []string{"cargo", "leptos", "watch"}
		p.listen(d, "", 3000, "Leptos")
		return []proposal{p}
	case containsAny(text, "shuttle-runtime"):
		p.name, p.evidence, p.command = "Shuttle", []string{d.named("Cargo.toml") + " has shuttle-runtime"}, []string{"shuttle", "run"}
		p.listen(d, "", 8000, "Shuttle")
		return []proposal{p}
	}
	var found []proposal
	for _, binary := range d.rustBinaries(text) {
		q := p
		q.evidence = []string{d.named("Cargo.toml") + ", " + d.named(binary.file)}
		q.command = []string{"cargo", "run"}
		if binary.name != "" {
			q.command = append(q.command, "--bin", binary.name)
		}
		d.rustPort(&q, text, binary.file)
		found = append(found, q)
	}
	return found
}

// rustWorkspace is the nearest directory above that is a workspace.
func (d *directory) rustWorkspace() *directory {
	for at := d.above; at != nil; at = at.above {
		if strings.Contains(at.text("Cargo.toml"), "[workspace]") {
			return at
		}
	}
	return nil
}

type rustBinary struct{ name, file string }

// rustBinaries are the programs of a package. A name is needed for one of several.
func (d *directory) rustBinaries(text string) []rustBinary {
	var found []rustBinary
	section, name := "", ""
	lines(text, func(line string) {
		if strings.HasPrefix(line, "[") {
			section, name = line, ""
		}
		if section != "[[bin]]" {
			return
		}
		if value := assigned(line, "name"); value != "" {
			name = value
			found = append(found, rustBinary{name, "src/main.rs"})
		}
		if value := assigned(line, "path"); value != "" && name != "" {
			found[len(found)-1].file = value
		}
	})
	if len(found) == 0 && d.has("src/main.rs") {
		found = []rustBinary{{"", "src/main.rs"}}
	}
	if at := d.at("src/bin"); at != nil {
		for _, file := range at.ending(".rs") {
			found = append(found, rustBinary{strings.TrimSuffix(file, ".rs"), "src/bin/" + file})
		}
	}
	if run := assigned(text, "default-run"); run != "" || len(found) == 1 {
		for _, b := range found {
			if b.name == run || len(found) == 1 {
				return []rustBinary{{"", b.file}}
			}
		}
	}
	// Of several, that of src/main.rs has the name of the package.
	for i := range found {
		if found[i].name == "" {
			found[i].name = assigned(text, "name")
		}
	}
	return found
}

func (d *directory) rustPort(p *proposal, text, file string) {
	port, name := 0, ""
	for _, f := range rustFrameworks {
		if strings.Contains(text, "\n"+f.crate) {
			port, name = f.port, f.name
			p.name = "Rust, " + f.name
			break
		}
	}
	p.listen(d, "", port, name, "Rocket.toml", file, "src/main.rs", "src/config.rs", "src/startup.rs", "src/lib.rs", "configuration/base.yaml", "config/development.yaml")
}
