package vaultlet_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log"
	"log/slog"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"vaultlet.dev/go"
	"vaultlet.dev/go/internal/local"
)

type holder struct {
	Public  any
	private any
}

// shapes returns what people print: a secret, what contains it, and copies that no linter forbids.
func shapes[T any](secret *T) []any {
	return []any{
		secret, *secret, &secret, []*T{secret}, []T{*secret}, map[string]*T{"a": secret},
		holder{secret, secret}, &holder{*secret, *secret}, struct{ s *T }{secret}, struct{ s T }{*secret},
		fmt.Errorf("with %v", secret),
	}
}

func TestNothingPrintsASecret(t *testing.T) {
	v := local.Open(t)
	secret := get(t, v)
	token, err := v.Token(t.Context(), vaultlet.TokenRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, shape := range append(append(shapes(secret), shapes(token)...), v, &v) {
		var output bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%p", "%T"} {
			fmt.Fprintf(&output, verb+"\n", shape)
		}
		fmt.Fprint(&output, shape)
		log.New(&output, "", 0).Println(shape)
		slog.New(slog.NewTextHandler(&output, nil)).Info("a", "b", shape, "c", slog.AnyValue(shape))
		slog.New(slog.NewJSONHandler(&output, nil)).Info("a", "b", shape, "c", slog.AnyValue(shape))
		dump(&output, reflect.ValueOf(shape), map[uintptr]bool{}, 0)
		encode(&output, shape)
		hides(t, fmt.Sprintf("%T", shape), output.String(), token.Reveal())
	}
	if shown := fmt.Sprintf("%v", secret); !strings.HasPrefix(shown, "Secret(akv://my-key-vault.vault.azure.net/db-password/") {
		t.Error(shown)
	}
	for _, verb := range []string{"%s", "%q", "%x", "%d", "%20s"} {
		if shown := fmt.Sprintf(verb, secret); !strings.HasPrefix(shown, "%!"+verb[len(verb)-1:]+"(Secret(akv://") || !strings.HasSuffix(shown, "use Reveal)") {
			t.Error(verb, shown)
		}
	}
	if shown := fmt.Sprintf("%#v", token); shown != "Token(https://vault.azure.net)" {
		t.Error(shown)
	}
}

// hides fails the test if a text shows a secret as it is, or as the bytes that %x and %d print.
func hides(t *testing.T, what, printed, token string) {
	local.ShowsNone(t, what, printed)
	for _, value := range []string{local.Value, token} {
		for _, form := range []string{"%s", "%x", "%d"} {
			text := strings.Trim(fmt.Sprintf(form, []byte(value)[:8]), "[]")
			if strings.Contains(strings.ToLower(printed), strings.ToLower(text)) {
				t.Errorf("%s shows a secret", what)
			}
		}
	}
}

func encode(into *bytes.Buffer, shape any) {
	fmt.Fprintln(into, json.NewEncoder(into).Encode(shape), xml.NewEncoder(into).Encode(shape))
	// gob does not end for a pointer to a pointer, whatever the type.
	if kind := reflect.TypeOf(shape); kind.Kind() != reflect.Pointer || kind.Elem().Kind() != reflect.Pointer {
		fmt.Fprintln(into, gob.NewEncoder(into).Encode(shape))
	}
}

func TestSerialisingFails(t *testing.T) {
	secret := get(t, local.Open(t))
	defer secret.Close()
	var into bytes.Buffer
	for what, err := range map[string]error{
		"json":   json.NewEncoder(&into).Encode(holder{Public: secret}),
		"a key":  json.NewEncoder(&into).Encode(map[*vaultlet.Secret]int{secret: 1}),
		"xml":    xml.NewEncoder(&into).Encode(secret),
		"gob":    gob.NewEncoder(&into).Encode(secret),
		"binary": func() error { _, err := secret.MarshalBinary(); return err }(),
	} {
		if err == nil || !strings.Contains(err.Error(), "not serialised") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// dump prints everything that reflection reaches, including private fields, as debugging printers do.
func dump(into *bytes.Buffer, value reflect.Value, seen map[uintptr]bool, depth int) {
	if !value.IsValid() || depth > 12 {
		return
	}
	if value.CanAddr() && !value.CanInterface() {
		value = reflect.NewAt(value.Type(), unsafe.Pointer(value.UnsafeAddr())).Elem()
	}
	switch value.Kind() {
	case reflect.Pointer:
		if value.IsNil() || seen[value.Pointer()] {
			return
		}
		seen[value.Pointer()] = true
		dump(into, value.Elem(), seen, depth+1)
	case reflect.Interface:
		dump(into, value.Elem(), seen, depth+1)
	case reflect.Struct:
		for i := range value.NumField() {
			fmt.Fprintf(into, "%s: ", value.Type().Field(i).Name)
			dump(into, value.Field(i), seen, depth+1)
		}
	case reflect.Slice, reflect.Array:
		for i := range value.Len() {
			dump(into, value.Index(i), seen, depth+1)
		}
	case reflect.Map:
		for _, key := range value.MapKeys() {
			dump(into, key, seen, depth+1)
			dump(into, value.MapIndex(key), seen, depth+1)
		}
	default:
		fmt.Fprintf(into, "%v\n", value)
	}
}

// A panic with a secret, or with what contains it, does not show the value, nor does the dump of goroutines.
func TestAPanicDoesNotShowASecret(t *testing.T) {
	if which := os.Getenv("VAULTLET_TEST_CHILD"); which != "" {
		secret := get(t, local.Open(t))
		panic(map[string]any{
			"secret": secret, "copy": *secret, "holder": holder{secret, *secret}, "error": fmt.Errorf("%v", secret),
		}[which])
	}
	for _, which := range []string{"secret", "copy", "holder", "error"} {
		command := exec.Command(os.Args[0], "-test.run", "^TestAPanicDoesNotShowASecret$")
		command.Env = append(os.Environ(), "VAULTLET_TEST_CHILD="+which, "GOTRACEBACK=all")
		output, err := command.CombinedOutput()
		if err == nil || !strings.Contains(string(output), "panic: ") {
			t.Errorf("%s: no panic: %s", which, output)
		}
		local.ShowsNone(t, "the panic with "+which, string(output))
	}
}

func TestAClosedSecretIsNotRevealed(t *testing.T) {
	v := local.Open(t)
	secret := get(t, v)
	v.Close() // a secret outlives its handle
	if secret.Reveal() != local.Value {
		t.Error("another value")
	}
	secret.Close()
	secret.Close()
	if secret.Properties().Name != "db-password" || !strings.Contains(secret.String(), "/db-password/") {
		t.Error(secret)
	}
	defer func() {
		if output := fmt.Sprint(recover()); !strings.Contains(output, "after Close") {
			t.Error(output)
		}
	}()
	t.Error("the secret still has a value", len(secret.Reveal()))
}
