package main

import (
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// pythonFiles are those by which a directory is a Python project.
var pythonFiles = []string{"pyproject.toml", "requirements.txt", "Pipfile", "manage.py", "setup.py", "uv.lock", "poetry.lock", "pdm.lock", "environment.yml"}

// pythonMains are the usual names of programs.
var pythonMains = []string{
	"main.py", "app.py", "app/main.py", "src/main.py", "server.py", "api.py", "wsgi.py", "asgi.py", "app/__init__.py", "app/app.py", "src/app.py", "api/main.py",
	"application.py", "run.py", "backend/main.py", "src/app/main.py", "hello.py", "app/api/main.py", "app/server.py", "index.py",
}

// pythonFrameworks are found in the program that makes an application. FILE, MODULE and
// NAME are those of the application.
var pythonFrameworks = []struct {
	made, name, command string
	port                int
}{
	{"FastAPI(", "FastAPI", "{py}fastapi dev FILE", 8000},
	{"Flask(", "Flask", "{py}flask --app MODULE run --debug", 5000},
	{"Litestar(", "Litestar", "{py}litestar --app MODULE:NAME run --reload", 8000},
	{"Starlette(", "Starlette", "{py}uvicorn MODULE:NAME --reload", 8000},
	{"Sanic(", "Sanic", "{py}sanic MODULE:NAME --dev", 8000},
	{"Quart(", "Quart", "{py}quart --app MODULE run --reload", 5000},
	{"Robyn(", "Robyn", "{py}python FILE --dev", 8080},
	{"falcon.asgi.App(", "Falcon", "{py}uvicorn MODULE:NAME --reload", 8000},
	{"falcon.App(", "Falcon", "{py}gunicorn MODULE:NAME --reload", 8000},
	{"BlackSheep", "BlackSheep", "{py}uvicorn MODULE:NAME --reload", 8000},
	{"import streamlit", "Streamlit", "{py}streamlit run FILE", 8501},
	{"import gradio", "Gradio", "{py}python FILE", 7860},
	{"Dash(", "Dash", "{py}python FILE", 8050},
	{"import chainlit", "Chainlit", "{py}chainlit run FILE -w", 8000},
	{"web.Application(", "aiohttp", "{py}python FILE", 8080},
	{"tornado.web", "Tornado", "{py}python FILE", 8888},
	{"from bottle import", "Bottle", "{py}python FILE", 8080},
	{"HTTPServer(", "Python", "{py}python FILE", 8000},
}

func detectPython(d *directory) []proposal {
	if at, _ := d.up(pythonFiles...); at != nil && at != d {
		return nil // a part of a project above
	}
	manifest := d.first("pyproject.toml", "requirements.txt", "Pipfile", "setup.py")
	p := proposal{certainty: abi.Likely, before: d.pythonInstall(), needs: needs{use: []string{"python"}, manifest: manifest}}
	if d.has("uv.lock") {
		p.write = []string{".venv"}
	}
	switch {
	case d.first(pythonFiles...) == "" && d.first("main.py", "app.py", "server.py") == "":
		return nil
	case d.has("manage.py"):
		p.name, p.evidence, p.command = "Django", []string{d.named("manage.py")}, d.expand("{py}python manage.py runserver")
		if d.usesSQLite() {
			// SQLite makes a journal beside its file, which is in this directory.
			p.write = append(p.write, ".")
			p.notes = []string{"SQLite writes beside manage.py, so the policy lets commands write the whole directory"}
		}
		p.listen(d, "", 8000, "Django")
		return []proposal{p}
	}
	if task := d.pythonTask(); task != nil {
		q := p
		q.name, q.certainty, q.evidence, q.command = "Python", abi.Certain, task[:1], task[1:]
		q.listen(d, "", 8000, "Python servers", pythonMains...)
		return []proposal{q}
	}
	for _, name := range d.pythonPrograms() {
		if d.pythonApp(&p, name) {
			return []proposal{p}
		}
	}
	if name := d.first("main.py", "app.py", "server.py", "run.py"); name != "" {
		p.name, p.certainty, p.evidence, p.command = "Python", abi.Possible, []string{d.named(name)}, d.expand("{py}python "+name)
		p.listen(d, "", 0, "", name)
		return []proposal{p}
	}
	if name := d.pythonScript(); name != "" {
		p.name, p.certainty, p.evidence, p.command = "Python", abi.Possible, []string{d.named("pyproject.toml") + ": [project.scripts] " + name}, d.expand("{py}"+name)
		p.listen(d, "", 0, "")
		return []proposal{p}
	}
	return nil
}

// pythonScript is the first command that a package installs, or "".
func (d *directory) pythonScript() string {
	_, section, _ := strings.Cut(d.text("pyproject.toml"), "\n[project.scripts]\n")
	line, _, _ := strings.Cut(section, "\n")
	name, _, ok := strings.Cut(line, "=")
	if name = strings.Trim(strings.TrimSpace(name), "\""); !ok || strings.ContainsAny(name, " [") {
		return ""
	}
	return name
}

// pythonPrograms are the files that may make an application.
func (d *directory) pythonPrograms() []string {
	var names []string
	for _, name := range pythonMains {
		if d.has(name) {
			names = append(names, name)
		}
	}
	// A package below src, or named as the project.
	for _, parent := range []string{"src/", ""} {
		at := d
		if parent != "" {
			at = d.at("src")
		}
		if at == nil {
			continue
		}
		for _, dir := range at.below {
			for _, name := range []string{"/main.py", "/app.py", "/__init__.py"} {
				if !strings.HasPrefix(dir, ".") && dir != "tests" && len(names) < 30 && d.has(parent+dir+name) {
					names = append(names, parent+dir+name)
				}
			}
		}
	}
	for _, name := range d.ending(".py") {
		if len(names) < 40 {
			names = append(names, name)
		}
	}
	return names
}

// pythonApp looks for an application of a framework in a program.
func (d *directory) pythonApp(p *proposal, file string) bool {
	text := d.text(file)
	for _, f := range pythonFrameworks {
		if !strings.Contains(text, f.made) {
			continue
		}
		name, factory := applicationName(text, f.made)
		module := strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(file, "src/"), ".py"), "/__init__")
		module = strings.ReplaceAll(module, "/", ".")
		command := f.command
		if f.name == "FastAPI" && (factory || !d.hasFastAPICommand()) {
			command = "{py}uvicorn MODULE:NAME --reload"
		}
		if strings.HasPrefix(file, "src/") && strings.Contains(command, "uvicorn") {
			command += " --app-dir src"
		}
		if factory && strings.Contains(command, "uvicorn") {
			command += " --factory"
		}
		if strings.Contains(command, "MODULE run") && (file == "app.py" || file == "wsgi.py") {
			// Flask finds these itself.
			command = strings.Replace(command, " --app MODULE", "", 1)
		}
		command = strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(command, "FILE", file), "MODULE", module), "NAME", name)
		p.name, p.evidence, p.command = f.name, []string{d.named(file) + " has " + f.made + strings.Repeat(")", strings.Count(f.made, "("))}, d.expand(command)
		p.listen(d, command, 0, "")
		if strings.Contains(command, "python "+file) {
			p.listen(d, "", f.port, f.name, file)
		}
		p.listen(d, "", f.port, f.name)
		return true
	}
	return false
}

