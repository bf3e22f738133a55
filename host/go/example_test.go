package vaultlet_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"vaultlet.dev/go"
)

func Example() {
	v, err := vaultlet.Open()
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()
	secret, err := v.Get(context.Background(), "akv://my-key-vault/hub-token")
	if err != nil {
		log.Fatal(err)
	}
	defer secret.Close()
	fmt.Println(secret.Properties().Name, "=", secret.Reveal())
	// Output: hub-token = a second value
}

func ExampleVaultlet_Get_errors() {
	v, err := vaultlet.Open()
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	_, err = v.Get(ctx, "akv://my-key-vault/another")
	var failed *vaultlet.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		fmt.Println("ten seconds are not enough")
	case errors.Is(err, vaultlet.ErrNotFound):
		fmt.Println("there is none")
	case errors.As(err, &failed):
		fmt.Println(failed.ID, failed.Help)
	}
	// Output: there is none
}

func ExampleVaultlet_GetMany() {
	v, err := vaultlet.Open(vaultlet.WithIdentity("azureml-obo", "managed-identity"))
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()
	secrets, err := v.GetMany(context.Background(), []string{
		"akv://my-key-vault/db-password", "akv://my-key-vault/hub-token",
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, secret := range secrets {
		defer secret.Close()
		fmt.Println(secret.Properties().Name)
	}
	// Output:
	// db-password
	// hub-token
}

func ExampleVaultlet_Whoami() {
	v, err := vaultlet.Open()
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()
	who, err := v.Whoami(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(who.Source, "by", who.Endpoint)
	// Output: managed-identity by azure-ml
}
