package main

import (
	"path"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
)

// proposal is a command that a directory runs with for development.
type proposal struct {
	name      string // of the ecosystem or framework
	certainty abi.Certainty
	evidence  []string
	command   []string
	// processes are several commands instead, by name.
	processes map[string][]string
	// workdir is where the command runs, by default the directory of the evidence.
	workdir string
	before  []string
	notes   []string
	needs
}

// needs is what a command uses, besides the command itself.
type needs struct {
	use   []string
	write []string // relative to the directory
	ports []int    // that it listens on
	// portFrom says where the port was found, "" if it is a guess.
	portFrom string
	manifest string // a file that names the clients of databases
	passes   []string
	// unconfined says why a policy cannot confine the command, or is empty.
	unconfined string
	// network says why the command connects to any port, or is empty.
	network string
}

// Detect proposes a command for each directory that has one. The nearest comes first.
func (*Provider) Detect(ctx backend.Context, opts backend.DetectOptions) ([]abi.Candidate, error) {
	var existing *config
	if len(opts.Config) > 0 {
		var err error
		if existing, err = parse(func(to abi.Object) error { return abi.Decode(opts.Config, to) }, (*config).checkPaths); err != nil {
			return nil, err
		}
	}
	s := look(ctx)
	candidates := s.candidates()
	if existing != nil {
		needed := existing.needed(s, candidates)
		needed.Config = opts.Config
		return []abi.Candidate{needed}, nil
	}
	return candidates, nil
}

// candidates are those of all directories. What is only possible comes last.
func (s *search) candidates() []abi.Candidate {
	var found, possible []abi.Candidate
	for _, d := range s.directories {
		for _, p := range d.proposals() {
			if p.certainty == abi.Possible {
				possible = append(possible, d.candidate(p))
			} else {
				found = append(found, d.candidate(p))
			}
		}
	}
	found = append(found, possible...)
	for _, d := range s.directories {
		if len(found) > 0 {
			break
		}
		for _, p := range d.apply(static) {
			found = append(found, d.candidate(p))
		}
		if len(found) == 0 && d.has(dockerfile) {
			found = append(found, d.builds())
		}
	}
	return found[:min(len(found), maxFound)]
}

// maxFound is the most candidates, of which nobody reads more.
const maxFound = 20

const dockerfile = "Dockerfile"

// proposals are those of one directory: the most certain first, then in the order of the
// table.
func (d *directory) proposals() []proposal {
	var found, ordered []proposal
	for _, detect := range detectors {
		found = append(found, detect(d)...)
	}
	for _, certainty := range []abi.Certainty{abi.Certain, abi.Likely, abi.Possible} {
		for _, p := range found {
			known := slices.ContainsFunc(ordered, func(q proposal) bool { return slices.Equal(p.command, q.command) })
			if p.certainty == certainty && !known {
				ordered = append(ordered, p)
			}
		}
	}
	return ordered
}

// proposed is the configuration of a candidate.
type proposed struct {
	dev   *proposedDev
	build *proposedBuild
}

func (p *proposed) Fields() []abi.Field {
	return []abi.Field{{Name: "dev,omitempty", To: abi.Optional(&p.dev)}, {Name: "build,omitempty", To: abi.Optional(&p.build)}}
}

// proposedDev is one command, or several processes.
type proposedDev struct {
	proposedProcess
	processes map[string]proposedProcess
}

func (p *proposedDev) Fields() []abi.Field {
	return append(p.proposedProcess.Fields(), abi.Field{Name: "processes,omitempty", To: abi.Map(&p.processes)})
}

type proposedProcess struct {
	command []string
	workdir string
}

func (p *proposedProcess) Fields() []abi.Field {
	return []abi.Field{{Name: "command,omitempty", To: &p.command}, {Name: "workdir,omitempty", To: &p.workdir}}
}

type proposedBuild struct{ context string }

func (p *proposedBuild) Fields() []abi.Field {
	return []abi.Field{{Name: "context", To: &p.context}}
}

// candidate is the configuration and the needs of a proposal.
func (d *directory) candidate(p proposal) abi.Candidate {
	workdir := p.workdir
	if workdir == "" {
		workdir = d.path
	}
	at := ""
	if workdir != "." {
		at = "./" + workdir
	}
	config := proposed{dev: new(proposedDev)}
	exec, comment := [][]string{inPolicy(workdir, p.command)}, "/dev/command"
	if p.processes == nil {
		config.dev.proposedProcess = proposedProcess{p.command, at}
	} else {
		exec, comment, config.dev.processes = nil, "/dev/processes", make(map[string]proposedProcess)
		for _, name := range abi.SortedKeys(p.processes) {
			config.dev.processes[name] = proposedProcess{p.processes[name], at}
			exec = append(exec, inPolicy(workdir, p.processes[name]))
		}
	}
	c := abi.Candidate{
		Name: p.name, Dir: d.path, Certainty: p.certainty, Evidence: p.evidence, Before: p.before, Notes: p.notes,
		Comments: map[string]string{comment: p.evidence[0]},
		Needs:    abi.Needs{Exec: exec, Use: p.use, EnvPass: p.passes, Listen: p.ports, Unconfined: p.unconfined, Network: p.network, Comments: make(map[string]string)},
	}
	for _, name := range p.write {
		c.Needs.Write = append(c.Needs.Write, path.Join(d.path, name))
	}
	d.describePorts(&c.Needs, p)
	d.configureBuild(&c, &config)
	c.Config, _ = abi.Encode(&config) // strings always encode
	return c
}

