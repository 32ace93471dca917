package main

import (
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// rule is a line of the table: what a directory has, and the command that the
// documentation of its ecosystem gives for development.
type rule struct {
	group string // the first rule of a group that fits counts
	name  string
	// marker is a file of the directory. One that begins with * is an ending.
	marker string
	// reads is the file that has to have one of the texts in has, which | separates. By
	// default it is the marker, and without has anything fits.
	reads, has string
	// command has words. {python}, {py}, {mvn}, {gradle} and {bundle} are what the project
	// uses, see expand.
	command string
	port    int
	// sources are files that may name another port, and write are directories.
	sources, write string
	use            string
	before         string
	certainty      abi.Certainty // Likely if it is empty
}

// phpUnconfined is why a framework's command for PHP's server cannot be confined. The
// commands of this table that start that server themselves disable the cache.
const phpUnconfined = "PHP's opcache makes a lock file in /tmp, or PHP does not start: with opcache.enable=0 in php.ini, remove this line"

// rules is the table of frameworks whose command does not depend on names in the project.
// Each is from the documentation of its ecosystem.
var rules = []rule{
	// What a project says itself.
	{group: "make", name: "Makefile", marker: "Makefile", has: "\ndev:", command: "make dev", certainty: abi.Certain},
	{group: "make", name: "Makefile", marker: "makefile", has: "\ndev:", command: "make dev", certainty: abi.Certain},
	{group: "make", name: "just", marker: "justfile", has: "\ndev:|\ndev ", command: "just dev", certainty: abi.Certain},
	{group: "make", name: "just", marker: "Justfile", has: "\ndev:|\ndev ", command: "just dev", certainty: abi.Certain},
	{group: "make", name: "Task", marker: "Taskfile.yml", has: "\n  dev:", command: "task dev", certainty: abi.Certain},
	{group: "make", name: "Task", marker: "Taskfile.yaml", has: "\n  dev:", command: "task dev", certainty: abi.Certain},

	{group: "ruby", name: "Rails", marker: "bin/dev", reads: "Gemfile", has: "rails", command: "bin/dev", port: 3000, sources: "config/puma.rb", write: "tmp log storage db app/assets/builds public", use: "ruby node", before: "bundle install", certainty: abi.Certain},
	{group: "ruby", name: "Rails", marker: "bin/rails", command: "bin/rails server", port: 3000, sources: "config/puma.rb", write: "tmp log storage db public", use: "ruby", before: "bundle install"},
	{group: "ruby", name: "Jekyll", marker: "Gemfile", has: "jekyll", command: "bundle exec jekyll serve", port: 4000, sources: "_config.yml", write: "_site .jekyll-cache .sass-cache", use: "ruby", before: "bundle install"},
	{group: "ruby", name: "Jekyll", marker: "_config.yml", has: "jekyll|theme:", command: "jekyll serve", port: 4000, write: "_site .jekyll-cache", use: "ruby"},
	{group: "ruby", name: "Middleman", marker: "Gemfile", has: "middleman", command: "bundle exec middleman server", port: 4567, write: "build", use: "ruby", before: "bundle install"},
	{group: "ruby", name: "Hanami", marker: "Gemfile", has: "hanami", command: "bundle exec hanami dev", port: 2300, write: "tmp log public", use: "ruby node", before: "bundle install"},
	{group: "ruby", name: "Rack with Puma", marker: "config.ru", reads: "Gemfile", has: "puma", command: "bundle exec puma", port: 9292, sources: "config/puma.rb puma.rb", write: "tmp log", use: "ruby", before: "bundle install"},
	{group: "ruby", name: "Rack", marker: "config.ru", command: "{bundle} rackup", port: 9292, sources: "config.ru", write: "tmp log", use: "ruby", before: "{bundle install}"},
	{group: "ruby", name: "Sinatra", marker: "app.rb", has: "sinatra", command: "{bundle} ruby app.rb", port: 4567, sources: "app.rb", use: "ruby", before: "{bundle install}"},
	{group: "ruby", name: "Sinatra", marker: "server.rb", has: "sinatra", command: "{bundle} ruby server.rb", port: 4567, sources: "server.rb", use: "ruby", before: "{bundle install}"},
	{group: "ruby", name: "Sinatra", marker: "main.rb", has: "sinatra", command: "{bundle} ruby main.rb", port: 4567, sources: "main.rb", use: "ruby", before: "{bundle install}"},
	{group: "ruby", name: "Ruby", marker: "app.rb", command: "{bundle} ruby app.rb", sources: "app.rb", use: "ruby", before: "{bundle install}", certainty: abi.Possible},
	{group: "ruby", name: "Ruby", marker: "server.rb", command: "{bundle} ruby server.rb", sources: "server.rb", use: "ruby", before: "{bundle install}", certainty: abi.Possible},
	{group: "ruby", name: "Ruby", marker: "main.rb", command: "{bundle} ruby main.rb", sources: "main.rb", use: "ruby", before: "{bundle install}", certainty: abi.Possible},

	{group: "php", name: "Laravel", marker: "artisan", reads: "composer.json", has: "\"dev\":", command: "composer run dev", port: 8000, write: "storage bootstrap/cache database node_modules/.vite public", use: "php node", before: "composer install", certainty: abi.Certain},
	{group: "php", name: "Laravel", marker: "artisan", command: "php artisan serve", port: 8000, write: "storage bootstrap/cache database", use: "php", before: "composer install", certainty: abi.Certain},
	{group: "php", name: "Composer", marker: "composer.json", has: "\"dev\":", command: "composer run dev", port: 8000, sources: "composer.json", write: "var", use: "php", before: "composer install", certainty: abi.Certain},
	{group: "php", name: "Composer", marker: "composer.json", has: "\"serve\":", command: "composer run serve", port: 8000, sources: "composer.json", write: "var", use: "php", before: "composer install"},
	{group: "php", name: "Symfony", marker: "bin/console", reads: "composer.json", has: "symfony/framework-bundle|symfony/runtime", command: "symfony server:start", port: 8000, write: "var public/assets", use: "php", before: "composer install"},
	{group: "php", name: "CakePHP", marker: "bin/cake", command: "bin/cake server", port: 8765, write: "tmp logs", use: "php", before: "composer install"},
	{group: "php", name: "CodeIgniter", marker: "spark", command: "php spark serve", port: 8080, write: "writable", use: "php", before: "composer install"},
	{group: "php", name: "Yii", marker: "yii", command: "php yii serve", port: 8080, write: "runtime web/assets", use: "php", before: "composer install"},
	{group: "php", name: "Composer", marker: "composer.json", has: "\"start\":", command: "composer run start", port: 8080, sources: "composer.json", write: "var logs", use: "php", before: "composer install"},
	{group: "php", name: "PHP", marker: "public/index.php", command: "php -d opcache.enable=0 -S localhost:8000 -t public", port: 8000, write: "var", use: "php", before: "{composer install}"},
	{group: "php", name: "PHP", marker: "web/index.php", command: "php -d opcache.enable=0 -S localhost:8000 -t web", port: 8000, use: "php", before: "{composer install}"},
	{group: "php", name: "PHP", marker: "index.php", command: "php -d opcache.enable=0 -S localhost:8000", port: 8000, use: "php", before: "{composer install}"},

	{group: "elixir", name: "Phoenix", marker: "mix.exs", has: ":phoenix,", command: "mix phx.server", port: 4000, sources: "config/dev.exs", write: "_build deps priv assets/node_modules", use: "elixir node", before: "mix deps.get"},
	{group: "elixir", name: "Elixir", marker: "mix.exs", has: "mod:", command: "mix run --no-halt", sources: "config/config.exs config/dev.exs config/runtime.exs", write: "_build deps", use: "elixir", before: "mix deps.get"},

	{group: "jvm", name: "Spring Boot with Maven", marker: "pom.xml", has: "spring-boot-maven-plugin|spring-boot-starter", command: "{mvn} spring-boot:run", port: 8080, sources: "src/main/resources/application.properties src/main/resources/application.yml src/main/resources/application.yaml", write: "target", use: "java"},
	{group: "jvm", name: "Quarkus with Maven", marker: "pom.xml", has: "quarkus-maven-plugin", command: "{mvn} quarkus:dev", port: 8080, sources: "src/main/resources/application.properties src/main/resources/application.yml", write: "target", use: "java"},
	{group: "jvm", name: "Micronaut with Maven", marker: "pom.xml", has: "micronaut-maven-plugin", command: "{mvn} mn:run", port: 8080, sources: "src/main/resources/application.properties src/main/resources/application.yml", write: "target", use: "java"},
	{group: "jvm", name: "Jetty with Maven", marker: "pom.xml", has: "jetty-maven-plugin", command: "{mvn} jetty:run", port: 8080, write: "target", use: "java"},
	{group: "jvm", name: "Helidon with Maven", marker: "pom.xml", has: "helidon", command: "{mvn} compile exec:java", port: 8080, sources: "src/main/resources/application.yaml", write: "target", use: "java"},
	{group: "jvm", name: "Java with Maven", marker: "pom.xml", has: "exec-maven-plugin|mainClass|exec.mainClass", command: "{mvn} compile exec:java", port: 8080, sources: "src/main/resources/application.properties", write: "target", use: "java"},
	{group: "jvm", name: "Spring Boot with Gradle", marker: "*build.gradle", has: "org.springframework.boot", command: "{gradle} bootRun", port: 8080, sources: "src/main/resources/application.properties src/main/resources/application.yml src/main/resources/application.yaml", write: "build .gradle", use: "java"},
	{group: "jvm", name: "Spring Boot with Gradle", marker: "build.gradle.kts", has: "org.springframework.boot", command: "{gradle} bootRun", port: 8080, sources: "src/main/resources/application.properties src/main/resources/application.yml src/main/resources/application.yaml", write: "build .gradle .kotlin", use: "java"},
	{group: "jvm", name: "Quarkus with Gradle", marker: "build.gradle", has: "io.quarkus", command: "{gradle} quarkusDev", port: 8080, sources: "src/main/resources/application.properties", write: "build .gradle", use: "java"},
	{group: "jvm", name: "Quarkus with Gradle", marker: "build.gradle.kts", has: "io.quarkus", command: "{gradle} quarkusDev", port: 8080, sources: "src/main/resources/application.properties", write: "build .gradle .kotlin", use: "java"},
	{group: "jvm", name: "Java with Gradle", marker: "build.gradle", has: "application|ktor|mainClass", command: "{gradle} run", port: 8080, sources: "src/main/resources/application.conf src/main/resources/application.yaml src/main/resources/application.yml src/main/kotlin/Application.kt", write: "build .gradle", use: "java"},
	{group: "jvm", name: "Kotlin with Gradle", marker: "build.gradle.kts", has: "application|ktor|mainClass", command: "{gradle} run", port: 8080, sources: "src/main/resources/application.conf src/main/resources/application.yaml src/main/resources/application.yml src/main/kotlin/Application.kt", write: "build .gradle .kotlin", use: "java"},
	{group: "jvm", name: "sbt", marker: "build.sbt", command: "sbt run", port: 9000, sources: "conf/application.conf src/main/resources/application.conf", write: "target project", use: "java"},
	{group: "clojure", name: "Leiningen", marker: "project.clj", command: "lein run", port: 3000, write: "target", use: "java"},

	{group: "jvm", name: "Java with Gradle", marker: "build.gradle", has: "apply plugin: 'java'|id 'java'", command: "{gradle} run", port: 8080, write: "build .gradle", use: "java", certainty: abi.Possible},
	{group: "clojure", name: "Clojure", marker: "deps.edn", has: ":run", command: "clojure -M:run", port: 3000, use: "java"},
	{group: "haskell", name: "Stack", marker: "stack.yaml", command: "stack run", port: 3000, write: ".stack-work"},
	{group: "zig", name: "Zig", marker: "build.zig", command: "zig build run", port: 3000, write: ".zig-cache zig-cache zig-out"},

	{group: "swift", name: "Vapor", marker: "Package.swift", has: "vapor", command: "swift run", port: 8080, write: ".build"},
	{group: "swift", name: "Swift", marker: "Package.swift", has: "executableTarget", command: "swift run", port: 8080, write: ".build", certainty: abi.Possible},
	{group: "dart", name: "Dart Frog", marker: "pubspec.yaml", has: "dart_frog", command: "dart_frog dev", port: 8080, write: ".dart_frog .dart_tool"},
	{group: "dart", name: "Dart", marker: "bin/server.dart", command: "dart run bin/server.dart", port: 8080, sources: "bin/server.dart", write: ".dart_tool"},
	{group: "dart", name: "Dart", marker: "pubspec.yaml", reads: "pubspec.yaml", has: "sdk:", command: "dart run", port: 8080, write: ".dart_tool", certainty: abi.Possible},
	{group: "crystal", name: "Crystal", marker: "shard.yml", has: "targets:", command: "shards run", port: 3000, write: "bin lib"},
	{group: "gleam", name: "Gleam", marker: "gleam.toml", command: "gleam run", port: 8000, write: "build"},
	{group: "hugo", name: "Hugo", marker: "hugo.toml", command: "hugo server", port: 1313, write: "resources public"},
	{group: "hugo", name: "Hugo", marker: "config.toml", has: "baseURL|baseurl", command: "hugo server", port: 1313, write: "resources public"},
	{group: "mkdocs", name: "MkDocs", marker: "mkdocs.yml", command: "{py}mkdocs serve", port: 8000, write: "site", use: "python", certainty: abi.Possible},

	// A server of a project of any kind, from a script.
	{group: "shell", name: "shell script", marker: "dev.sh", command: "sh dev.sh", sources: "dev.sh", certainty: abi.Certain},
	{group: "shell", name: "shell script", marker: "scripts/dev.sh", command: "sh scripts/dev.sh", sources: "scripts/dev.sh", certainty: abi.Certain},
	{group: "shell", name: "script", marker: "scripts/dev", command: "scripts/dev", sources: "scripts/dev", certainty: abi.Certain},
	{group: "shell", name: "script", marker: "script/server", command: "script/server", sources: "script/server", certainty: abi.Certain},
	{group: "shell", name: "script", marker: "bin/dev", command: "bin/dev", sources: "bin/dev", certainty: abi.Certain},
	{group: "shell", name: "shell script", marker: "run.sh", command: "sh run.sh", sources: "run.sh", certainty: abi.Possible},
	{group: "shell", name: "shell script", marker: "start.sh", command: "sh start.sh", sources: "start.sh", certainty: abi.Possible},
	{group: "shell", name: "shell script", marker: "serve.sh", command: "sh serve.sh", sources: "serve.sh", certainty: abi.Possible},
	{group: "shell", name: "shell script", marker: "server.sh", command: "sh server.sh", sources: "server.sh", certainty: abi.Possible},
	{group: "shell", name: "shell script", marker: "backend.sh", command: "sh backend.sh", sources: "backend.sh", certainty: abi.Possible},
}

// static is a site without a program, for a project that has nothing else.
var static = []rule{
	{group: "static", name: "static site", marker: "index.html", command: "python3 -m http.server 8000 --bind 127.0.0.1", port: 8000, use: "python", certainty: abi.Possible},
	{group: "static", name: "static site", marker: "public/index.html", command: "python3 -m http.server 8000 --bind 127.0.0.1 --directory public", port: 8000, use: "python", certainty: abi.Possible},
	{group: "static", name: "static site", marker: "dist/index.html", command: "python3 -m http.server 8000 --bind 127.0.0.1 --directory dist", port: 8000, use: "python", certainty: abi.Possible},
}

func detectRules(d *directory) []proposal { return d.apply(rules) }

func (d *directory) apply(table []rule) []proposal {
	var found []proposal
	var done []string
	for i := range table {
		r := &table[i]
		if slices.Contains(done, r.group) {
			continue
		}
		if marker := d.fits(r); marker != "" {
			done = append(done, r.group)
			found = append(found, d.propose(r, marker))
		}
	}
	return found
}

// fits returns the file by which a rule fits, or "".
func (d *directory) fits(r *rule) string {
	marker := r.marker
	if suffix, ok := strings.CutPrefix(marker, "*"); ok {
		names := d.ending(suffix)
		if len(names) == 0 {
			return ""
		}
		marker = names[0]
	}
	if !d.has(marker) {
		return ""
	}
	reads := r.reads
	if reads == "" {
		reads = marker
	}
	if r.has != "" && !containsAny("\n"+d.text(reads), r.has) {
		return ""
	}
	return marker
}

func (d *directory) propose(r *rule, marker string) proposal {
	p := proposal{
		name: r.name, certainty: r.certainty, evidence: []string{d.named(marker)}, command: d.expand(r.command),
		needs: needs{use: strings.Fields(r.use), write: strings.Fields(r.write)},
	}
	if p.certainty == "" {
		p.certainty = abi.Likely
	}
	if first, _, _ := strings.Cut(d.text(marker), "\n"); p.command[0] == "sh" && strings.Contains(first, "bash") {
		p.command[0] = "bash"
	}
	if r.has != "" {
		in := r.reads
		if in == "" {
			in = marker
		}
		p.evidence[0] += ", " + d.named(in) + " has " + shortened(d.matching(in, r.has))
	}
	if before := strings.Join(d.expand(r.before), " "); before != "" {
		p.before = []string{before}
	}
	d.atWrapper(&p)
	p.manifest = d.first("Gemfile", "composer.json", "mix.exs", "pom.xml", "build.gradle", "build.gradle.kts")
	if p.use == nil {
		p.use = d.tools()
	}
	if r.group == "php" && !strings.Contains(r.command, "opcache") {
		p.unconfined = phpUnconfined
	}
	if strings.Contains(r.command, "{gradle}") {
		p.network = "Gradle reaches its daemon by a port that the system chooses"
	}
	p.listen(d, r.command, r.port, r.name, strings.Fields(r.sources)...)
	return p
}

// atWrapper runs a build tool in the directory of its wrapper, which is above the module.
func (d *directory) atWrapper(p *proposal) {
	if !strings.HasPrefix(p.command[0], "../") {
		return
	}
	at, name := d.up("mvnw", "gradlew")
	module := strings.TrimPrefix(d.path, at.path+"/")
	p.workdir, p.command[0] = at.path, "./"+name
	if name == "gradlew" {
		p.command[1] = ":" + strings.ReplaceAll(module, "/", ":") + ":" + p.command[1]
		p.write = append(p.write, strings.Repeat("../", d.depth()-at.depth())+".gradle")
	} else {
		p.command = append([]string{p.command[0], "-pl", module}, p.command[1:]...)
	}
}

// matching is the line of a file by which a rule fits.
func (d *directory) matching(name, has string) string {
	match := ""
	lines(d.text(name), func(line string) {
		if match == "" && containsAny("\n"+line, strings.ReplaceAll(has, "\n  ", "\n")) {
			match = line
		}
	})
	return match
}

// expand replaces the words in braces of a command by what the project uses.
func (d *directory) expand(command string) []string {
	var argv []string
	switch command {
	case "{bundle install}":
		if d.has("Gemfile") {
			return []string{"bundle", "install"}
		}
		return nil
	case "{composer install}":
		if d.has("composer.json") {
			return []string{"composer", "install"}
		}
		return nil
	}
	for _, word := range strings.Fields(command) {
		switch {
		case word == "{bundle}":
			if d.has("Gemfile") {
				argv = append(argv, "bundle", "exec")
			}
		case word == "{mvn}":
			argv = append(argv, d.wrapper("mvnw", "mvn"))
		case word == "{gradle}":
			argv = append(argv, d.wrapper("gradlew", "gradle"))
		case strings.HasPrefix(word, "{py}"):
			argv = append(argv, d.pythonTool(strings.TrimPrefix(word, "{py}"))...)
		default:
			argv = append(argv, word)
		}
	}
	return argv
}

// wrapper is the project's own wrapper of a build tool, or the tool.
func (d *directory) wrapper(own, tool string) string {
	for at, up := d, ""; at != nil; at, up = at.above, up+"../" {
		if at.has(own) {
			if up == "" {
				up = "./"
			}
			return up + own
		}
	}
	return tool
}
