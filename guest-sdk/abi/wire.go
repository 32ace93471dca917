package abi

// This file lists the fields of each message, with the names of its tags.

// Fields implements [Object].
func (r *Reply) Fields() []Field {
	return []Field{
		{"ok,omitempty", &r.OK},
		{"error,omitempty", Optional(&r.Error)},
	}
}

// Fields implements [Object].
func (e *Error) Fields() []Field {
	return []Field{
		{"code", (*string)(&e.Code)},
		{"message", &e.Message},
		{"hint,omitempty", &e.Hint},
		{"reason,omitempty", &e.Reason},
		{"output,omitempty", &e.Output},
		{"output_shown,omitempty", &e.OutputShown},
		{"source,omitempty", &e.Source},
		{"exit_code,omitempty", &e.ExitCode},
		{"field,omitempty", &e.Field},
		{"option,omitempty", &e.Option},
		{"problems,omitempty", List(&e.Problems)},
	}
}

// Fields implements [Object].
func (p *Problem) Fields() []Field {
	return []Field{
		{"pointer", &p.Pointer},
		{"key,omitempty", &p.Key},
		{"message", &p.Message},
		{"hint,omitempty", &p.Hint},
	}
}

// Fields implements [Object].
func (d *Description) Fields() []Field {
	return []Field{
		{"id", &d.ID},
		{"version", &d.Version},
		{"abi", &d.ABI},
		{"config_schema,omitempty", &d.ConfigSchema},
		{"text_from,omitempty", &d.TextFrom},
		{"capabilities", &d.Capabilities},
		{"build_options,omitempty", &d.BuildOptions},
		{"dev_options,omitempty", &d.DevOptions},
	}
}

// Fields implements [Object].
func (c *Capabilities) Fields() []Field {
	return []Field{
		{"exec,omitempty", List(&c.Exec)},
		{"build,omitempty", List(&c.Build)},
		{"files,omitempty", &c.Files},
		{"files_from,omitempty", &c.FilesFrom},
		{"env,omitempty", &c.Env},
		{"env_from,omitempty", &c.EnvFrom},
		{"env_files_from,omitempty", &c.EnvFilesFrom},
		{"env_pass,omitempty", &c.EnvPass},
		{"env_secret,omitempty", &c.EnvSecret},
		{"connect_from,omitempty", &c.ConnectFrom},
		{"connect,omitempty", List(&c.Connect)},
		{"images,omitempty", &c.Images},
		{"daemons,omitempty", List(&c.Daemons)},
	}
}

// Fields implements [Object].
func (e *ExecAsk) Fields() []Field {
	return []Field{
		{"argv,omitempty", &e.Argv},
		{"argv_from,omitempty", &e.ArgvFrom},
		{"dir_from,omitempty", &e.DirFrom},
		{"env_from,omitempty", &e.EnvFrom},
	}
}

// Fields implements [Object].
func (b *BuildAsk) Fields() []Field {
	return []Field{
		{"context_from,omitempty", &b.ContextFrom},
		{"dockerfile_from,omitempty", &b.DockerfileFrom},
		{"args,omitempty", &b.Args},
		{"target_from,omitempty", &b.TargetFrom},
		{"platforms_from,omitempty", &b.PlatformsFrom},
		{"args_from,omitempty", &b.ArgsFrom},
		{"secrets_from,omitempty", &b.SecretsFrom},
		{"network_from,omitempty", &b.NetworkFrom},
		{"cache_import_from,omitempty", &b.CacheImportFrom},
		{"cache_export_from,omitempty", &b.CacheExportFrom},
	}
}

// Fields implements [Object].
func (v *ValidateOptions) Fields() []Field {
	return []Field{
		{"config", &v.Config},
	}
}

// Fields implements [Object].
func (d *DevOptions) Fields() []Field {
	return []Field{
		{"config", &d.Config},
		{"workdir", &d.WorkDir},
		{"env,omitempty", &d.Env},
		{"processes,omitempty", &d.Processes},
		{"only_output,omitempty", &d.OnlyOutput},
	}
}