// hasFastAPICommand reports whether the command fastapi is installed with FastAPI.
func (d *directory) hasFastAPICommand() bool {
	for _, name := range []string{"pyproject.toml", "requirements.txt", "Pipfile", "setup.py"} {
		if text := d.text(name); containsAny(text, "fastapi[standard|fastapi[all|fastapi-cli|extras = [\"standard\"|extras = [\"all\"") {
			return true
		} else if containsAny(text, "uvicorn|hypercorn|gunicorn") {
			return false
		}
	}
	return true
}

// applicationName is the variable that gets an application, and whether a function makes
// it.
func applicationName(text, made string) (name string, factory bool) {
	name, function := "app", ""
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "def "); ok {
			function, _, _ = strings.Cut(rest, "(")
		} else if line[0] != ' ' && line[0] != '\t' && line[0] != '\n' && line[0] != '#' {
			function = ""
		}
		before, _, ok := strings.Cut(line, made)
		if !ok {
			continue
		}
		indented := strings.HasPrefix(before, " ") || strings.HasPrefix(before, "\t")
		if word, _, assigned := strings.Cut(before, "="); assigned {
			word, _, _ = strings.Cut(strings.TrimSpace(word), ":")
			if isName(word) && !indented {
				return word, false
			}
		}
		if indented && function != "" {
			name, factory = function, true
		}
	}
	// A module often calls its own factory.
	for line := range strings.Lines(text) {
		if word, call, ok := strings.Cut(line, " = "); ok && factory && isName(word) && strings.HasPrefix(call, name+"(") {
			return word, false
		}
	}
	return name, factory
}

