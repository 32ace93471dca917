package abi

// Description describes a provider. The host asks for it first.
type Description struct {
	// ID is the provider's name in the configuration. It must be the one by which the
	// module was found.
	ID      string `json:"id"`
	Version string `json:"version"`
	ABI     int    `json:"abi"`
	// ConfigSchema is a JSON Schema of the provider's configuration.
	ConfigSchema JSON `json:"config_schema,omitempty"`
	// TextFrom point to values of the configuration that are text, such as a mapping of
	// variables. The provider receives numbers and booleans in them as strings, as
	// written: "0755", not 493.
	TextFrom []string `json:"text_from,omitempty"`
	// Capabilities are the rights that the provider asks for.
	Capabilities Capabilities `json:"capabilities"`
	// BuildOptions are the fields of [BuildDockerOptions] that build_docker applies
	// itself, by their names in JSON. docker_build applies the others, if the provider
	// asks for it; otherwise the run ends before build_docker is called.
	BuildOptions []string `json:"build_options,omitempty"`
	// DevOptions are the fields of [DevOptions] that dev applies, by their names in JSON.
	// The run ends before dev is called if the user gives another one.
	DevOptions []string `json:"dev_options,omitempty"`
}

// The fields of [DevOptions] and [BuildDockerOptions] that a [Description] can list.
const (
	OptionProcesses  = "processes"
	OptionOnlyOutput = "only_output"

	OptionTags      = "tags"
	OptionPlatforms = "platforms"
	OptionNoCache   = "no_cache"
	OptionPull      = "pull"
	OptionLoad      = "load"
	OptionIdentify  = "identify"
)

// Capabilities are the rights that a provider asks for. A field that points into the
// user's configuration asks for exactly what the user wrote. In such a pointer, * stands
// for each key of a mapping; in one [ExecAsk], for the same key in all its pointers.
type Capabilities struct {
	Exec  []ExecAsk  `json:"exec,omitempty"`
	Build []BuildAsk `json:"build,omitempty"`
	// Files are patterns of the files that it reads, relative to the project directory.
	Files []string `json:"files,omitempty"`
	// FilesFrom point to such patterns, or lists of them.
	FilesFrom []string `json:"files_from,omitempty"`
	// Env are the names of variables that it looks at or passes on by reference; *
	// matches any characters.
	Env []string `json:"env,omitempty"`
	// EnvFrom point to names of such variables, or lists of them.
	EnvFrom []string `json:"env_from,omitempty"`
	// EnvFilesFrom point to dotenv files, or lists of them, whose variables its commands
	// get.
	EnvFilesFrom []string `json:"env_files_from,omitempty"`
	// EnvPass are the names of the user's variables that its commands get, if they are
	// set and the policies pass them on. EnvSecret are further ones, whose values are
	// masked.
	EnvPass   []string `json:"env_pass,omitempty"`
	EnvSecret []string `json:"env_secret,omitempty"`
	// ConnectFrom point to addresses, host:port, or URLs, whose port it connects to, or to
	// ports.
	ConnectFrom []string `json:"connect_from,omitempty"`
	// Connect are the ports that it probes if the configuration has none at ConnectFrom.
	Connect []int `json:"connect,omitempty"`
	// Images are the images that it looks for in the engine, as patterns of a policy.
	Images []string `json:"images,omitempty"`
	// Daemons are commands, word by word, that its commands start and that may keep
	// running after the run, such as encore daemon -f. The program of each must be one
	// that the provider runs by that name.
	Daemons [][]string `json:"daemons,omitempty"`
}

// Empty reports whether a provider asks for nothing.
func (c Capabilities) Empty() bool {
	return len(c.Exec)+len(c.Build)+len(c.Files)+len(c.FilesFrom)+len(c.Env)+len(c.EnvFrom)+len(c.EnvFilesFrom)+len(c.EnvPass)+len(c.EnvSecret)+len(c.ConnectFrom)+len(c.Connect)+len(c.Images)+len(c.Daemons) == 0
}

