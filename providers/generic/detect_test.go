package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backendtest"
)

type files = map[string]string

// fixtures are small projects, each with its candidates: the command, where it runs unless
// that is the project directory, and the ports.
var fixtures = []struct {
	name  string
	want  []string
	files files
}{
	// Node.js
	{"Express with npm", []string{"npm run dev :4000"}, files{
		"package.json": `{"scripts": {"dev": "node --watch server.js", "start": "node server.js"}, "dependencies": {"express": "5"}}`,
		"server.js":    "const port = process.env.PORT || 4000\napp.listen(port)\n",
	}},
	{"start alone", []string{"npm run start :3000"}, files{"package.json": `{"scripts": {"start": "node index.js", "test": "x"}, "dependencies": {"express": "5"}}`, "index.js": ""}},
	{"no script", []string{"node app.js :3001"}, files{"package.json": `{"main": "app.js"}`, "app.js": "require('http').createServer(f).listen(3001)"}},
	{"library", nil, files{"package.json": `{"main": "index.js", "types": "index.d.ts"}`, "index.js": "module.exports = 1"}},
	{"no manifest", []string{"node server.js :8081"}, files{"server.js": "http.createServer(f).listen(8081)"}},
	{"pnpm by lock file", []string{"pnpm run dev :3000"}, files{"package.json": `{"scripts": {"dev": "next dev"}, "dependencies": {"next": "15"}}`, "pnpm-lock.yaml": ""}},
	{"yarn by lock file", []string{"yarn run dev :5173"}, files{"package.json": `{"scripts": {"dev": "vite"}, "devDependencies": {"vite": "6"}}`, "yarn.lock": ""}},
	{"bun by lock file", []string{"bun run dev :3000"}, files{"package.json": `{"scripts": {"dev": "bun --watch src/index.ts"}, "dependencies": {"elysia": "1"}}`, "bun.lock": ""}},
	{"packageManager before the lock file", []string{"pnpm run dev :4321"}, files{"package.json": `{"packageManager": "pnpm@9.1.0", "scripts": {"dev": "astro dev"}, "dependencies": {"astro": "5"}}`, "package-lock.json": "{}"}},
	{"port in the script", []string{"npm run dev :4567"}, files{"package.json": `{"scripts": {"dev": "next dev --port 4567"}, "dependencies": {"next": "15"}}`}},
	{"port in the configuration of Vite", []string{"npm run dev :4100"}, files{"package.json": `{"scripts": {"dev": "vite"}, "devDependencies": {"vite": "6"}}`, "vite.config.ts": "export default defineConfig({server: {port: 4100}})"}},
	{"port in the example of a dotenv file", []string{"npm run dev :4444"}, files{"package.json": `{"scripts": {"dev": "node x"}}`, ".env.example": "DB=x\nPORT=4444\n"}},
	{"develop", []string{"npm run develop :1337"}, files{"package.json": `{"scripts": {"develop": "strapi develop"}, "dependencies": {"@strapi/strapi": "5"}}`}},
	{"NestJS", []string{"npm run start:dev :3000"}, files{"package.json": `{"scripts": {"start": "nest start", "start:dev": "nest start --watch"}, "dependencies": {"@nestjs/core": "11"}}`, "src/main.ts": "await app.listen(process.env.PORT ?? 3000);"}},
	{"workspaces", []string{"pnpm run dev", "pnpm run dev in apps/web :3000", "pnpm run dev in packages/ui"}, files{
		"package.json": `{"packageManager": "pnpm@10.0.0", "workspaces": ["apps/*"], "scripts": {"dev": "turbo dev"}}`, "pnpm-workspace.yaml": "packages: [apps/*]",
		"apps/web/package.json": `{"scripts": {"dev": "next dev"}, "dependencies": {"next": "15"}}`, "packages/ui/package.json": `{"scripts": {"dev": "tsc -w"}}`,
	}},
	{"client and server", []string{"npm run dev in server :5050", "npm run dev in client :5173"}, files{
		"client/package.json": `{"scripts": {"dev": "vite"}, "devDependencies": {"vite": "6"}}`,
		"server/package.json": `{"scripts": {"dev": "nodemon index.js"}, "dependencies": {"express": "5"}}`, "server/index.js": "app.listen(5050)",
	}},

	// Deno and Bun
	{"Deno task", []string{"deno task dev :8000"}, files{"deno.json": `{"tasks": {"dev": "deno run --watch main.ts"}}`, "main.ts": "Deno.serve(f)"}},
	{"Deno with comments", []string{"deno task start :8000"}, files{"deno.jsonc": "{\n  // how to run\n  \"tasks\": {\"start\": \"x\"},\n}"}},
	{"Deno program", []string{"deno run --allow-net --allow-read --allow-env --watch main.ts :8001"}, files{"deno.json": "{}", "main.ts": "Deno.serve({port: 8001}, f)"}},
	{"Bun program", []string{"bun run index.ts :3000"}, files{"package.json": `{"module": "index.ts"}`, "bun.lock": "", "index.ts": "Bun.serve({port: 3000})"}},

	// Go
	{"Go at the root", []string{"go run . :9000"}, files{"go.mod": "module x\n", "main.go": "package main\n\nfunc main() { http.ListenAndServe(\":9000\", nil) }\n"}},
	{"Go below cmd", []string{"go run ./cmd/server :8080", "go run ./cmd/cli"}, files{
		"go.mod": "module x\n", "cmd/server/main.go": "package main\n\nfunc main() { run(\":8080\") }\n", "cmd/cli/main.go": "package main\n\nfunc main() {}\n", "x.go": "package x\n",
	}},
	{"Go workspace", []string{"go run . in api :8080"}, files{"go.work": "use ./api\nuse ./lib\n", "api/go.mod": "module api\n", "api/main.go": "package main\n\nfunc main() { run(\":8080\") }\n", "lib/go.mod": "module lib\n", "lib/lib.go": "package lib\n"}},
	{"Go without a module", []string{"go run main.go :8080"}, files{"main.go": "package main\n\nfunc main() { run(\":8080\") }\n"}},
	{"Go library", nil, files{"go.mod": "module x\n", "x.go": "package x\n"}},
	{"Go with a tool that is ignored", []string{"go run ./cmd/api"}, files{"go.mod": "module x\n", "gen.go": "//go:build ignore\n\npackage main\n\nfunc main() {}\n", "cmd/api/main.go": "package main\n\nfunc main() {}\n"}},
	{"air", []string{"air :3333"}, files{"go.mod": "module x\n", ".air.toml": "", "main.go": "package main\n\nconst port = 3333\n\nfunc main() {}\n"}},
	{"Makefile before go run", []string{"make dev", "go run ."}, files{"go.mod": "module x\n", "Makefile": "build:\n\tgo build\n\ndev:\n\tair\n", "main.go": "package main\n\nfunc main() {}\n"}},

	// Python
	{"Django", []string{"python3 manage.py runserver :8000"}, files{"manage.py": "", "requirements.txt": "Django"}},
	{"Django with uv", []string{"uv run python manage.py runserver :8000"}, files{"manage.py": "", "pyproject.toml": "", "uv.lock": ""}},
	{"Django in a virtual environment", []string{"./.venv/bin/python manage.py runserver :8000"}, files{"manage.py": "", ".venv/pyvenv.cfg": "", ".venv/bin/python": ""}},
	{"Django with assets", []string{"python3 manage.py runserver :8000", "npm run dev"}, files{"manage.py": "", "package.json": `{"scripts": {"dev": "tailwindcss -w"}}`}},
	{"FastAPI", []string{"fastapi dev main.py :8000"}, files{"requirements.txt": "fastapi[standard]", "main.py": "app = FastAPI()\n"}},
	{"FastAPI with uvicorn", []string{"uvicorn app.main:api --reload :8000"}, files{"requirements.txt": "fastapi\nuvicorn", "app/main.py": "from fastapi import FastAPI\napi = FastAPI(title=\"x\")\n", "app/__init__.py": ""}},
	{"FastAPI with poetry", []string{"poetry run fastapi dev src/shop/main.py :8000"}, files{"pyproject.toml": "[tool.poetry]\nfastapi = {extras = [\"standard\"]}", "poetry.lock": "", "src/shop/main.py": "app = FastAPI()\n"}},
	{"FastAPI from a function", []string{"pdm run uvicorn main:create --reload --factory :8000"}, files{"pyproject.toml": "", "pdm.lock": "", "main.py": "def create():\n    app = FastAPI()\n    return app\n"}},
	{"Flask", []string{"flask run --debug :5000"}, files{"requirements.txt": "flask", "app.py": "app = Flask(__name__)\n"}},
	{"Flask in another file", []string{"pipenv run flask --app hello run --debug :5000"}, files{"Pipfile": "", "hello.py": "app = Flask(__name__)\n"}},
	{"Flask in a package", []string{"flask --app flaskr run --debug :5000"}, files{"pyproject.toml": "", "flaskr/__init__.py": "def create_app():\n    app = Flask(__name__)\n    return app\n"}},
	{"Streamlit", []string{"uv run streamlit run app.py :8501"}, files{"pyproject.toml": "[tool.uv]", "app.py": "import streamlit as st\n"}},
	{"poe task", []string{"uv run poe dev :8000"}, files{"pyproject.toml": "[tool.poe.tasks]\ndev = \"uvicorn x:app\"\n", "uv.lock": "", "main.py": "app = FastAPI()\n"}},
	{"Python program", []string{"python3 main.py"}, files{"main.py": "print(1)"}},
	{"Python server", []string{"python3 main.py :8765"}, files{"main.py": "HTTPServer((\"127.0.0.1\", 8765), H).serve_forever()\n"}},
	{"Python library", nil, files{"pyproject.toml": "[project]\nname = \"x\"", "src/x/__init__.py": ""}},

	{"Python command", []string{"uv run shop"}, files{"pyproject.toml": "[project]\nname = \"shop\"\n[project.scripts]\nshop = \"shop:main\"\n", "uv.lock": ""}},
	{"Django before a Procfile", []string{"python3 manage.py runserver :8000", "gunicorn shop.wsgi :8000"}, files{"manage.py": "", "Procfile": "web: gunicorn shop.wsgi\n"}},

	// Rust
	{"Rust", []string{"cargo run :3000"}, files{"Cargo.toml": "[package]\nname = \"shop\"\n\n[dependencies]\naxum = \"0.8\"\n", "src/main.rs": "fn main() {}"}},
	{"Rust with a port", []string{"cargo run :7878"}, files{"Cargo.toml": "[package]\nname = \"shop\"\n", "src/main.rs": "TcpListener::bind(\"127.0.0.1:7878\")"}},
	{"Rust with several binaries", []string{"cargo run --bin shop", "cargo run --bin job"}, files{"Cargo.toml": "[package]\nname = \"shop\"\n", "src/main.rs": "", "src/bin/job.rs": ""}},
	{"Rust with a default", []string{"cargo run"}, files{"Cargo.toml": "[package]\nname = \"shop\"\ndefault-run = \"web\"\n\n[[bin]]\nname = \"web\"\npath = \"src/web.rs\"\n[[bin]]\nname = \"job\"\n", "src/web.rs": ""}},
	{"Rust workspace", []string{"cargo run in crates/api :8080"}, files{"Cargo.toml": "[workspace]\nmembers = [\"crates/*\"]\n", "crates/api/Cargo.toml": "[package]\nname = \"api\"\n[dependencies]\nactix-web = \"4\"\n", "crates/api/src/main.rs": "", "crates/core/Cargo.toml": "[package]\nname = \"core\"\n", "crates/core/src/lib.rs": ""}},

	// Java and Kotlin
	{"Spring Boot with Maven", []string{"./mvnw spring-boot:run :8080"}, files{"pom.xml": "<artifactId>spring-boot-starter-web</artifactId>", "mvnw": ""}},
	{"Spring Boot without a wrapper", []string{"mvn spring-boot:run :9090"}, files{"pom.xml": "spring-boot-maven-plugin", "src/main/resources/application.properties": "server.port=9090\n"}},
	{"Spring Boot with Gradle", []string{"./gradlew bootRun :8080"}, files{"build.gradle": "id 'org.springframework.boot' version '3'", "gradlew": ""}},
	{"Spring Boot with Kotlin", []string{"gradle bootRun :8080"}, files{"build.gradle.kts": "id(\"org.springframework.boot\")"}},
	{"Gradle module", []string{"./gradlew :app:run :8080"}, files{"settings.gradle": "include 'app'", "gradlew": "", "app/build.gradle": "plugins { id 'application' }"}},
	{"Ktor", []string{"./gradlew run :8080"}, files{"build.gradle.kts": "id(\"io.ktor.plugin\")", "gradlew": ""}},
	{"Quarkus", []string{"./mvnw quarkus:dev :8080"}, files{"pom.xml": "quarkus-maven-plugin", "mvnw": ""}},

	// PHP
	{"Laravel", []string{"composer run dev :8000", "npm run dev :5173"}, files{"artisan": "", "composer.json": `{"scripts": {"dev": ["x"]}}`, "package.json": `{"scripts": {"dev": "vite"}, "devDependencies": {"vite": "6"}}`}},
	{"older Laravel", []string{"php artisan serve :8000"}, files{"artisan": "", "composer.json": "{}"}},
	{"Symfony", []string{"symfony server:start :8000"}, files{"bin/console": "", "composer.json": `{"require": {"symfony/framework-bundle": "7"}}`, "public/index.php": ""}},
	{"PHP", []string{"php -d opcache.enable=0 -S localhost:8000 -t public :8000"}, files{"public/index.php": ""}},
	{"PHP in one directory", []string{"php -d opcache.enable=0 -S localhost:8000 :8000"}, files{"index.php": ""}},
	{"Composer script", []string{"composer run start :8088"}, files{"composer.json": `{"scripts": {"start": "php -S localhost:8088 -t public"}}`, "public/index.php": ""}},

	// Ruby
	{"Rails", []string{"bin/rails server :3000"}, files{"Gemfile": "gem 'rails'", "bin/rails": "", "config.ru": ""}},
	{"Rails with bin/dev", []string{"bin/dev :3000", "css: bin/rails tailwindcss:watch, web: bin/rails server :3000"}, files{"Gemfile": "gem \"rails\"", "bin/rails": "", "bin/dev": "", "Procfile.dev": "web: bin/rails server\ncss: bin/rails tailwindcss:watch\n"}},
	{"Rack", []string{"bundle exec rackup :9292"}, files{"Gemfile": "gem 'rack'", "config.ru": ""}},
	{"Puma", []string{"bundle exec puma :9292"}, files{"Gemfile": "gem 'puma'", "config.ru": ""}},
	{"Sinatra", []string{"bundle exec ruby app.rb :4567"}, files{"Gemfile": "gem 'sinatra'", "app.rb": "require 'sinatra'"}},
	{"Sinatra without a Gemfile", []string{"ruby app.rb :4567"}, files{"app.rb": "require 'sinatra'"}},

	// Elixir, .NET and others
	{"Phoenix", []string{"mix phx.server :4000"}, files{"mix.exs": "{:phoenix, \"~> 1.7\"}", "assets/package.json": "{}"}},
	{"Elixir", []string{"mix run --no-halt"}, files{"mix.exs": "mod: {Shop, []}"}},
	{"ASP.NET Core", []string{"dotnet run :7175 :5175"}, files{"Shop.csproj": `<Project Sdk="Microsoft.NET.Sdk.Web">`, "Properties/launchSettings.json": `"applicationUrl": "https://localhost:7175;http://localhost:5175"`}},
	{"solution", []string{"dotnet run in src/Api :5000"}, files{"Shop.sln": "", "src/Api/Api.csproj": `<Project Sdk="Microsoft.NET.Sdk.Web">`, "src/Core/Core.csproj": `<Project Sdk="Microsoft.NET.Sdk">`}},
	{"Zig", []string{"zig build run :3000"}, files{"build.zig": ""}},
	{"Vapor", []string{"swift run :8080"}, files{"Package.swift": "https://github.com/vapor/vapor.git"}},

	// Files of other tools
	{"Procfile.dev", []string{"process3: x, web: sh -c \"bin/web -p ${PORT:-4100}\", worker: bin/work :4100"}, files{"Procfile.dev": "worker: bin/work\nweb: bin/web -p ${PORT:-4100}\nname with more than 20 letters: x\n"}},
	{"Procfile", []string{"gunicorn app:app :8000"}, files{"Procfile": "release: migrate\nweb: gunicorn app:app\n"}},
	{"a script before a Procfile", []string{"npm run dev", "npm start"}, files{"Procfile": "web: npm start\n", "package.json": `{"scripts": {"dev": "node x"}}`}},
	{"Compose", []string{"bundle exec thin -p 3000 :3000"}, files{"compose.yaml": "services:\n  db:\n    image: postgres\n  web:\n    build: .\n    command: bundle exec thin -p 3000\n    ports: [3000]\n"}},
	{"Compose with a database", []string{"npm start"}, files{"compose.yaml": "services:\n  db:\n    image: mysql\n    command: --sql-mode=ANSI\n  cache:\n    command: redis-server --save 60\n    image: redis:7\n  web:\n    image: node:22\n    command: npm start\n"}},
	{"Compose with a list", []string{"python -m http.server 8000 :8000"}, files{"docker-compose.yml": "services:\n  app:\n    command: [\"python\", \"-m\", \"http.server\", \"8000\"]\n"}},
	{"justfile", []string{"just dev"}, files{"justfile": "build:\n  x\ndev:\n  y\n"}},
	{"Taskfile", []string{"task dev"}, files{"Taskfile.yml": "version: 3\ntasks:\n  dev:\n    cmds: [x]\n"}},
	{"shell script", []string{"sh dev.sh :8123"}, files{"dev.sh": "#!/bin/sh\nPORT=8123 exec server\n"}},
	{"bash script", []string{"bash scripts/dev.sh"}, files{"scripts/dev.sh": "#!/usr/bin/env bash\n"}},
	{"static site", []string{"python3 -m http.server 8000 --bind 127.0.0.1 :8000"}, files{"index.html": "<html>"}},
	{"Dockerfile alone", []string{"build ."}, files{"Dockerfile": "FROM scratch\n"}},
	{"nothing", nil, files{"README.md": ""}},
	{"dependencies", nil, files{"node_modules/x/package.json": `{"scripts": {"dev": "x"}}`, "vendor/y/go.mod": "module y", ".hidden/package.json": `{"scripts": {"dev": "x"}}`}},
}

