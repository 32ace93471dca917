package cli

import (
	_ "embed"
)

// completionCmd prints a script for a shell. The scripts know only how to ask
// [app.complete], which answers in each shell in the same way.
type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish,powershell" help:"bash, zsh, fish or powershell."`
}

func (completionCmd) Help() string {
	return `Prints a script that completes commands, flags, provider IDs, operations and files.

Examples:
  source <(stagecraft completion bash)
  stagecraft completion zsh >"${fpath[1]}/_stagecraft"
  stagecraft completion fish >~/.config/fish/completions/stagecraft.fish
  stagecraft completion powershell | Out-String | Invoke-Expression`
}

var (
	//go:embed shells/stagecraft.bash
	bashScript string
	//go:embed shells/stagecraft.zsh
	zshScript string
	//go:embed shells/stagecraft.fish
	fishScript string
	//go:embed shells/stagecraft.ps1
	powerShellScript string
)

// Run is called by kong.
func (c completionCmd) Run(a *app) error {
	return a.printer.result(map[string]string{
		"bash": bashScript, "zsh": zshScript, "fish": fishScript, "powershell": powerShellScript,
	}[c.Shell])
}
