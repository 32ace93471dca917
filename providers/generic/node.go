package main

import (
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// packageFile is what matters of a package.json.
type packageFile struct {
	main, manager              string
	scripts, dependencies, dev map[string]string
	exports, types             abi.JSON // of a library
}

func (p *packageFile) Fields() []abi.Field {
	return []abi.Field{
		{Name: "main", To: &p.main},
		{Name: "packageManager", To: &p.manager},
		{Name: "scripts", To: &p.scripts},
		{Name: "dependencies", To: &p.dependencies},
		{Name: "devDependencies", To: &p.dev},
		{Name: "exports", To: &p.exports},
		{Name: "types", To: &p.types},
	}
}

// scripts are those that run a project for development, the best first. Only the first
// ones say so themselves: start may be for production.
var scripts = []struct {
	name      string
	certainty abi.Certainty
}{
	{"dev", abi.Certain}, {"develop", abi.Certain}, {"start:dev", abi.Certain}, {"dev:server", abi.Certain}, {"server:dev", abi.Certain},
	{"serve", abi.Likely}, {"start", abi.Likely}, {"server", abi.Likely}, {"watch", abi.Possible},
}

// assets are programs that only make files for a browser or a library, so a script that
// runs one of them alone is not a backend beside something else that is.
var assets = []string{"tsc", "tsup", "rollup", "webpack", "esbuild", "tailwindcss", "gulp", "grunt", "mix", "encore", "microbundle", "unbuild", "sass", "postcss"}

// backendFiles are of frameworks in other languages, beside which scripts make assets.
var backendFiles = []string{"manage.py", "artisan", "bin/rails", "config.ru", "mix.exs", "bin/console", "pom.xml", "build.gradle", "build.gradle.kts", "go.mod", "Cargo.toml"}

// locks are the package managers by their lock files, the nearest counts.
var locks = []struct{ file, manager string }{
	{"pnpm-lock.yaml", "pnpm"}, {"pnpm-workspace.yaml", "pnpm"}, {"yarn.lock", "yarn"}, {"bun.lock", "bun"}, {"bun.lockb", "bun"},
	{"package-lock.json", "npm"}, {"npm-shrinkwrap.json", "npm"},
}

// nodeFrameworks are the usual ports of development servers, and the directories that they
// write, by the package that brings them. The first that a project depends on counts.
var nodeFrameworks = []struct {
	dependency, name string
	port             int
	write            string
}{
	{"next", "Next.js", 3000, ".next"},
	{"nuxt", "Nuxt", 3000, ".nuxt .output .data node_modules/.cache"},
	{"@sveltejs/kit", "SvelteKit", 5173, ".svelte-kit node_modules/.vite node_modules/.vite-temp"},
	{"@react-router/dev", "React Router", 5173, ".react-router node_modules/.vite node_modules/.vite-temp"},
	{"@remix-run/dev", "Remix", 5173, "build public/build node_modules/.vite node_modules/.vite-temp"},
	{"astro", "Astro", 4321, ".astro node_modules/.astro node_modules/.vite"},
	{"@analogjs/platform", "Analog", 5173, "node_modules/.vite .nitro"},
	{"@solidjs/start", "SolidStart", 3000, ".vinxi .output node_modules/.vinxi"},
	{"@builder.io/qwik", "Qwik", 5173, "node_modules/.vite tmp"},
	{"@angular/cli", "Angular", 4200, ".angular"},
	{"gatsby", "Gatsby", 8000, ".cache public"},
	{"@docusaurus/core", "Docusaurus", 3000, ".docusaurus node_modules/.cache"},
	{"vitepress", "VitePress", 5173, ".vitepress node_modules/.vite"},
	{"@11ty/eleventy", "Eleventy", 8080, "_site"},
	{"react-scripts", "Create React App", 3000, "node_modules/.cache"},
	{"@vue/cli-service", "Vue CLI", 8080, "node_modules/.cache"},
	{"@strapi/strapi", "Strapi", 1337, ".tmp .cache .strapi dist types public/uploads"},
	{"@adonisjs/core", "AdonisJS", 3333, "tmp build"},
	{"@nestjs/core", "NestJS", 3000, "dist"},
	{"@redwoodjs/core", "RedwoodJS", 8910, ".redwood api/dist"},
	{"@keystone-6/core", "Keystone", 3000, ".keystone node_modules/.keystone"},
	{"payload", "Payload", 3000, ".next"},
	{"@feathersjs/koa", "Feathers", 3030, "lib"},
	{"@feathersjs/feathers", "Feathers", 3030, "lib"},
	{"@loopback/rest", "LoopBack", 3000, "dist"},
	{"wrangler", "Wrangler", 8787, ".wrangler"},
	{"serverless-offline", "Serverless", 3000, ".serverless"},
	{"nitropack", "Nitro", 3000, ".nitro .output"},
	{"moleculer", "Moleculer", 3000, ""},
	{"@hono/node-server", "Hono", 3000, ""},
	{"elysia", "Elysia", 3000, ""},
	{"vite", "Vite", 5173, "node_modules/.vite node_modules/.vite-temp"},
	{"parcel", "Parcel", 1234, ".parcel-cache dist"},
	{"webpack-dev-server", "webpack", 8080, "node_modules/.cache"},
	{"json-server", "JSON Server", 3000, ""},
	{"fastify", "Fastify", 3000, ""},
	{"express", "Express", 3000, ""},
	{"koa", "Koa", 3000, ""},
	{"@hapi/hapi", "hapi", 3000, ""},
}

// detectNode finds the scripts of a package.json, or the program of one without.
func detectNode(d *directory) []proposal {
	if !d.has("package.json") {
		return d.loneScript()
	}
	var pkg packageFile
	// Values of another kind are left out.
	_ = abi.Unmarshal([]byte(d.text("package.json")), &pkg)
	manager, evidence := d.packageManager(pkg.manager)
	p := proposal{name: "Node.js with " + manager, needs: needs{use: nodeTools(manager), manifest: "package.json"}}
	var command string
	for _, script := range scripts {
		if command = pkg.scripts[script.name]; command == "" || script.name == "watch" && !isServer(command) {
			continue
		}
		p.certainty = script.certainty
		p.evidence = []string{d.named("package.json") + ": script \"" + script.name + "\" is " + shortened(command)}
		p.command = []string{manager, "run", script.name}
		break
	}
	if p.command == nil {
		entry := d.first(strings.TrimPrefix(pkg.main, "./"), "server.js", "app.js", "index.js", "src/index.js", "server.mjs", "index.mjs", "server.ts", "index.ts", "src/index.ts")
		if entry == "" || pkg.exports != nil || pkg.types != nil {
			return nil
		}
		p.certainty, command = abi.Possible, "node "+entry
		if sourcePort(d.text(entry)) != 0 || containsAny(d.text(entry), "listen(|serve(") {
			p.certainty = abi.Likely
		}
		p.evidence = []string{d.named("package.json") + " has no script for development, and there is " + d.named(entry)}
		p.command = runFile(manager, entry)
	}
	if slices.Contains(assets, firstWord(command)) || containsAny(command, "vite|webpack|tailwind|esbuild|parcel|sass|gulp|mix ") && d.first(backendFiles...) != "" {
		p.certainty = abi.Possible
	}
	p.evidence = append(p.evidence, evidence...)
	if !d.has("node_modules/.package-lock.json") && d.at("node_modules") == nil && len(pkg.dependencies)+len(pkg.dev) > 0 {
		if root, _ := d.up("pnpm-workspace.yaml"); root == nil || root.at("node_modules") == nil {
			p.before = []string{manager + " install"}
		}
	}
	d.nodeNeeds(&p, pkg, command)
	return []proposal{p}
}

// shortened quotes a command of a file for evidence.
func shortened(text string) string { return "\"" + text[:min(len(text), 120)] + "\"" }

func firstWord(command string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(command), " ")
	return first
}