func detectIn(t *testing.T, project files) ([]abi.Candidate, *backendtest.Host) {
	t.Helper()
	h := &backendtest.Host{Files: project}
	found, err := new(Provider).Detect(backend.WithHost(t.Context(), h), abi.DetectOptions{WorkDir: "."})
	if err != nil {
		t.Fatal(err)
	}
	return found, h
}

// TestDetect compares the candidates of each fixture, and requires of each that the
// provider accepts its own configuration.
func TestDetect(t *testing.T) {
	for _, f := range fixtures {
		t.Run(f.name, func(t *testing.T) {
			found, h := detectIn(t, f.files)
			var got []string
			for _, c := range found {
				if err := new(Provider).Validate(t.Context(), abi.ValidateOptions{Config: c.Config}); err != nil {
					t.Errorf("%s is refused: %v", c.Config, err)
				}
				if len(c.Evidence) == 0 || c.Certainty == "" || c.Name == "" {
					t.Errorf("got %+v", c)
				}
				got = append(got, summary(t, c))
			}
			if fmt.Sprint(got) != fmt.Sprint(f.want) {
				t.Errorf("got  %q\nwant %q", got, f.want)
			}
			for _, call := range h.Calls {
				if call.Operation != abi.OpReadFile && call.Operation != abi.OpList {
					t.Errorf("requested %s", call.Operation)
				}
			}
		})
	}
}