// Fields implements [Object].
func (b *BuildDockerOptions) Fields() []Field {
	return []Field{
		{"config", &b.Config},
		{"workdir", &b.WorkDir},
		{"env,omitempty", &b.Env},
		{"image_tag", &b.ImageTag},
		{"push,omitempty", &b.Push},
		{"tags,omitempty", &b.Tags},
		{"platforms,omitempty", &b.Platforms},
		{"no_cache,omitempty", &b.NoCache},
		{"pull,omitempty", &b.Pull},
		{"load,omitempty", &b.Load},
		{"identify,omitempty", &b.Identify},
	}
}

// Fields implements [Object].
func (b *BuildDockerResult) Fields() []Field {
	return []Field{
		{"image", &b.Image},
	}
}

// Fields implements [Object].
func (d *DetectOptions) Fields() []Field {
	return []Field{
		{"workdir", &d.WorkDir},
		{"config,omitempty", &d.Config},
	}
}

// Fields implements [Object].
func (d *DetectResult) Fields() []Field {
	return []Field{
		{"candidates,omitempty", List(&d.Candidates)},
	}
}

// Fields implements [Object].
func (c *Candidate) Fields() []Field {
	return []Field{
		{"name", &c.Name},
		{"dir", &c.Dir},
		{"certainty", (*string)(&c.Certainty)},
		{"evidence,omitempty", &c.Evidence},
		{"config", &c.Config},
		{"comments,omitempty", &c.Comments},
		{"before,omitempty", &c.Before},
		{"notes,omitempty", &c.Notes},
		{"needs", &c.Needs},
	}
}

// Fields implements [Object].
func (n *Needs) Fields() []Field {
	return []Field{
		{"exec,omitempty", List(&n.Exec)},
		{"use,omitempty", &n.Use},
		{"env_pass,omitempty", &n.EnvPass},
		{"write,omitempty", &n.Write},
		{"listen,omitempty", List(&n.Listen)},
		{"connect,omitempty", List(&n.Connect)},
		{"network,omitempty", &n.Network},
		{"build,omitempty", &n.Build},
		{"daemons,omitempty", List(&n.Daemons)},
		{"unconfined,omitempty", &n.Unconfined},
		{"comments,omitempty", &n.Comments},
	}
}

// Fields implements [Object].
func (e *ExecRequest) Fields() []Field {
	return []Field{
		{"argv", &e.Argv},
		{"dir,omitempty", &e.Dir},
		{"env_base,omitempty", Map(&e.EnvBase)},
		{"env_files,omitempty", &e.EnvFiles},
		{"env,omitempty", Map(&e.Env)},
		{"stdin,omitempty", Optional(&e.Stdin)},
		{"capture,omitempty", &e.Capture},
		{"capture_limit,omitempty", &e.CaptureLimit},
		{"timeout_ms,omitempty", &e.TimeoutMS},
		{"once,omitempty", &e.Once},
		{"interactive,omitempty", &e.Interactive},
	}
}

// Fields implements [Object].
func (e *ExecResult) Fields() []Field {
	return []Field{
		{"exit_code", &e.ExitCode},
		{"signal,omitempty", &e.Signal},
		{"interrupted,omitempty", &e.Interrupted},
		{"stdout,omitempty", &e.Stdout},
		{"stderr,omitempty", &e.Stderr},
		{"truncated,omitempty", &e.Truncated},
		{"unchanged,omitempty", &e.Unchanged},
	}
}

