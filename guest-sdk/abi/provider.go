package abi

import "encoding/json"

// Description is what a provider says of itself before it is asked to do
// anything.
type Description struct {
	// ID is the name by which the configuration selects the provider. It must
	// be the one that the module was found by.
	ID      string `json:"id"`
	Version string `json:"version"`
	ABI     int    `json:"abi"`
	// ConfigSchema is a JSON Schema of the provider's part of the
	// configuration.
	ConfigSchema json.RawMessage `json:"config_schema,omitempty"`
	// TextFrom point to values of the configuration that are text, such as a
	// mapping of variables: numbers and booleans in them reach the provider as
	// strings, as the user wrote them, "0755" and not 493.
	TextFrom []string `json:"text_from,omitempty"`
	// Capabilities is what the provider asks for.
	Capabilities Capabilities `json:"capabilities"`
	// BuildOptions are the fields of [BuildDockerOptions] that build_docker
	// carries out itself, by their names in JSON. What is not among them is
	// carried out by docker_build, if the provider asks for that; if not, the run
	// ends before build_docker is called.
	BuildOptions []string `json:"build_options,omitempty"`
}

// The fields of [BuildDockerOptions] that a [Description] can list.
const (
	OptionTags      = "tags"
	OptionPlatforms = "platforms"
	OptionNoCache   = "no_cache"
	OptionPull      = "pull"
	OptionLoad      = "load"
	OptionIdentify  = "identify"
)

// Capabilities is what a provider asks to be allowed. A request may point
// into the user's configuration: then it asks for just what the user wrote.
type Capabilities struct {
	Exec  []ExecAsk  `json:"exec,omitempty"`
	Build []BuildAsk `json:"build,omitempty"`
	// Files are patterns of files, relative to the project directory, that it
	// reads.
	Files []string `json:"files,omitempty"`
	// Env are the names of variables that it looks at or passes on by
	// reference; a * stands for any characters.
	Env []string `json:"env,omitempty"`
	// EnvFrom point to names of variables, or lists of them, that it looks at
	// or passes on by reference.
	EnvFrom []string `json:"env_from,omitempty"`
	// EnvFilesFrom point to dotenv files, or lists of them, whose variables it
	// gives to what it runs.
	EnvFilesFrom []string `json:"env_files_from,omitempty"`
	// EnvPass are the names of variables of the user's that each of its commands
	// gets, where they are set and the policies pass them on. EnvSecret are
	// further ones, whose values are shown to nobody.
	EnvPass   []string `json:"env_pass,omitempty"`
	EnvSecret []string `json:"env_secret,omitempty"`
	// ConnectFrom point to addresses, host:port, whose port it probes.
	ConnectFrom []string `json:"connect_from,omitempty"`
	// Connect are ports that it probes where the configuration has none at
	// ConnectFrom.
	Connect []int `json:"connect,omitempty"`
	// Images are references of images that it looks for in the engine, with the
	// patterns of a policy.
	Images []string `json:"images,omitempty"`
	// Daemons are commands that its own commands start and that may keep running
	// after the run, word by word, such as encore daemon -f. The program of each
	// is the one that the provider runs by that name.
	Daemons [][]string `json:"daemons,omitempty"`
}

// Empty tells whether a provider doesn't say what it needs.
func (c Capabilities) Empty() bool {
	return len(c.Exec)+len(c.Build)+len(c.Files)+len(c.Env)+len(c.EnvFrom)+len(c.EnvFilesFrom)+len(c.EnvPass)+len(c.EnvSecret)+len(c.ConnectFrom)+len(c.Connect)+len(c.Images)+len(c.Daemons) == 0
}

// ExecAsk asks to run a program: either the words of Argv, with the patterns
// of a policy, or exactly the list that stands at ArgvFrom.
type ExecAsk struct {
	Argv     []string `json:"argv,omitempty"`
	ArgvFrom string   `json:"argv_from,omitempty"`
	// DirFrom points to the directory that it runs in; the project directory where
	// the configuration has none.
	DirFrom string `json:"dir_from,omitempty"`
	// EnvFrom points to a mapping of variables that it sets.
	EnvFrom string `json:"env_from,omitempty"`
}

