package vaultlet

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

// dlopenMemory opens a library through a file in memory (memfd_create), so that no folder is needed
// that can be both written to and executed from.
func dlopenMemory(image string) (uintptr, error) {
	// memfd_create is not in package syscall.
	number, known := map[string]uintptr{"amd64": 319, "arm64": 279}[runtime.GOARCH]
	if !known {
		return 0, errors.ErrUnsupported
	}
	const closeOnExec = 1
	name := []byte("vaultlet\x00")
	fd, _, errno := syscall.Syscall(number, uintptr(unsafe.Pointer(&name[0])), closeOnExec, 0)
	if errno != 0 {
		return 0, errno
	}
	// The file stays open: the loader recognises a loaded library by its path, so that the number of
	// the descriptor must never become that of another file.
	file := os.NewFile(fd, "vaultlet")
	if _, err := file.WriteString(image); err != nil {
		return 0, errors.Join(err, file.Close())
	}
	handle, err := dlopen(fmt.Sprintf("/proc/self/fd/%d", fd))
	if err != nil {
		return 0, errors.Join(err, file.Close())
	}
	memory = file
	return handle, nil
}

// memory keeps the file reachable; its finalizer would close it.
var memory *os.File
