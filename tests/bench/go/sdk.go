//go:build sdk

package main

import (
	"context"
	"log"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
)

func client() func(string) (string, error) {
	credential, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		log.Fatal(err)
	}
	client, err := azsecrets.NewClient("https://bench-kv.vault.azure.net/", credential, nil)
	if err != nil {
		log.Fatal(err)
	}
	return func(name string) (string, error) {
		secret, err := client.GetSecret(context.Background(), name, "", nil)
		if err != nil {
			return "", err
		}
		return *secret.Value, nil
	}
}
