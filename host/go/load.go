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

// loaded has the libraries by the requested path. They are never unloaded, because their threads
// continue to run.
var loaded = struct {
	sync.Mutex
	libraries map[string]*library
}{libraries: map[string]*library{}}

// load returns the library at a path, or the first one found if the path is empty.
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
	if found := uint32(call(l.abi)); found != abi {
		return nil, &Error{
			Kind: ErrConfiguration, ID: "abi-mismatch",
			Message: fmt.Sprintf("loading the library: `%s` has version %d of the interface, this module wants %d", origin, found, abi),
			Help:    "use a library and a module of the same release",
		}
	}
	loaded.libraries[path] = l
	return l, nil
}

// open opens the library at a path; if that is empty, in the program, or at the first place that has it.
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

// places returns the paths and names to try: in the folder of the program, then where the system looks.
func places() []string {
	// The name without a version exists only where the files for compiling are installed, too.
	names := []string{"libvaultlet.so.1", "libvaultlet.so"}
	program, err := os.Executable()
	if err != nil {
		return names
	}
	// In a folder that everybody may write to, such as /tmp, any user may have put a library.
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

// dlopenText opens a library whose bytes are in memory, not in a file.
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
