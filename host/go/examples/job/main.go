package main

import (
	"context"
	"fmt"
	"log"

	"vaultlet.dev/go"
)

func main() {
	v, err := vaultlet.Open()
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()
	secret, err := v.Get(context.Background(), "akv://my-key-vault/db-password")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(secret.Reveal())
}
