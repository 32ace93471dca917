// Command encorets is the built-in provider encore-ts, for Encore.ts applications. It
// runs the installed encore command: "encore secret set" for the configured secrets,
// then "encore run" for development, and "encore build docker" for an image.
//
//	dev:
//	  entrypoint: ./backend          # required: in or under a directory with encore.app
//	  listen: 127.0.0.1:4000         # default
//	  env_from: [.env.local]         # dotenv files, later ones win
//	  secrets:
//	    types: [local]
//	    from_env: [DOMAIN, API_DOMAIN]
//	    required: true               # default
//	  disable_telemetry: true        # default
//	  node_extra_ca_certs: ./ca.pem
//	  ready_timeout: 60s             # default
//	  watch: true                    # default: encore's own, which is true without debug
//	  namespace: feature-x           # default: the active one
//	  level: debug                   # default: encore's own
//	  debug: false                   # or true, or break
//	  browser: never                 # default; or auto, always
//	build:
//	  workdir: ./backend             # default: dev.entrypoint, else the project directory
//	  image_name: api                # default: the name in the reference that is built
//	  docker_tag_suffix: -encore
//	  config: infra-config.json      # or skip_config: true
//	  base: node:22-slim
//	  arch: amd64
//	  push: false
//	  services: [api]                # default: all
//	  gateways: [api-gateway]        # default: all
package main

import (
	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
)

// Provider is the provider encore-ts.
type Provider struct{}

func init() { backend.Register(&Provider{}) }

func main() {}

// ID is the name in the configuration.
func (*Provider) ID() string { return "encore-ts" }

// Describe asks for four commands of encore and no others. Run and build take flags from
// the configuration.
func (*Provider) Describe() abi.Description {
	return abi.Description{
		Version:      "1.0.0",
		ConfigSchema: abi.JSON(schema),
		BuildOptions: []string{abi.OptionPlatforms, abi.OptionLoad, abi.OptionIdentify},
		Capabilities: abi.Capabilities{
			Exec: []abi.ExecAsk{
				{Argv: []string{"encore", "run", "--listen", "*", "--browser", "*", "**"}},
				{Argv: []string{"encore", "secret", "set", "--type", "*", "*"}},
				{Argv: startsDaemon},
				{Argv: []string{"encore", "build", "docker", "*", "**"}},
			},
			Files:        []string{"**/encore.app", "**/.git"},
			Env:          []string{telemetryOff, extraCerts},
			EnvPass:      daemonPlaces,
			EnvSecret:    []string{authKey},
			EnvFrom:      []string{"/dev/secrets/from_env"},
			EnvFilesFrom: []string{"/dev/env_from"},
			ConnectFrom:  []string{"/dev/listen"},
			Connect:      []int{defaultPort},
			Images:       []string{"**"},
			Daemons:      daemons,
		},
	}
}

// The variables that configure encore and its children.
const (
	telemetryOff = "DISABLE_ENCORE_TELEMETRY"
	extraCerts   = "NODE_EXTRA_CA_CERTS"
	authKey      = "ENCORE_AUTH_KEY" // logs in
)

// daemons are the commands that stay: one daemon serves all runs of encore, and runs their
// apps.
var daemons = [][]string{{"encore", "daemon", "-f"}}

// daemonPlaces are the variables by which encore finds its daemon and its login. A
// command without them would start a second daemon, which cannot get the port.
var daemonPlaces = []string{"HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "ENCORE_CONFIG_DIR"}

// Validate checks the configuration for dev and for build.
func (*Provider) Validate(_ backend.Context, opts backend.ValidateOptions) error {
	_, err := parse(opts.Config, (*config).checkDev, (*config).checkBuild)
	return err
}

// run is one call of dev or build, with what its commands share.
type run struct {
	*config
	opts map[string]string // variables of the session
	dir  string            // the directory to run in
	app  string            // the directory of encore.app
}

// variables returns the variables that override all others: they configure encore.
func (r *run) variables() map[string]abi.Value {
	env := r.steering()
	if certs := r.Dev.NodeExtraCACerts; certs != "" {
		env[extraCerts] = abi.Text(relative(r.dir, certs))
	}
	return env
}

// steering returns those that are not of this project. The command that starts the
// daemon gets them too.
func (r *run) steering() map[string]abi.Value {
	env := make(map[string]abi.Value)
	if r.Dev.DisableTelemetry == nil || *r.Dev.DisableTelemetry {
		env[telemetryOff] = abi.Text("1")
	}
	return env
}

// base returns the variables of the session, which all others override.
func (r *run) base() map[string]abi.Value {
	values := make(map[string]abi.Value, len(r.opts))
	for name, text := range r.opts {
		values[name] = abi.Text(text)
	}
	return values
}