// Fields implements [Object].
func (p *ProcessStartRequest) Fields() []Field {
	return []Field{
		{"argv", &p.Argv},
		{"dir,omitempty", &p.Dir},
		{"env_base,omitempty", Map(&p.EnvBase)},
		{"env_files,omitempty", &p.EnvFiles},
		{"env,omitempty", Map(&p.Env)},
		{"stdin,omitempty", Optional(&p.Stdin)},
		{"name,omitempty", &p.Name},
		{"terminal,omitempty", &p.Terminal},
		{"watch,omitempty", &p.Watch},
		{"ready,omitempty", Optional(&p.Ready)},
		{"ends,omitempty", &p.Ends},
		{"ordered,omitempty", &p.Ordered},
	}
}

// Fields implements [Object].
func (r *Ready) Fields() []Field {
	return []Field{
		{"tcp,omitempty", &r.TCP},
		{"http,omitempty", Optional(&r.HTTP)},
		{"log,omitempty", &r.Log},
	}
}

// Fields implements [Object].
func (r *ReadyHTTP) Fields() []Field {
	return []Field{
		{"port", &r.Port},
		{"path,omitempty", &r.Path},
		{"status,omitempty", &r.Status},
	}
}

// Fields implements [Object].
func (p *ProcessStartResult) Fields() []Field {
	return []Field{
		{"id", &p.ID},
	}
}

// Fields implements [Object].
func (p *ProcessWaitRequest) Fields() []Field {
	return []Field{
		{"ids,omitempty", List(&p.IDs)},
		{"timeout_ms,omitempty", &p.TimeoutMS},
		{"clock,omitempty", &p.Clock},
		{"keys,omitempty", List(&p.Keys)},
	}
}

// Fields implements [Object].
func (k *Key) Fields() []Field {
	return []Field{
		{"key", &k.Key},
		{"argument,omitempty", &k.Argument},
		{"help", &k.Help},
	}
}

// Fields implements [Object].
func (p *ProcessWaitResult) Fields() []Field {
	return []Field{
		{"exited,omitempty", Optional(&p.Exited)},
		{"seen,omitempty", Optional(&p.Seen)},
		{"ready,omitempty", Optional(&p.Ready)},
		{"typed,omitempty", Optional(&p.Typed)},
		{"changed,omitempty", Optional(&p.Changed)},
		{"interrupted,omitempty", &p.Interrupted},
		{"timed_out,omitempty", &p.TimedOut},
		{"waited_ms,omitempty", &p.WaitedMS},
	}
}

// Fields implements [Object].
func (p *ProcessReady) Fields() []Field {
	return []Field{
		{"id", &p.ID},
	}
}

// Fields implements [Object].
func (t *TypedKey) Fields() []Field {
	return []Field{
		{"key", &t.Key},
		{"argument,omitempty", &t.Argument},
	}
}

// Fields implements [Object].
func (p *ProcessExit) Fields() []Field {
	return []Field{
		{"id", &p.ID},
		{"exit_code", &p.ExitCode},
		{"signal,omitempty", &p.Signal},
		{"interrupted,omitempty", &p.Interrupted},
		{"tail,omitempty", &p.Tail},
	}
}

// Fields implements [Object].
func (p *ProcessLine) Fields() []Field {
	return []Field{
		{"id", &p.ID},
		{"line", &p.Line},
	}
}

// Fields implements [Object].
func (p *ProcessStopRequest) Fields() []Field {
	return []Field{
		{"id", &p.ID},
		{"signal,omitempty", &p.Signal},
		{"grace_ms,omitempty", &p.GraceMS},
		{"no_wait,omitempty", &p.NoWait},
	}
}

// Fields implements [Object].
func (r *ReadyRequest) Fields() []Field {
	return []Field{
		{"processes", List(&r.Processes)},
	}
}

// Fields implements [Object].
func (r *ReadyProcess) Fields() []Field {
	return []Field{
		{"name,omitempty", &r.Name},
		{"url,omitempty", &r.URL},
	}
}

// Fields implements [Object].
func (w *WatchRequest) Fields() []Field {
	return []Field{
		{"paths", &w.Paths},
		{"ignore,omitempty", &w.Ignore},
		{"debounce_ms,omitempty", &w.DebounceMS},
	}
}

