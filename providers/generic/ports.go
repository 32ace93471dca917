package main

import (
	"slices"
	"strings"
)

// databases are servers with the ports that they usually have, by what a manifest says of
// their clients.
var databases = []struct {
	name  string
	words string // any of them, in lower case
	port  int
}{
	{"PostgreSQL", "\"pg\"|'pg'|\"postgres|'postgres|/pgx|lib/pq|psycopg|asyncpg|postgresql|npgsql|postgrex|pgsql", 5432},
	{"MySQL", "mysql|mariadb|pomelo.entityframeworkcore", 3306},
	{"Redis", "redis|\"bullmq\"|sidekiq", 6379},
	{"MongoDB", "mongo", 27017},
	{"RabbitMQ", "amqp|rabbitmq", 5672},
	{"Kafka", "kafka", 9092},
	{"Elasticsearch", "elasticsearch", 9200},
	{"NATS", "nats-io|\"nats\"|async-nats", 4222},
	{"Memcached", "memcache", 11211},
}

// connects returns the usual ports of the servers whose clients a manifest names, and
// their names.
func connects(manifest string) (ports []int, names []string) {
	manifest = strings.ToLower(manifest)
	for _, db := range databases {
		if containsAny(manifest, db.words) {
			ports, names = append(ports, db.port), append(names, db.name)
		}
	}
	return ports, names
}

func isDatabase(port int) bool {
	for _, db := range databases {
		if db.port == port {
			return true
		}
	}
	return false
}

// flagPort returns the port that a command line names, 0 if it names none.
func flagPort(command string) int {
	fields := strings.FieldsFunc(command, func(r rune) bool { return strings.ContainsRune(" \t\"'", r) })
	for i, field := range fields {
		name, value, joined := strings.Cut(field, "=")
		if slices.Contains([]string{"-p", "--port", "-P", "--http-port", "--server.port", "PORT", "-l", "--listen", "-b", "--bind", "-S", "--http", "http.server", "runserver"}, name) {
			if !joined && i+1 < len(fields) {
				value = fields[i+1]
			}
			value = value[strings.LastIndexByte(value, ':')+1:]
			if n := numberAt(strings.TrimPrefix(value, "${PORT")); isPortNumber(n) {
				return n
			}
		}
		if strings.HasPrefix(field, "-p") && len(field) > 3 {
			if n := numberAt(field[2:]); isPortNumber(n) {
				return n
			}
		}
		if _, after, ok := strings.Cut(field, ":-"); ok && strings.Contains(field, "PORT") {
			if n := numberAt(strings.TrimRight(after, "}")); isPortNumber(n) {
				return n
			}
		}
		if i := strings.LastIndexByte(field, ':'); i > 0 && containsAny(field[:i], "localhost|127.0.0.1|0.0.0.0") {
			if n := numberAt(field[i+1:]); isPortNumber(n) {
				return n
			}
		}
	}
	return 0
}

// sourcePort returns the port that a program listens on, as far as a line of its source
// shows it: a number near a name such as PORT, or an address. 0 is unknown.
func sourcePort(text string) int {
	address := 0
	for line := range strings.Lines(text) {
		if n := namedPort(line); n != 0 {
			return n
		}
		if address == 0 {
			address = addressPort(line)
		}
	}
	return address
}

// namedPort finds a number behind "port" or "listen(".
func namedPort(line string) int {
	for i := 0; i+4 <= len(line); i++ {
		rest := ""
		switch before := i > 0 && isLetter(line[i-1]); {
		case strings.HasPrefix(line[i:], "PORT") && !before, strings.HasPrefix(line[i:], "Port"), strings.HasPrefix(line[i:], "port") && !before:
			rest = line[i+4:]
		case strings.HasPrefix(line[i:], "listen("), strings.HasPrefix(line[i:], "Listen("):
			rest = line[i+7:]
		default:
			continue
		}
		if n := nearNumber(rest[:min(len(rest), 48)]); n != 0 {
			return n
		}
	}
	return 0
}

// nearNumber returns the first number of a text that can be a port.
func nearNumber(text string) int {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' || i > 0 && (isWord(text[i-1]) || text[i-1] == '.') {
			continue
		}
		if n := numberAt(text[i:]); isPortNumber(n) && !isDatabase(n) {
			return n
		}
	}
	return 0
}

// addressPort finds an address such as ":8080", "0.0.0.0:8080" or ("0.0.0.0", 8080).
func addressPort(line string) int {
	for i := 0; i+3 < len(line); i++ {
		if line[i] == ',' && i > 0 && containsAny(line[:i], "0.0.0.0|127.0.0.1|localhost|(''|(\"\"") && strings.ContainsRune("\"'", rune(line[i-1])) {
			if n := numberAt(strings.TrimLeft(line[i+1:], " ")); isPortNumber(n) && !isDatabase(n) {
				return n
			}
		}
		if line[i] != ':' || i == 0 || !strings.ContainsRune("\"'`01t", rune(line[i-1])) {
			continue
		}
		if n := numberAt(line[i+1:]); isPortNumber(n) && !isDatabase(n) {
			return n
		}
	}
	return 0
}

// guesses are allowed where the port is unknown.
var guesses = []int{3000, 5000, 8000, 8080}
