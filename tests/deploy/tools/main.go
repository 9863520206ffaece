// Checks of the chart: the parts of Helm and of kubeconform that need no cluster. The whole of Helm contains kubectl.
//
//	chart lint <chart> <values file> <version of Kubernetes>.
//	chart template <chart> <values file> <version of Kubernetes>.
//	chart validate <template of the paths of schemas>: the objects are on standard input.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/yannh/kubeconform/pkg/validator"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	"helm.sh/helm/v3/pkg/releaseutil"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 2 && args[0] == "validate" {
		return validate(args[1])
	}
	if len(args) != 4 {
		return errors.New("wrong arguments: see main.go")
	}
	values, err := chartutil.ReadValuesFile(args[2])
	if err != nil {
		return err
	}
	version, err := chartutil.ParseKubeVersion(args[3])
	if err != nil {
		return err
	}
	switch args[0] {
	case "lint":
		return lintChart(args[1], values, version)
	case "template":
		return template(args[1], values, version)
	}
	return fmt.Errorf("unknown command %s", args[0])
}

// As `helm lint --strict`.
func lintChart(folder string, values chartutil.Values, version *chartutil.KubeVersion) error {
	var found error
	for _, message := range lint.AllWithKubeVersion(folder, values, "hubbub", version).Messages {
		if message.Severity >= support.WarningSev {
			found = errors.Join(found, message)
		}
	}
	return found
}

// As `helm template hubbub <chart> --namespace hubbub`.
func template(folder string, values chartutil.Values, version *chartutil.KubeVersion) error {
	chart, err := loader.Load(folder)
	if err != nil {
		return err
	}
	if required := chart.Metadata.KubeVersion; required != "" && !chartutil.IsCompatibleRange(required, version.Version) {
		return fmt.Errorf("the chart requires Kubernetes %s", required)
	}
	capabilities := chartutil.DefaultCapabilities.Copy()
	capabilities.KubeVersion = *version
	release := chartutil.ReleaseOptions{Name: "hubbub", Namespace: "hubbub", Revision: 1, IsInstall: true}
	rendered, err := chartutil.ToRenderValues(chart, values, release, capabilities)
	if err != nil {
		return err
	}
	files, err := engine.Render(chart, rendered)
	if err != nil {
		return err
	}
	_, manifests, err := releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	if err != nil {
		return err
	}
	for _, manifest := range manifests {
		fmt.Printf("---\n# Source: %s\n%s\n", manifest.Name, manifest.Content)
	}
	return nil
}

// As `kubeconform -strict`: prints one line for each problem.
func validate(location string) error {
	schemas, err := validator.New([]string{location}, validator.Opts{Strict: true})
	if err != nil {
		return err
	}
	for _, result := range schemas.Validate("stdin", os.Stdin) {
		if result.Err != nil {
			signature, _ := result.Resource.Signature()
			fmt.Printf("%s %s: %v\n", signature.Kind, signature.Name, result.Err)
		}
	}
	return nil
}