// summary is a candidate as fixtures write it.
func summary(t *testing.T, c abi.Candidate) string {
	t.Helper()
	var config struct {
		Dev *struct {
			Command   []string
			Workdir   string
			Processes map[string]struct{ Command []string }
		}
		Build *struct{ Context string }
	}
	if err := json.Unmarshal(c.Config, &config); err != nil {
		t.Fatal(err)
	}
	if config.Dev == nil {
		return "build " + config.Build.Context
	}
	joined := func(argv []string) string {
		var words []string
		for _, word := range argv {
			if strings.Contains(word, " ") {
				word = `"` + word + `"`
			}
			words = append(words, word)
		}
		return strings.Join(words, " ")
	}
	text := joined(config.Dev.Command)
	for i, name := range slices.Sorted(maps.Keys(config.Dev.Processes)) {
		if i > 0 {
			text += ", "
		}
		text += name + ": " + joined(config.Dev.Processes[name].Command)
	}
	if dir := strings.TrimPrefix(config.Dev.Workdir, "./"); dir != "" {
		text += " in " + dir
	}
	if fmt.Sprint(c.Needs.Listen) != fmt.Sprint(guesses) {
		for _, port := range c.Needs.Listen {
			text += fmt.Sprintf(" :%d", port)
		}
	}
	return text
}

