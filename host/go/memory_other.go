//go:build !linux

package vaultlet

import "errors"

func dlopenMemory(string) (uintptr, error) { return 0, errors.ErrUnsupported }