// BuildAsk asks to build an image from a directory: the first of ContextFrom
// that the configuration has, or else the project directory.
type BuildAsk struct {
	ContextFrom    []string `json:"context_from,omitempty"`
	DockerfileFrom string   `json:"dockerfile_from,omitempty"`
	// Args are the names of build arguments that it sets; a * stands for any
	// characters.
	Args []string `json:"args,omitempty"`
	// TargetFrom points to the stage that it builds, and PlatformsFrom to a
	// list of platforms. Without them it may build any.
	TargetFrom    string `json:"target_from,omitempty"`
	PlatformsFrom string `json:"platforms_from,omitempty"`
	// ArgsFrom points to a mapping of build arguments that it sets, and
	// SecretsFrom to one of secrets' IDs to references, [Value] in JSON.
	ArgsFrom    string `json:"args_from,omitempty"`
	SecretsFrom string `json:"secrets_from,omitempty"`
	// NetworkFrom points to what build steps may reach.
	NetworkFrom string `json:"network_from,omitempty"`
	// CacheImportFrom and CacheExportFrom point to lists for CacheFrom and
	// CacheTo of [DockerBuildRequest].
	CacheImportFrom string `json:"cache_import_from,omitempty"`
	CacheExportFrom string `json:"cache_export_from,omitempty"`
}

// ValidateOptions is the input of validate.
type ValidateOptions struct {
	Config json.RawMessage `json:"config"`
}

// DevOptions is the input of dev.
type DevOptions struct {
	// Config is the provider's own part of the configuration.
	Config json.RawMessage `json:"config"`
	// WorkDir is the project directory as requests name it; every relative path
	// in a request starts there.
	WorkDir string `json:"workdir"`
	// Env are variables for what the provider starts; the configuration's own
	// win over them.
	Env map[string]string `json:"env,omitempty"`
}

// BuildDockerOptions is the input of build_docker.
type BuildDockerOptions struct {
	Config  json.RawMessage   `json:"config"`
	WorkDir string            `json:"workdir"`
	Env     map[string]string `json:"env,omitempty"`
	// ImageTag is the reference that the image should have.
	ImageTag string `json:"image_tag"`
	// Push asks to send the image to its registry as well.
	Push bool `json:"push,omitempty"`
	// The fields below are set only if [Description.BuildOptions] lists them. A
	// value that the provider cannot carry out is an [Error] with its Option.

	// Tags are further references for the image.
	Tags []string `json:"tags,omitempty"`
	// Platforms are what the image is for, such as linux/arm64, in place of what
	// the configuration says.
	Platforms []string `json:"platforms,omitempty"`
	// NoCache asks to take no step from a cache, and Pull to look for newer base
	// images.
	NoCache bool `json:"no_cache,omitempty"`
	Pull    bool `json:"pull,omitempty"`
	// Load asks to put the image into the Docker engine, whatever builds it.
	Load bool `json:"load,omitempty"`
	// Identify asks for an image whose ID the host gets to know, by docker_build
	// or docker_image.
	Identify bool `json:"identify,omitempty"`
}

// BuildDockerResult is the output of build_docker.
type BuildDockerResult struct {
	// Image is the reference of the image that was built.
	Image string `json:"image"`
}

// Decode reads the configuration into v, a pointer to a struct, as [Decode]
// does.
func (o DevOptions) Decode(v any) error { return Decode(o.Config, v) }

// Decode reads the configuration into v, a pointer to a struct, as [Decode]
// does.
func (o BuildDockerOptions) Decode(v any) error { return Decode(o.Config, v) }

// Decode reads the configuration into v, a pointer to a struct, as [Decode]
// does.
func (o ValidateOptions) Decode(v any) error { return Decode(o.Config, v) }