// detectInWasm compares the candidates of some fixtures, which the module finds too.
func detectInWasm(t *testing.T, open func(*testing.T, *backendtest.Host) backendtest.Exports) {
	h := new(backendtest.Host)
	module := open(t, h)
	for i, f := range fixtures {
		if i%7 != 0 {
			continue
		}
		h.Files = f.files
		answer, err := module.Call(t.Context(), abi.ExportDetect, []byte(`{"workdir":"."}`))
		if err != nil {
			t.Fatal(err)
		}
		var reply struct{ OK abi.DetectResult }
		if err := json.Unmarshal(answer, &reply); err != nil {
			t.Fatalf("%s: %v", answer, err)
		}
		var got []string
		for _, c := range reply.OK.Candidates {
			got = append(got, summary(t, c))
		}
		if fmt.Sprint(got) != fmt.Sprint(f.want) {
			t.Errorf("%s: got  %q\nwant %q", f.name, got, f.want)
		}
	}
}

// TestDetectIsBounded: a project with many files and directories costs a bounded number of
// operations.
func TestDetectIsBounded(t *testing.T) {
	project := files{"go.mod": "module x\n"}
	for i := range 400 {
		project[fmt.Sprintf("d%d/package.json", i)] = `{"scripts": {"dev": "x"}}`
		for j := range 5 {
			project[fmt.Sprintf("d%d/f%d.go", i, j)] = "package x\n"
		}
	}
	found, h := detectIn(t, project)
	if len(found) != maxFound || len(h.Calls) > 1500 {
		t.Errorf("%d candidates, %d operations", len(found), len(h.Calls))
	}
}

// TestDetectForConfiguration: with a configuration, the needs are those of its command.
func TestDetectForConfiguration(t *testing.T) {
	h := &backendtest.Host{Files: files{"web/package.json": `{"scripts": {"dev": "next dev"}, "dependencies": {"next": "15", "pg": "8"}}`}}
	found, err := new(Provider).Detect(backend.WithHost(t.Context(), h), abi.DetectOptions{
		WorkDir: ".", Config: []byte(`{"dev":{"command":["./run.sh","x"],"workdir":"./web","env":{"PORT":"4100","MODE":"a"}},"build":{"context":"web"}}`),
	})
	if err != nil || len(found) != 1 {
		t.Fatalf("got %+v, %v", found, err)
	}
	n := found[0].Needs
	if got, want := fmt.Sprint(n.Exec, n.Listen, n.Connect, n.EnvPass, n.Build, n.Write), "[[./web/run.sh x]] [4100] [5432] [MODE PORT] [web] [web/.next]"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
