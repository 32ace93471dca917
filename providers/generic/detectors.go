package main

import "strings"

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

// toolOf is the tool that runs a command, "" if it is unknown.
func toolOf(command []string) string {
	for _, m := range markers {
		for program := range strings.SplitSeq(m.programs, "|") {
			if len(command) > 0 && command[0] == program {
				return m.tool
			}
		}
	}
	return ""
}

// markers are files by which a directory is of an ecosystem, and programs by which a
// command is.
var markers = []struct {
	tool     string
	files    []string
	programs string
}{
	{"node", []string{"package.json"}, "node|npm|npx|pnpm|yarn"},
	{"go", []string{"go.mod", "go.work"}, "go"},
	{"python", pythonFiles, "python|python3|uv|poetry|pdm|gunicorn|uvicorn|flask|fastapi|celery"},
	{"rust", []string{"Cargo.toml"}, "cargo"},
	{"java", []string{"pom.xml", "build.gradle", "build.gradle.kts", "build.sbt"}, "java|mvn|gradle"},
	{"php", []string{"composer.json"}, "php|composer"},
	{"ruby", []string{"Gemfile", "config.ru"}, "ruby|bundle|rails|rackup|puma|sidekiq"},
	{"elixir", []string{"mix.exs"}, "mix|elixir"},
	{"deno", []string{"deno.json", "deno.jsonc"}, "deno"},
	{"bun", []string{"bun.lock", "bun.lockb", "bunfig.toml"}, "bun|bunx"},
}
