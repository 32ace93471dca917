package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// denoTasks are those that run a project for development, the best first.
var denoTasks = []string{"dev", "start", "serve", "server", "run"}

// detectDeno finds the tasks of a deno.json, or a program.
func detectDeno(d *directory) []proposal {
	file := d.first("deno.json", "deno.jsonc")
	p := proposal{name: "Deno", certainty: abi.Certain, needs: needs{use: []string{"deno"}, manifest: file, write: []string{"node_modules"}}}
	entry := d.first("main.ts", "mod.ts", "server.ts", "main.tsx", "src/main.ts", "index.ts", "app.ts")
	text := d.text(file)
	switch {
	case file == "" && (entry == "" || !d.has("deno.lock") && !strings.Contains(d.text(entry), "Deno.")):
		return nil
	case file != "":
		_, tasks, _ := strings.Cut(text, "\"tasks\"")
		for _, name := range denoTasks {
			if strings.Contains(tasks, "\""+name+"\"") {
				p.evidence = []string{d.named(file) + ": task \"" + name + "\""}
				p.command = []string{"deno", "task", name}
				break
			}
		}
	}
	if p.command == nil {
		if entry == "" {
			return nil
		}
		p.certainty, p.evidence = abi.Likely, []string{d.named(entry)}
		p.command = []string{"deno", "run", "--allow-net", "--allow-read", "--allow-env", "--watch", entry}
	}
	if containsAny(text, "fresh|vite") {
		p.name, p.write = "Deno with Fresh", []string{"_fresh", "node_modules"}
	}
	p.listen(d, text, 8000, "Deno", entry, "dev.ts")
	return []proposal{p}
}

// detectDotnet finds projects that are web servers, or else programs.
func detectDotnet(d *directory) []proposal {
	var found []proposal
	for _, suffix := range []string{".csproj", ".fsproj", ".vbproj"} {
		for _, file := range d.ending(suffix) {
			text := d.text(file)
			p := proposal{
				name: ".NET", certainty: abi.Possible, evidence: []string{d.named(file)}, command: []string{"dotnet", "run"}, before: []string{"dotnet restore"},
				needs: needs{use: []string{"dotnet"}, write: []string{"bin", "obj"}, manifest: file},
			}
			switch {
			case containsAny(text, "Microsoft.NET.Sdk.Web|Microsoft.NET.Sdk.BlazorWebAssembly|Aspire.AppHost"):
				p.name, p.certainty = "ASP.NET Core", abi.Likely
				p.evidence[0] += " has Microsoft.NET.Sdk.Web"
			case containsAny(text, "Microsoft.NET.Sdk.Worker"):
				p.name, p.certainty = ".NET worker", abi.Likely
			case !containsAny(text, "<OutputType>Exe") || strings.Contains(text, "Microsoft.NET.Test.Sdk"):
				continue
			}
			if len(d.ending(suffix)) > 1 {
				p.command = append(p.command, "--project", file)
			}
			p.listen(d, "", 0, "", "appsettings.Development.json")
			p.dotnetPorts(d)
			p.listen(d, "", 5000, "ASP.NET Core")
			found = append(found, p)
		}
	}
	return found
}

// dotnetPorts are all ports of the launch settings: one profile has HTTP and HTTPS.
func (n *needs) dotnetPorts(d *directory) {
	const file = "Properties/launchSettings.json"
	for rest := d.text(file); len(n.ports) < 8; {
		_, after, ok := strings.Cut(rest, "://localhost:")
		if !ok {
			return
		}
		if port := numberAt(after); isPortNumber(port) {
			n.ports, n.portFrom = append(n.ports, port), d.named(file)
		}
		rest = after
	}
}

// detectDevelopmentProcfile finds the processes with which a project says itself that it
// runs for development.
func detectDevelopmentProcfile(d *directory) []proposal {
	return d.procfile(d.first("Procfile.dev", "Procfile.local"), abi.Certain)
}

// detectProcfile finds the processes of production.
func detectProcfile(d *directory) []proposal { return d.procfile(d.first("Procfile"), abi.Likely) }

func (d *directory) procfile(file string, certainty abi.Certainty) []proposal {
	var names, commands []string
	lines(d.text(file), func(line string) {
		name, command, ok := strings.Cut(line, ":")
		if command = strings.TrimSpace(command); ok && command != "" && name != "release" && !strings.HasPrefix(name, "#") {
			names, commands = append(names, strings.TrimSpace(name)), append(commands, command)
		}
	})
	return d.processes(file, certainty, names, commands)
}

