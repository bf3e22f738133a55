package vaultlet

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

// dlopenMemory opens a library by a file that is in memory only, so that it needs no folder that can
// be written and executed from.
func dlopenMemory(image string) (uintptr, error) {
	// The package syscall is older than these.
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
	// Left open: the loader takes a path that it knows for a library that it has, so the number must
	// never be another file's.
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

// Kept from its finalizer, which would close it.
var memory *os.File
