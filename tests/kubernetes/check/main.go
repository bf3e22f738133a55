// Command check reads manifests as a cluster would: each object strictly by the types of Kubernetes, those of a custom
// resource by the schema in its definition, where an unknown field is an error, too.
//
//	check CRDS FOLDER…
//
// CRDS is a file with custom resource definitions, FOLDER one that `kubectl apply -k` takes, or a file. It prints each
// object as a line of JSON.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// checker has the schemas of the custom resources.
type checker struct {
	schemas map[schema.GroupVersionKind]*apiextensions.CustomResourceValidation
	strict  runtime.Decoder
	lines   []string
}

func main() {
	if len(os.Args) < 3 {
		fail(errors.New("check CRDS FOLDER…"))
	}
	c := checker{schemas: map[schema.GroupVersionKind]*apiextensions.CustomResourceValidation{}}
	c.strict = json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, json.SerializerOptions{Yaml: true, Strict: true})
	definitions, err := os.ReadFile(os.Args[1])
	fail(err)
	for _, definition := range documents(definitions) {
		fail(c.define(definition))
	}
	var wrong []error
	for _, path := range os.Args[2:] {
		text, err := read(path)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", path, err))
			continue
		}
		for _, document := range documents(text) {
			if err := c.check(document); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", path, err))
			}
		}
	}
	fail(errors.Join(wrong...))
	fmt.Println(strings.Join(c.lines, "\n"))
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// read makes the text of a file, or of a folder as `kubectl kustomize` does.
func read(path string) ([]byte, error) {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return os.ReadFile(path)
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Clean(path))
	if err != nil {
		return nil, err
	}
	return built.AsYaml()
}

func documents(text []byte) [][]byte {
	var all [][]byte
	reader := utilyaml.NewDocumentDecoder(io.NopCloser(strings.NewReader(string(text))))
	defer reader.Close()
	buffer := make([]byte, len(text)+1)
	for {
		read, err := reader.Read(buffer)
		if err != nil {
			return all
		}
		if document := string(buffer[:read]); strings.Contains(document, "apiVersion:") {
			all = append(all, []byte(document))
		}
	}
}

func (c *checker) define(text []byte) error {
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(text, &definition); err != nil {
		return err
	}
	for _, version := range definition.Spec.Versions {
		var internal apiextensions.CustomResourceValidation
		if err := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation(version.Schema, &internal, nil); err != nil {
			return err
		}
		kind := schema.GroupVersionKind{Group: definition.Spec.Group, Version: version.Name, Kind: definition.Spec.Names.Kind}
		c.schemas[kind] = &internal
	}
	return nil
}

func (c *checker) check(text []byte) error {
	var object unstructured.Unstructured
	if err := yaml.UnmarshalStrict(text, &object.Object); err != nil {
		return err
	}
	kind := object.GroupVersionKind()
	name := fmt.Sprintf("%s %s", kind.Kind, object.GetName())
	line, err := object.MarshalJSON()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	c.lines = append(c.lines, strings.TrimSpace(string(line)))
	custom, ok := c.schemas[kind]
	if !ok {
		if _, _, err := c.strict.Decode(text, nil, nil); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	structural, err := structuralschema.NewStructural(custom.OpenAPIV3Schema)
	if err != nil {
		return err
	}
	validator, _, err := validation.NewSchemaValidator(custom.OpenAPIV3Schema)
	if err != nil {
		return err
	}
	if wrong := validation.ValidateCustomResource(nil, object.Object, validator); len(wrong) > 0 {
		return fmt.Errorf("%s: %w", name, wrong.ToAggregate())
	}
	options := structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}
	if unknown := pruning.PruneWithOptions(object.Object, structural, true, options); len(unknown) > 0 {
		return fmt.Errorf("%s: unknown fields: %s", name, strings.Join(unknown, ", "))
	}
	return nil
}