// inPolicy is a command as a policy names it, where a path begins at the project.
func inPolicy(workdir string, command []string) []string {
	argv := slices.Clone(command)
	if len(argv) > 0 && strings.Contains(argv[0], "/") && !path.IsAbs(argv[0]) {
		argv[0] = "./" + path.Join(workdir, argv[0])
	}
	return argv
}

// describePorts adds the ports of databases, and says where ports come from.
func (d *directory) describePorts(n *abi.Needs, p proposal) {
	n.Comments["net.listen"] = p.portFrom
	if p.portFrom == "" {
		n.Comments["net.listen"] = "usual ports: keep the one that the program listens on"
	}
	if len(n.Listen) == 0 {
		n.Listen = guesses
	}
	if p.manifest == "" {
		return
	}
	var names []string
	n.Connect, names = connects(d.text(p.manifest))
	if len(names) > 0 {
		n.Comments["net.connect"] = strings.Join(names, ", ") + ": " + d.named(p.manifest)
	}
	for _, name := range d.exampleVariables() {
		if !slices.Contains(n.EnvPass, name) {
			n.EnvPass = append(n.EnvPass, name)
		}
	}
}

// configureBuild adds the build of the Dockerfile of the directory, or of the project.
func (d *directory) configureBuild(c *abi.Candidate, config *proposed) {
	at, _ := d.up(dockerfile)
	if at == nil || at != d && at.path != "." {
		c.Notes = append(c.Notes, "build is not configured: no "+d.named(dockerfile))
		return
	}
	context := at.path
	if context != "." {
		context = "./" + context
	}
	config.build = &proposedBuild{context}
	c.Evidence = append(c.Evidence, at.named(dockerfile))
	c.Needs.Build = []string{at.path}
}

// builds is the candidate of a directory that has only a Dockerfile.
func (d *directory) builds() abi.Candidate {
	c := abi.Candidate{
		Name: "Dockerfile", Dir: d.path, Certainty: abi.Possible,
		Notes: []string{"dev is not configured: nothing says how to run it without an image"},
	}
	var config proposed
	d.configureBuild(&c, &config)
	c.Config, _ = abi.Encode(&config)
	return c
}

// needed is the candidate for a configuration that exists: the needs of what was found in
// its directory, with its own command.
func (c *config) needed(s *search, found []abi.Candidate) abi.Candidate {
	dir := path.Clean("./" + c.Dev.Workdir)
	out := abi.Candidate{Name: "the configuration", Dir: dir, Certainty: abi.Certain, Needs: abi.Needs{Listen: guesses}}
	for _, other := range found {
		if other.Dir == dir {
			out = other
			break
		}
	}
	out.Needs.Exec = nil
	var ports []int
	port := func(number int) {
		if isPortNumber(number) && !slices.Contains(ports, number) {
			ports = append(ports, number)
		}
	}
	for _, p := range c.Dev.programs() {
		at := path.Clean("./" + p.Workdir)
		out.Needs.Exec = append(out.Needs.Exec, inPolicy(at, p.Command))
		for _, d := range s.directories {
			if d.path == at {
				out.Needs.Use = append(out.Needs.Use, d.tools()...)
			}
		}
		out.Needs.EnvPass = append(out.Needs.EnvPass, abi.SortedKeys(p.Env)...)
		port(numberAt(p.Env["PORT"].Text))
	}
	for _, name := range abi.SortedKeys(c.Dev.Processes) {
		r := c.Dev.Processes[name].Ready
		if r == nil {
			continue
		}
		port(r.TCP)
		if r.HTTP != nil {
			port(r.HTTP.Port)
		}
	}
	if len(ports) > 0 {
		out.Needs.Listen = ports
	}
	if len(c.Dev.Processes) > 0 {
		out.Needs.Connect = append(out.Needs.Connect, ports...)
	}
	out.Needs.Build = nil
	if c.has.build != nil {
		out.Needs.Build = []string{path.Clean(c.request(abi.BuildDockerOptions{}).Context)}
	}
	return out
}

// examples are files with the names of a project's variables, without secrets.
var examples = []string{".env.example", ".env.sample", ".env.template", ".env.dist", "env.example"}

// exampleVariables are the names in the example of a dotenv file.
func (d *directory) exampleVariables() []string {
	var names []string
	lines(d.text(d.first(examples...)), func(line string) {
		name, _, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		if name = strings.TrimSpace(name); ok && isName(name) && len(names) < 40 {
			names = append(names, name)
		}
	})
	return names
}

func isName(name string) bool {
	for i := range len(name) {
		if !isWord(name[i]) {
			return false
		}
	}
	return name != ""
}

// examplePort is the port in the example of a dotenv file, 0 if there is none.
func (d *directory) examplePort() int {
	return numberAt(assigned(d.text(d.first(examples...)), "PORT"))
}

// listen finds the port of a program: in its command, in the example of a dotenv file, in
// its sources, or else the usual one of its framework, unless that is 0.
func (n *needs) listen(d *directory, command string, usual int, framework string, sources ...string) {
	set := func(port int, from string) {
		if len(n.ports) == 0 && isPortNumber(port) {
			n.ports, n.portFrom = []int{port}, from
		}
	}
	set(flagPort(command), "in the command")
	if example := d.first(examples...); example != "" {
		set(d.examplePort(), d.named(example))
	}
	for _, name := range sources {
		text := d.text(name)
		set(sourcePort(text), d.named(name))
		if strings.Contains(text, "PORT") && !slices.Contains(n.passes, "PORT") {
			n.passes = append(n.passes, "PORT")
		}
	}
	set(usual, "usual for "+framework)
}
