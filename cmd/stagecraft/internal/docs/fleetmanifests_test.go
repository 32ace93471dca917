package docs_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// manifest is the part of Kubernetes' objects that examples/fleet uses, see
// https://kubernetes.io/docs/reference/kubernetes-api/. Unknown fields are errors.
type manifest struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Metadata   metadata          `json:"metadata"`
	Data       map[string]string `json:"data"`
	Spec       struct {
		// In a Service the labels themselves, elsewhere a labelSelector.
		Selector        json.RawMessage `json:"selector"`
		SessionAffinity string          `json:"sessionAffinity"`
		Ports           []servicePort   `json:"ports"`

		ServiceName           string       `json:"serviceName"`
		PodManagementPolicy   string       `json:"podManagementPolicy"`
		Replicas              int          `json:"replicas"`
		Strategy              any          `json:"strategy"`
		BackoffLimit          *int         `json:"backoffLimit"`
		ActiveDeadlineSeconds int          `json:"activeDeadlineSeconds"`
		Template              *podTemplate `json:"template"`
		VolumeClaimTemplates  []struct {
			Metadata metadata `json:"metadata"`
			Spec     any      `json:"spec"`
		} `json:"volumeClaimTemplates"`

		AccessModes []string `json:"accessModes"`
		Resources   any      `json:"resources"`

		PodSelector labelSelector `json:"podSelector"`
		PolicyTypes []string      `json:"policyTypes"`
		Ingress     []struct {
			From  []peer       `json:"from"`
			Ports []policyPort `json:"ports"`
		} `json:"ingress"`
		Egress []struct {
			To    []peer       `json:"to"`
			Ports []policyPort `json:"ports"`
		} `json:"egress"`
	} `json:"spec"`
}

type metadata struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace"`
	Labels    map[string]string `json:"labels"`
}

type labelSelector struct {
	MatchLabels map[string]string `json:"matchLabels"`
}

type servicePort struct {
	Name       string `json:"name"`
	Port       int    `json:"port"`
	TargetPort string `json:"targetPort"`
}

type peer struct {
	PodSelector, NamespaceSelector *labelSelector
	IPBlock                        any
}

type policyPort struct {
	Port     int    `json:"port"`
	Protocol string `json:"protocol"`
}

type podTemplate struct {
	Metadata metadata `json:"metadata"`
	Spec     struct {
		AutomountServiceAccountToken  *bool       `json:"automountServiceAccountToken"`
		TerminationGracePeriodSeconds int         `json:"terminationGracePeriodSeconds"`
		RestartPolicy                 string      `json:"restartPolicy"`
		SecurityContext               any         `json:"securityContext"`
		Containers                    []container `json:"containers"`
		Volumes                       []struct {
			Name                  string
			Secret                *struct{ SecretName string }
			ConfigMap             *struct{ Name string }
			PersistentVolumeClaim *struct{ ClaimName string }
		} `json:"volumes"`
	} `json:"spec"`
}

type container struct {
	Name, Image, WorkingDir string
	Command, Args           []string
	Env                     []struct{ Name, Value string }
	SecurityContext         map[string]any
	Ports                   []struct {
		Name          string
		ContainerPort int
	}
	ReadinessProbe, LivenessProbe any
	Resources                     struct{ Requests, Limits map[string]string }
	VolumeMounts                  []struct {
		Name, MountPath string
		ReadOnly        bool
	}
}

var manifestKinds = map[string]string{
	"ConfigMap": "v1", "Service": "v1", "PersistentVolumeClaim": "v1", "StatefulSet": "apps/v1", "Deployment": "apps/v1",
	"Job": "batch/v1", "NetworkPolicy": "networking.k8s.io/v1",
}

// fleet is the manifests of examples/fleet, and the objects that their comments
// create first, as kind/namespace/name.
type fleet struct {
	objects []manifest
	known   map[string]bool
}

var created = regexp.MustCompile(`kubectl create (secret generic|configmap) (\S+) --namespace (\S+)`)

