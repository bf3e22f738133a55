package vaultlet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/ebitengine/purego"

	"vaultlet.dev/go/internal/bundled"
)

// The libraries that are loaded, by the path that was asked for. They are never unloaded: threads of
// theirs run on.
var loaded = struct {
	sync.Mutex
	libraries map[string]*library
}{libraries: map[string]*library{}}

// load loads a library, or finds it.
func load(path string) (*library, error) {
	loaded.Lock()
	defer loaded.Unlock()
	if path == "" {
		path = os.Getenv("VAULTLET_LIBRARY")
	}
	if l := loaded.libraries[path]; l != nil {
		return l, nil
	}
	handle, origin, err := open(path)
	if err != nil {
		return nil, missing(err.Error())
	}
	l := new(library)
	for name, address := range l.symbols() {
		if *address, err = purego.Dlsym(handle, "vaultlet_"+name); err != nil {
			return nil, missing(fmt.Sprintf("`%s` has no `vaultlet_%s`", origin, name))
		}
	}
	if of := uint32(call(l.abi)); of != abi {
		return nil, &Error{
			Kind: ErrConfiguration, ID: "abi-mismatch",
			Message: fmt.Sprintf("loading the library: `%s` has version %d of the interface, this module wants %d", origin, of, abi),
			Help:    "use a library and a module of the same release",
		}
	}
	loaded.libraries[path] = l
	return l, nil
}

// open opens it where it is, or at the first of the places where it can be.
func open(path string) (handle uintptr, origin string, err error) {
	if path != "" {
		handle, err = dlopen(path)
		return handle, path, err
	}
	if inside := bundled.Library(); inside != "" {
		handle, err = dlopenText(inside)
		return handle, "the library inside the program", err
	}
	var tried []error
	for _, path := range places() {
		if handle, err = dlopen(path); err == nil {
			return handle, path, nil
		}
		tried = append(tried, err)
	}
	return 0, "", errors.Join(tried...)
}

func dlopen(path string) (uintptr, error) {
	return purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
}

// places are beside the program, then where the system looks.
func places() []string {
	// The second is there where the system has what is needed to compile, too.
	names := []string{"libvaultlet.so.1", "libvaultlet.so"}
	program, err := os.Executable()
	if err != nil {
		return names
	}
	// Where everybody may write, as in /tmp, anybody's file may lie.
	folder, err := os.Stat(filepath.Dir(program))
	if err != nil || folder.Mode().Perm()&0o002 != 0 {
		return names
	}
	places := names
	for _, name := range names {
		beside := filepath.Join(filepath.Dir(program), name)
		if _, err := os.Stat(beside); err == nil {
			places = append([]string{beside}, places...)
		}
	}
	return places
}

// dlopenText opens a library that is here and in no file.
func dlopenText(image string) (uintptr, error) {
	if handle, err := dlopenMemory(image); err == nil {
		return handle, nil
	}
	folder, err := os.MkdirTemp("", "vaultlet-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	path := filepath.Join(folder, "libvaultlet.so")
	if err := os.WriteFile(path, []byte(image), 0o500); err != nil {
		return 0, err
	}
	return dlopen(path)
}

func missing(what string) *Error {
	return &Error{
		Kind: ErrConfiguration, ID: "library-missing",
		Message: "loading the library: " + strings.ReplaceAll(what, "\n", "; "),
		Help:    "name `libvaultlet.so` by `VAULTLET_LIBRARY`, or use a released module, which has it inside",
	}
}