// ExecAsk asks to run a program: either Argv, with the patterns of a policy, or exactly
// the list at ArgvFrom.
type ExecAsk struct {
	Argv     []string `json:"argv,omitempty"`
	ArgvFrom string   `json:"argv_from,omitempty"`
	// DirFrom points to its working directory; the default is the project directory.
	DirFrom string `json:"dir_from,omitempty"`
	// EnvFrom points to a mapping of variables that it sets, to texts or to references
	// as [Value] in JSON.
	EnvFrom string `json:"env_from,omitempty"`
}

// BuildAsk asks to build an image from a directory: the first of ContextFrom in the
// configuration, else the project directory.
type BuildAsk struct {
	ContextFrom    []string `json:"context_from,omitempty"`
	DockerfileFrom string   `json:"dockerfile_from,omitempty"`
	// Args are the names of build arguments that it sets; * matches any characters.
	Args []string `json:"args,omitempty"`
	// TargetFrom points to the stage, and PlatformsFrom to a list of platforms. Without
	// them it may build any.
	TargetFrom    string `json:"target_from,omitempty"`
	PlatformsFrom string `json:"platforms_from,omitempty"`
	// ArgsFrom points to a mapping of build arguments, and SecretsFrom to a mapping of
	// secrets' IDs to references, as [Value] in JSON.
	ArgsFrom    string `json:"args_from,omitempty"`
	SecretsFrom string `json:"secrets_from,omitempty"`
	// NetworkFrom points to what build steps may reach.
	NetworkFrom string `json:"network_from,omitempty"`
	// CacheImportFrom and CacheExportFrom point to lists for CacheFrom and CacheTo of
	// [DockerBuildRequest].
	CacheImportFrom string `json:"cache_import_from,omitempty"`
	CacheExportFrom string `json:"cache_export_from,omitempty"`
}

// ValidateOptions is the input of validate.
type ValidateOptions struct {
	Config JSON `json:"config"`
}

// DevOptions is the input of dev.
type DevOptions struct {
	// Config is the provider's configuration.
	Config JSON `json:"config"`
	// WorkDir is the project directory as requests name it. Relative paths in requests
	// start there.
	WorkDir string `json:"workdir"`
	// Env are variables for the provider's commands. Those of the configuration win.
	Env map[string]string `json:"env,omitempty"`
	// The fields below are set only if [Description.DevOptions] lists them. For a value
	// that it cannot apply, the provider returns an [Error] with its Option.

	// Processes are the names of the processes to run, with those that they depend on.
	// Empty means all.
	Processes []string `json:"processes,omitempty"`
	// OnlyOutput is the name of the process whose output the user wants to see.
	OnlyOutput string `json:"only_output,omitempty"`
}

// BuildDockerOptions is the input of build_docker.
type BuildDockerOptions struct {
	Config  JSON              `json:"config"`
	WorkDir string            `json:"workdir"`
	Env     map[string]string `json:"env,omitempty"`
	// ImageTag is the reference that the image should have.
	ImageTag string `json:"image_tag"`
	// Push asks to push the image.
	Push bool `json:"push,omitempty"`
	// The fields below are set only if [Description.BuildOptions] lists them. For a
	// value that it cannot apply, the provider returns an [Error] with its Option.

	// Tags are further references for the image.
	Tags []string `json:"tags,omitempty"`
	// Platforms are the image's platforms, such as linux/arm64, instead of those in the
	// configuration.
	Platforms []string `json:"platforms,omitempty"`
	// NoCache asks not to use cached steps, and Pull to look for newer base images.
	NoCache bool `json:"no_cache,omitempty"`
	Pull    bool `json:"pull,omitempty"`
	// Load asks to load the image into the Docker engine.
	Load bool `json:"load,omitempty"`
	// Identify asks for an image whose ID the host learns, from docker_build or
	// docker_image.
	Identify bool `json:"identify,omitempty"`
}

// BuildDockerResult is the output of build_docker.
type BuildDockerResult struct {
	// Image is the reference of the image that was built.
	Image string `json:"image"`
}

// Decode decodes the configuration, see [Decode].
func (o DevOptions) Decode(v Object) error { return Decode(o.Config, v) }

// Decode decodes the configuration, see [Decode].
func (o BuildDockerOptions) Decode(v Object) error { return Decode(o.Config, v) }

// Decode decodes the configuration, see [Decode].
func (o ValidateOptions) Decode(v Object) error { return Decode(o.Config, v) }