func readFleet(t *testing.T, files ...string) fleet {
	t.Helper()
	f := fleet{known: make(map[string]bool)}
	ceiling := document(t, "examples/fleet/ceiling.yml")
	for _, file := range files {
		text := document(t, "examples/fleet/"+file)
		for _, m := range created.FindAllStringSubmatch(text+ceiling, -1) {
			kind := map[string]string{"secret generic": "Secret", "configmap": "ConfigMap"}[m[1]]
			f.known[path.Join(kind, m[3], m[2])] = true
		}
		for part := range strings.SplitSeq(text, "\n---\n") {
			node, err := yamldoc.Parse(file, []byte(part))
			if err != nil {
				t.Fatal(err)
			}
			var m manifest
			d := json.NewDecoder(bytes.NewReader(node.JSON()))
			d.DisallowUnknownFields()
			if err := d.Decode(&m); err != nil {
				t.Fatalf("%s: %s %s: %v", file, m.Kind, m.Metadata.Name, err)
			}
			at := path.Join(m.Kind, m.Metadata.Namespace, m.Metadata.Name)
			if m.APIVersion != manifestKinds[m.Kind] || m.APIVersion == "" || m.Metadata.Namespace == "" || f.known[at] {
				t.Errorf("%s: %s of %q: unexpected version, missing namespace, or duplicate", file, at, m.APIVersion)
			}
			f.known[at] = true
			f.objects = append(f.objects, m)
		}
	}
	return f
}

// pods returns the pod templates in a namespace that have all these labels.
func (f fleet) pods(namespace string, labels map[string]string) []*podTemplate {
	var found []*podTemplate
	for _, m := range f.objects {
		if p := m.Spec.Template; p != nil && m.Metadata.Namespace == namespace && has(p.Metadata.Labels, labels) {
			found = append(found, p)
		}
	}
	return found
}

func has(all, some map[string]string) bool {
	for name, value := range some {
		if all[name] != value {
			return false
		}
	}
	return len(some) > 0
}

// TestFleetManifests checks that the manifests of examples/fleet match: every name
// exists, with its ports, keys and labels.
func TestFleetManifests(t *testing.T) {
	for _, daemon := range []string{"buildkitd.yaml", "buildkitd-rootless.yaml"} {
		files := []string{daemon, "registry.yaml", "networkpolicy.yaml", "job.yaml"}
		if daemon == "buildkitd-rootless.yaml" {
			files = append(files, "buildkitd.yaml")
		}
		t.Run(daemon, func(t *testing.T) {
			if len(files) > 4 {
				// It replaces the StatefulSet there.
				rootless := readFleet(t, daemon).objects[0]
				whole := readFleet(t, files[1:]...)
				for i, m := range whole.objects {
					if m.Kind == rootless.Kind {
						whole.objects[i] = rootless
					}
				}
				whole.check(t)
				return
			}
			readFleet(t, files...).check(t)
		})
	}
}

func (f fleet) check(t *testing.T) {
	t.Helper()
	for _, m := range f.objects {
		at := m.Kind + " " + m.Metadata.Name
		switch {
		case m.Kind == "Service":
			f.checkService(t, at, m)
		case m.Kind == "NetworkPolicy":
			f.checkPolicy(t, at, m)
		case m.Spec.Template != nil:
			f.checkPods(t, at, m)
		}
	}
}

func (f fleet) checkService(t *testing.T, at string, m manifest) {
	t.Helper()
	var selector map[string]string
	if err := json.Unmarshal(m.Spec.Selector, &selector); err != nil {
		t.Fatalf("%s: %v", at, err)
	}
	pods := f.pods(m.Metadata.Namespace, selector)
	if len(pods) != 1 || len(m.Spec.Ports) != 1 {
		t.Fatalf("%s: selects %d, has %d ports", at, len(pods), len(m.Spec.Ports))
	}
	port := pods[0].Spec.Containers[0].Ports[0]
	if want := m.Spec.Ports[0]; port.Name != want.TargetPort || port.ContainerPort != want.Port {
		t.Errorf("%s: port %+v, the pod has %+v", at, want, port)
	}
}

func (f fleet) checkPolicy(t *testing.T, at string, m manifest) {
	t.Helper()
	pods := f.pods(m.Metadata.Namespace, m.Spec.PodSelector.MatchLabels)
	if len(pods) != 1 || !slices.Equal(m.Spec.PolicyTypes, []string{"Ingress", "Egress"}) {
		t.Fatalf("%s: selects %d pods, for %v", at, len(pods), m.Spec.PolicyTypes)
	}
	for _, in := range m.Spec.Ingress {
		if len(in.From) == 0 || in.Ports[0].Port != pods[0].Spec.Containers[0].Ports[0].ContainerPort {
			t.Errorf("%s: ingress %+v", at, in)
		}
	}
	for _, out := range m.Spec.Egress {
		for _, to := range out.To {
			if to.PodSelector == nil {
				continue
			}
			if p := f.pods(m.Metadata.Namespace, to.PodSelector.MatchLabels); len(p) != 1 || p[0].Spec.Containers[0].Ports[0].ContainerPort != out.Ports[0].Port {
				t.Errorf("%s: egress %+v", at, to.PodSelector)
			}
		}
	}
}

