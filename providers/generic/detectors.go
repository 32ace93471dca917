package main

// detectors are in the order of preference within one directory, for candidates of the
// same certainty.
var detectors = []func(*directory) []proposal{
	detectRules,
	detectDevelopmentProcfile,
	detectDeno,
	detectNode,
	detectPython,
	detectGo,
	detectRust,
	detectDotnet,
	detectProcfile,
	detectCompose,
}

// tools are the tools of a directory and those directly below, for a command that may run
// any of them.
func (d *directory) tools() []string {
	var tools []string
	for _, at := range d.search.directories {
		if at != d && at.above != d {
			continue
		}
		for _, m := range markers {
			if at.first(m.files...) != "" {
				tools = append(tools, m.tool)
			}
		}
	}
	return tools
}

// markers are files by which a directory is of an ecosystem.
var markers = []struct {
	tool  string
	files []string
}{
	{"node", []string{"package.json"}},
	{"go", []string{"go.mod", "go.work"}},
	{"python", pythonFiles},
	{"rust", []string{"Cargo.toml"}},
	{"java", []string{"pom.xml", "build.gradle", "build.gradle.kts", "build.sbt"}},
	{"php", []string{"composer.json"}},
	{"ruby", []string{"Gemfile", "config.ru"}},
	{"elixir", []string{"mix.exs"}},
	{"deno", []string{"deno.json", "deno.jsonc"}},
	{"bun", []string{"bun.lock", "bun.lockb", "bunfig.toml"}},
}