// Fields implements [Object].
func (w *WatchResult) Fields() []Field {
	return []Field{
		{"id", &w.ID},
	}
}

// Fields implements [Object].
func (f *FilesChanged) Fields() []Field {
	return []Field{
		{"id", &f.ID},
		{"paths", &f.Paths},
		{"more,omitempty", &f.More},
	}
}

// Fields implements [Object].
func (p *ProbeRequest) Fields() []Field {
	return []Field{
		{"address", &p.Address},
		{"path,omitempty", &p.Path},
		{"gone,omitempty", &p.Gone},
		{"timeout_ms,omitempty", &p.TimeoutMS},
		{"while,omitempty", List(&p.While)},
	}
}

// Fields implements [Object].
func (p *ProbeResult) Fields() []Field {
	return []Field{
		{"answers", &p.Answers},
		{"status,omitempty", &p.Status},
	}
}

// Fields implements [Object].
func (d *DockerBuildRequest) Fields() []Field {
	return []Field{
		{"context", &d.Context},
		{"dockerfile,omitempty", &d.Dockerfile},
		{"tags", &d.Tags},
		{"args,omitempty", &d.Args},
		{"target,omitempty", &d.Target},
		{"network,omitempty", &d.Network},
		{"push,omitempty", &d.Push},
		{"labels,omitempty", &d.Labels},
		{"platforms,omitempty", &d.Platforms},
		{"secrets,omitempty", Map(&d.Secrets)},
		{"cache_from,omitempty", &d.CacheFrom},
		{"cache_to,omitempty", &d.CacheTo},
	}
}

// Fields implements [Object].
func (d *DockerBuildResult) Fields() []Field {
	return []Field{
		{"image", &d.Image},
		{"id", &d.ID},
		{"digest,omitempty", &d.Digest},
		{"other_digests,omitempty", &d.OtherDigests},
		{"config,omitempty", &d.Config},
		{"bases,omitempty", &d.Bases},
	}
}

// Fields implements [Object].
func (d *DockerImageRequest) Fields() []Field {
	return []Field{
		{"image", &d.Image},
	}
}

// Fields implements [Object].
func (d *DockerImageResult) Fields() []Field {
	return []Field{
		{"image", &d.Image},
		{"id", &d.ID},
		{"digest,omitempty", &d.Digest},
		{"config,omitempty", &d.Config},
	}
}

// Fields implements [Object].
func (p *PathRequest) Fields() []Field {
	return []Field{
		{"path", &p.Path},
	}
}

// Fields implements [Object].
func (s *StatRequest) Fields() []Field {
	return []Field{
		{"path", &s.Path},
		{"above,omitempty", &s.Above},
	}
}

// Fields implements [Object].
func (r *ReadFileResult) Fields() []Field {
	return []Field{
		{"data", (*base64Data)(&r.Data)},
	}
}

// Fields implements [Object].
func (f *FileInfo) Fields() []Field {
	return []Field{
		{"name", &f.Name},
		{"size", &f.Size},
		{"dir,omitempty", &f.Dir},
	}
}

// Fields implements [Object].
func (l *ListResult) Fields() []Field {
	return []Field{
		{"entries", List(&l.Entries)},
	}
}

// Fields implements [Object].
func (e *EnvStatusRequest) Fields() []Field {
	return []Field{
		{"names", &e.Names},
		{"files,omitempty", &e.Files},
	}
}

// Fields implements [Object].
func (e *EnvStatusResult) Fields() []Field {
	return []Field{
		{"states", Map(&e.States)},
	}
}

// Fields implements [Object].
func (l *LogRequest) Fields() []Field {
	return []Field{
		{"level", (*string)(&l.Level)},
		{"message", &l.Message},
	}
}

// Fields implements [Object].
func (*Empty) Fields() []Field { return nil }
