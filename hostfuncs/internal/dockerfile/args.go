package dockerfile

import (
	"slices"
	"strconv"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/util/system"
)

const epochArg = "SOURCE_DATE_EPOCH"

// globals returns the variables for FROM lines: those that BuildKit sets, and the
// ARGs before the first FROM.
func (r *resolver) globals(o Options) (*Vars, error) {
	target := o.Target
	if target == "" {
		target = r.parsed.stages[len(r.parsed.stages)-1].Name
	}
	if target == "" {
		target = "default"
	}
	vars := NewVars()
	vars.Set("TARGETSTAGE", target)
	build, wanted := o.BuildPlatform, o.Platform
	if wanted == "" {
		wanted = build
	}
	for prefix, platform := range map[string]string{"BUILD": build, "TARGET": wanted} {
		if err := vars.platform(prefix, platform); err != nil {
			return nil, r.file.errorAt(0, "platform %q: %v", platform, err)
		}
	}
	for name := range vars.set {
		if text, ok := o.Args[name]; ok {
			vars.Set(name, text)
		}
	}
	for _, c := range r.parsed.args {
		for _, arg := range c.Args {
			r.valuedAgain(arg, firstLine(c.Location()), o.Args)
			if err := r.global(vars, arg, o.Args); err != nil {
				return nil, r.file.located(err, firstLine(c.Location()))
			}
		}
	}
	return vars, r.checkEpoch(vars, o.Args)
}

// valuedAgain notes an ARG without a value that had one before, unless the build gives
// it an argument.
func (r *resolver) valuedAgain(arg instructions.KeyValuePairOptional, line int, given map[string]string) {
	if _, ok := given[arg.Key]; ok {
		return
	}
	if arg.Value == nil && r.valued[arg.Key] {
		r.plan.Misread = r.plan.Misread.or(Misread{ArgAgain: line})
	}
	r.valued[arg.Key] = r.valued[arg.Key] || arg.Value != nil
}

func (r *resolver) global(vars *Vars, arg instructions.KeyValuePairOptional, given map[string]string) error {
	if text, ok := given[arg.Key]; ok {
		vars.Set(arg.Key, text)
		return nil
	}
	if arg.Value == nil {
		return nil
	}
	return r.assign(vars, vars, arg.Key, *arg.Value)
}

// assign expands a word with from and sets a variable to it. The variable is unknown
// if a variable in the word is.
func (r *resolver) assign(vars, from *Vars, name, word string) error {
	text, err := r.expander.Word(word, from)
	if unknown, ok := err.(*unknownError); ok {
		vars.set[name] = value{unknown: unknown}
		return nil
	}
	if err != nil {
		return err
	}
	vars.Set(name, text)
	return nil
}

// platform sets the variables of a platform. An empty one is the builder's, which is
// unknown.
func (v *Vars) platform(prefix, platform string) error {
	if platform == "" {
		for _, name := range []string{"PLATFORM", "OS", "OSVERSION", "ARCH", "VARIANT"} {
			v.set[prefix+name] = value{unknown: &unknownError{name: prefix + name, platform: true}}
		}
		return nil
	}
	p, err := platforms.Parse(platform)
	if err != nil {
		return err
	}
	p = platforms.Normalize(p)
	full := platforms.FormatAll(p)
	if prefix == "BUILD" {
		full = platforms.Format(p)
	}
	for name, text := range map[string]string{
		"PLATFORM": full, "OS": p.OS, "OSVERSION": p.OSVersion, "ARCH": p.Architecture, "VARIANT": p.Variant,
	} {
		v.Set(prefix+name, text)
	}
	return nil
}

// checkEpoch refuses a SOURCE_DATE_EPOCH that names a stage: BuildKit would fetch the
// stage's remote source to get its date.
func (r *resolver) checkEpoch(vars *Vars, given map[string]string) error {
	text, ok := given[epochArg]
	if !ok {
		text, _ = vars.Get(epochArg)
	}
	r.plan.Epoch = text
	if _, err := strconv.ParseInt(text, 10, 64); text != "" && err != nil {
		return r.file.errorAt(0, "%s: %q is not a number of seconds", epochArg, text)
	}
	return nil
}

// forStage returns the variables that a stage begins with.
func (r *resolver) forStage(s *Stage) *Vars {
	if s.From != nil {
		return s.From.vars.Above()
	}
	vars := NewVars()
	if s.Image != "" {
		vars.open = true
		return vars
	}
	vars.SetEnv("PATH", system.DefaultPathEnvUnix)
	return vars
}

// noVariables are ARGs that configure BuildKit and set no variable in a stage.
var noVariables = []string{"BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"}

// ArgValue returns the value of an ARG of a stage: the build's argument, else its
// default, else the value from before the first FROM. It returns false for none.
func (p *Plan) ArgValue(x *Expander, arg instructions.KeyValuePairOptional, vars *Vars) (string, bool, error) {
	if slices.Contains(noVariables, arg.Key) {
		return "", false, nil
	}
	if text, ok := p.given[arg.Key]; ok {
		return text, true, nil
	}
	if arg.Value != nil {
		text, err := x.Word(*arg.Value, vars)
		return text, err == nil, err
	}
	found, ok := p.globals.find(arg.Key)
	if found.unknown != nil {
		return "", false, found.unknown
	}
	return found.text, ok, nil
}
