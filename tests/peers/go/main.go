package main

import (
	"context"
	"fmt"
	"log"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
)

func main() {
	credential, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		log.Fatal(err)
	}
	client, err := azsecrets.NewClient("https://my-key-vault.vault.azure.net/", credential, nil)
	if err != nil {
		log.Fatal(err)
	}
	secret, err := client.GetSecret(context.Background(), "secret-name", "", nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(*secret.Value)
}