func (f fleet) checkPods(t *testing.T, at string, m manifest) {
	t.Helper()
	pod := m.Spec.Template
	var selector labelSelector
	if m.Kind != "Job" {
		if err := json.Unmarshal(m.Spec.Selector, &selector); err != nil || !has(pod.Metadata.Labels, selector.MatchLabels) {
			t.Errorf("%s: selects %v, its pods are %v (%v)", at, selector, pod.Metadata.Labels, err)
		}
	}
	if m.Kind == "StatefulSet" && !f.known[path.Join("Service", m.Metadata.Namespace, m.Spec.ServiceName)] {
		t.Errorf("%s: there is no service %s", at, m.Spec.ServiceName)
	}
	volumes := map[string]string{}
	for _, v := range m.Spec.VolumeClaimTemplates {
		volumes[v.Metadata.Name] = ""
	}
	for _, v := range pod.Spec.Volumes {
		var of string
		switch {
		case v.Secret != nil:
			of = path.Join("Secret", m.Metadata.Namespace, v.Secret.SecretName)
		case v.ConfigMap != nil:
			of = path.Join("ConfigMap", m.Metadata.Namespace, v.ConfigMap.Name)
		case v.PersistentVolumeClaim != nil:
			of = path.Join("PersistentVolumeClaim", m.Metadata.Namespace, v.PersistentVolumeClaim.ClaimName)
		}
		if !f.known[of] {
			t.Errorf("%s: volume %s is of %q, which nothing makes", at, v.Name, of)
		}
		volumes[v.Name] = of
	}
	for _, c := range pod.Spec.Containers {
		if _, tag, ok := strings.Cut(path.Base(c.Image), ":"); !ok || tag == "latest" || c.Resources.Limits["memory"] == "" || c.Resources.Requests["cpu"] == "" {
			t.Errorf("%s: image %s, resources %v", at, c.Image, c.Resources)
		}
		mounted := map[string]bool{}
		for _, mount := range c.VolumeMounts {
			if _, ok := volumes[mount.Name]; !ok {
				t.Errorf("%s: mounts %s, which is no volume", at, mount.Name)
			}
			mounted[mount.MountPath], volumes[mount.Name] = true, "mounted"
		}
		for _, file := range regexp.MustCompile(`=(/certs|/etc|/policies)/([a-z.]+)`).FindAllStringSubmatch(strings.Join(c.Args, " "), -1) {
			if file[1] == "/certs" && (!mounted["/certs"] || !slices.Contains(certFiles, file[2])) {
				t.Errorf("%s: there is no %s", at, file[0])
			}
		}
	}
	for name, of := range maps.All(volumes) {
		if of != "mounted" {
			t.Errorf("%s: volume %s is mounted nowhere", at, name)
		}
	}
}

// certFiles are the files of a certificate directory.
var certFiles = []string{"ca.pem", "cert.pem", "key.pem"}

// TestFleetAddresses requires one address of the daemons and one of the registry
// in all files, and that the ceiling's tests pass.
func TestFleetAddresses(t *testing.T) {
	const daemons, registry = "buildkit+tcp://buildkitd.builds.svc:1234", "registry.builds.svc:5000"
	for file, want := range map[string][]string{
		"job.yaml": {"--engine=" + daemons + "\n"}, "ceiling.yml": {`["` + daemons + `"]`, registry + "/cache/*"},
		"buildkitd.yaml": {`[registry."` + registry + `"]`, "./certs.sh certs buildkitd.builds.svc\n"},
	} {
		wantWords(t, file, document(t, "examples/fleet/"+file), want)
	}
	w := clitest.NewWorkspace(t, "")
	out := w.Want(t, 0, "policy", "test", filepath.Join(clitest.Root(), "examples/fleet/ceiling.test.yml"))
	if !strings.HasSuffix(out, "cases passed\n") {
		t.Error(out)
	}
	w.Want(t, 0, "policy", "check", filepath.Join(clitest.Root(), "examples/fleet/ceiling.yml"))
}

// TestDocumentOfFleet requires that docs/scale.md quotes files exactly.
func TestDocumentOfFleet(t *testing.T) {
	shown := 0
	for _, b := range docBlocks("docs/scale.md", document(t, "docs/scale.md")) {
		if file, ok := strings.CutPrefix(b.args, "it is of "); b.kind == "shown" && ok {
			shown++
			wantWords(t, file, document(t, file), []string{b.text})
		}
	}
	if shown < 3 {
		t.Errorf("it shows %d files", shown)
	}
}