// isServer reports whether a script that watches also runs what it watches.
func isServer(command string) bool { return containsAny(command, "nodemon|tsx|ts-node|node ") }

func runFile(manager, entry string) []string {
	switch {
	case manager == "bun":
		return []string{"bun", "run", entry}
	case strings.HasSuffix(entry, ".ts"):
		return []string{"npx", "tsx", entry}
	}
	return []string{"node", entry}
}

func nodeTools(manager string) []string {
	if manager == "bun" {
		return []string{"bun", "node"}
	}
	return []string{"node"}
}

// packageManager is that of packageManager or of the nearest lock file, or npm.
func (d *directory) packageManager(named string) (manager string, evidence []string) {
	if name, _, _ := strings.Cut(named, "@"); slices.Contains([]string{"npm", "pnpm", "yarn", "bun"}, name) {
		return name, []string{d.named("package.json") + ": packageManager is " + named}
	}
	for at := d; at != nil; at = at.above {
		for _, lock := range locks {
			if at.has(lock.file) {
				return lock.manager, []string{at.named(lock.file)}
			}
		}
		var root packageFile
		if at != d && at.has("package.json") {
			_ = abi.Unmarshal([]byte(at.text("package.json")), &root)
			if root.manager != "" {
				return at.packageManager(root.manager)
			}
		}
	}
	if d.has("bunfig.toml") {
		return "bun", []string{d.named("bunfig.toml")}
	}
	return "npm", nil
}