// processes proposes one process, or several by their names. The server among them says
// which port is used.
func (d *directory) processes(file string, certainty abi.Certainty, names, commands []string) []proposal {
	if len(names) == 0 {
		return nil
	}
	web := 0
	for i, name := range names {
		if name == "web" || name == "server" || name == "app" || name == "api" {
			web = i
			break
		}
	}
	command := commands[web]
	p := proposal{
		name: file, certainty: certainty, evidence: []string{d.named(file) + ": " + names[web] + " is " + shortened(command)}, command: shellWords(command),
		needs: needs{use: d.tools(), manifest: d.first("package.json", "Gemfile", "requirements.txt", "pyproject.toml", "go.mod", "mix.exs", "composer.json"), write: []string{"tmp", "log"}},
	}
	for _, text := range commands {
		if tool := toolOf(shellWords(text)); tool != "" && !slices.Contains(p.use, tool) {
			p.use = append(p.use, tool)
		}
	}
	if len(names) > 1 {
		p.evidence[0] += ", and " + strconv.Itoa(len(names)-1) + " more"
		p.processes = make(map[string][]string)
		for i, name := range names[:min(len(names), abi.MaxProcesses)] {
			p.processes[processName(name, i)] = shellWords(commands[i])
		}
	}
	if strings.Contains(command, "PORT") {
		p.passes = []string{"PORT"}
	}
	p.listen(d, command, usualPort(command), firstWord(command))
	return []proposal{p}
}

// processName is a name as it may be in dev.processes.
func processName(name string, i int) string {
	if name == "" || len(name) > maxName || strings.Trim(name, nameLetters) != "" {
		return "process" + strconv.Itoa(i+1)
	}
	return name
}

// usualPort is that of a server by its command, 0 if it is unknown.
func usualPort(command string) int {
	for _, s := range []struct {
		words string
		port  int
	}{
		{"rails|puma -C|next |nest ", 3000}, {"puma|rackup", 9292}, {"gunicorn|uvicorn|manage.py|fastapi|artisan", 8000}, {"flask", 5000}, {"phx.server", 4000},
		{"vite", 5173}, {"java|spring|mvn|gradle", 8080},
	} {
		if containsAny(command, s.words) {
			return s.port
		}
	}
	return 0
}

// shellWords splits a command, or has a shell read it.
func shellWords(command string) []string {
	if argv, ok := words(command); ok {
		return argv
	}
	return []string{"sh", "-c", command}
}

// detectCompose finds the commands of services whose image is not that of a server such as
// a database. The images are not run.
func detectCompose(d *directory) []proposal {
	file := d.first("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
	var names, commands []string
	var at composeService
	end := func() {
		if at.command != "" && !at.foreign {
			names, commands = append(names, at.name), append(commands, at.command)
		}
		at = composeService{}
	}
	indent, services := -1, false
	for line := range strings.Lines(d.text(file)) {
		text := strings.TrimSpace(line)
		depth := len(line) - len(strings.TrimLeft(line, " "))
		switch {
		case text == "" || text[0] == '#':
		case depth == 0:
			end()
			services, indent = strings.HasPrefix(text, "services:"), -1
		case services && (indent < 0 || depth <= indent):
			end()
			indent, at.name = depth, strings.TrimSuffix(text, ":")
		case services:
			at.line(text)
		}
	}
	end()
	return d.processes(file, abi.Possible, names, commands)
}

// servers are images that run their own program, whatever options a command gives it.
const servers = "postgres|mysql|mariadb|redis|mongo|rabbitmq|kafka|elasticsearch|logstash|kibana|nginx|traefik|caddy|minio|memcached|nats|prometheus|grafana"

type composeService struct {
	name, command string
	foreign       bool
}

// line reads a line of a service.
func (c *composeService) line(text string) {
	if image, ok := strings.CutPrefix(text, "image:"); ok && containsAny(image, servers) {
		c.foreign = true
	}
	value, ok := strings.CutPrefix(text, "command:")
	if value = strings.TrimSpace(value); !ok || value == "" || strings.ContainsAny(value[:1], ">|&*-") {
		return
	}
	if value[0] != '[' {
		c.command = unquoted(value)
	} else {
		var argv []string
		for item := range strings.SplitSeq(strings.Trim(value, "[]"), ",") {
			argv = append(argv, unquoted(strings.TrimSpace(item)))
		}
		c.command = strings.Join(argv, " ")
	}
	if strings.HasPrefix(c.command, "-") {
		c.command = ""
	}
}
