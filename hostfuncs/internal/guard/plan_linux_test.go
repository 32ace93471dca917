package guard

import (
	"reflect"
	"testing"
)

func TestPlan(t *testing.T) {
	for _, want := range []Plan{
		{Program: "/bin/sh", Dir: "/", Argv: []string{"sh"}, Env: []string{}, Daemons: []Daemon{}},
		{
			Program: "/x", Dir: "/", Argv: []string{"x"}, Env: []string{}, OpenFiles: 1, Processes: 2, Daemons: []Daemon{},
			Is: Identity{1, 2, 3, 4, 1<<64 - 1}, How: ByOpenFile, Opened: true, Terminal: true,
			Restrict: &Restrictions{Hide: true, Ruleset: true, Capabilities: true, Keep: 1 << 63, NoNewPrivs: true, Filter: "\x00\xff", Flags: 8, Optional: true},
		},
		{
			Program: "/a b", Dir: "/\xff", Group: 17, Argv: []string{"", "-c", "\xfe\n"}, Env: []string{"A=", "=C"},
			Daemons: []Daemon{{Program: "/x", Args: []string{}}, {Program: "/y", Args: []string{"daemon", ""}}},
		},
	} {
		data := want.Encode()
		got, err := DecodePlan(data[4:])
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v", got, err)
		}
		for n := range len(data) - 4 {
			if _, err := DecodePlan(data[4 : 4+n]); err == nil {
				t.Errorf("%d bytes of %d are taken for all", n, len(data)-4)
			}
		}
	}
}

// FuzzPlan: no bytes make a guard panic.
func FuzzPlan(f *testing.F) {
	f.Add(Plan{Program: "/bin/sh", Dir: "/", Argv: []string{"sh"}, Daemons: []Daemon{{Program: "/x"}}}.Encode()[4:])
	f.Add(Plan{Argv: []string{"sh"}, Restrict: &Restrictions{Filter: "x"}}.Encode()[4:])
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := DecodePlan(data)
		if err != nil {
			return
		}
		again, err := DecodePlan(p.Encode()[4:])
		if err != nil || !reflect.DeepEqual(again, p) {
			t.Errorf("%+v became %+v, %v", p, again, err)
		}
	})
}