// nodeNeeds finds the framework, the port and the directories of a command.
func (d *directory) nodeNeeds(p *proposal, pkg packageFile, command string) {
	port, framework := 0, ""
	for _, f := range nodeFrameworks {
		if pkg.dependencies[f.dependency] != "" || pkg.dev[f.dependency] != "" {
			port, framework = f.port, f.name
			p.write = append(p.write, strings.Fields(f.write)...)
			p.name += ", " + f.name
			break
		}
	}
	if containsAny(command, "tsc|nest |swc|tsup") {
		p.write = append(p.write, "dist")
	}
	p.listen(d, command, port, framework, d.nodeSources(command)...)
}

// nodeSources are files that may name the port: those of the command, the configuration of
// a development server, and the usual names of programs.
func (d *directory) nodeSources(command string) []string {
	var sources []string
	for _, word := range strings.Fields(command) {
		if word = strings.TrimPrefix(strings.Trim(word, "\"'"), "./"); d.has(word) {
			sources = append(sources, word)
		}
	}
	for _, name := range []string{
		"vite.config.ts", "vite.config.js", "vite.config.mjs", "webpack.config.js", "angular.json", "nodemon.json",
		"server.js", "app.js", "index.js", "main.js", "bin/www", "server.ts", "app.ts", "index.ts", "src/main.ts", "src/index.ts", "src/server.ts", "src/app.ts",
		"src/index.js", "src/server.js", "src/app.js", "src/main.js", "config/index.js", "src/config.ts", "src/config/index.ts", "src/env.ts",
	} {
		if d.has(name) && !slices.Contains(sources, name) {
			sources = append(sources, name)
		}
	}
	return sources
}

// loneScript is a server in one file, without a package.json.
func (d *directory) loneScript() []proposal {
	entry := d.first("server.js", "server.mjs", "app.js")
	if entry == "" || !containsAny(d.text(entry), "listen(") {
		return nil
	}
	p := proposal{name: "Node.js", certainty: abi.Likely, evidence: []string{d.named(entry)}, command: []string{"node", entry}, needs: needs{use: []string{"node"}}}
	p.listen(d, "", 0, "", entry)
	return []proposal{p}
}
