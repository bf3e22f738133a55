//go:build !sdk

package main

import (
	"context"
	"log"

	"vaultlet.dev/go"
)

func client() func(string) (string, error) {
	v, err := vaultlet.Open()
	if err != nil {
		log.Fatal(err)
	}
	return func(name string) (string, error) {
		secret, err := v.Get(context.Background(), "akv://bench-kv/"+name)
		if err != nil {
			return "", err
		}
		defer secret.Close()
		return secret.Reveal(), nil
	}
}