// pythonTask is a task for development that the project defines, after its evidence.
func (d *directory) pythonTask() []string {
	text := d.text("pyproject.toml")
	section := ""
	var task []string
	lines(text, func(line string) {
		if strings.HasPrefix(line, "[") {
			section = line
		}
		key, _, ok := strings.Cut(line, "=")
		if !ok || strings.Trim(strings.TrimSpace(key), "\"") != "dev" || task != nil {
			return
		}
		for _, t := range []struct{ section, command string }{
			{"[tool.poe.tasks]", "{py}poe dev"}, {"[tool.pdm.scripts]", "pdm run dev"}, {"[tool.taskipy.tasks]", "{py}task dev"},
			{"[tool.hatch.envs.default.scripts]", "hatch run dev"}, {"[tool.rye.scripts]", "rye run dev"}, {"[tool.pixi.tasks]", "pixi run dev"},
		} {
			if section == t.section {
				task = append([]string{d.named("pyproject.toml") + ": " + section + " dev"}, d.expand(t.command)...)
			}
		}
	})
	if task == nil && strings.Contains(d.text("Pipfile"), "[scripts]") && assigned(d.text("Pipfile"), "dev") != "" {
		task = []string{d.named("Pipfile") + ": [scripts] dev", "pipenv", "run", "dev"}
	}
	return task
}

// pythonTool runs a tool as the project's package manager does.
func (d *directory) pythonTool(tool string) []string {
	run := []string{}
	switch manager, _ := d.pythonManager(); manager {
	case "uv", "poetry", "pdm", "pipenv":
		run = append(run, manager, "run")
	case ".venv", "venv", "env":
		return []string{"./" + manager + "/bin/" + tool}
	default:
		if tool == "python" {
			return []string{"python3"}
		}
	}
	return append(run, tool)
}

// pythonManager is the package manager of a project, or the directory of its virtual
// environment.
func (d *directory) pythonManager() (manager, evidence string) {
	for _, m := range []struct{ file, manager string }{{"uv.lock", "uv"}, {"poetry.lock", "poetry"}, {"pdm.lock", "pdm"}, {"Pipfile", "pipenv"}} {
		if at, _ := d.up(m.file); at != nil {
			return m.manager, at.named(m.file)
		}
	}
	text := d.text("pyproject.toml")
	for _, m := range []struct{ words, manager string }{{"[tool.poetry|poetry.core", "poetry"}, {"[tool.uv|uv_build", "uv"}, {"[tool.pdm|pdm.backend", "pdm"}} {
		if containsAny(text, m.words) {
			return m.manager, d.named("pyproject.toml")
		}
	}
	for _, name := range []string{".venv", "venv", "env"} {
		if at := d.at(name); at != nil && at.has("pyvenv.cfg") {
			return name, d.named(name)
		}
	}
	return "pip", ""
}

// pythonInstall is what installs the dependencies of a project.
func (d *directory) pythonInstall() []string {
	switch manager, _ := d.pythonManager(); {
	case manager == "uv":
		return []string{"uv sync"}
	case manager == "poetry", manager == "pdm", manager == "pipenv":
		return []string{manager + " install"}
	case manager == "pip" && d.has("requirements.txt"):
		return []string{"pip install -r " + d.named("requirements.txt")}
	}
	return nil
}

// usesSQLite reports whether the settings of a Django project name SQLite.
func (d *directory) usesSQLite() bool {
	for _, dir := range d.below {
		for _, name := range []string{"/settings.py", "/settings/base.py", "/settings/dev.py", "/settings/local.py", "/settings/development.py"} {
			if strings.Contains(d.text(dir+name), "sqlite3") {
				return true
			}
		}
	}
	return d.has("db.sqlite3")
}
