package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
)

func main() {
	credential, err := credential(os.Args[1])
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

func credential(kind string) (azcore.TokenCredential, error) {
	tenant, client := os.Getenv("AZURE_TENANT_ID"), os.Getenv("AZURE_CLIENT_ID")
	switch kind {
	case "client-secret":
		secret := os.Getenv("AZURE_CLIENT_SECRET")
		return azidentity.NewClientSecretCredential(tenant, client, secret, nil)
	case "client-certificate":
		pem, err := os.ReadFile(os.Getenv("AZURE_CLIENT_CERTIFICATE_PATH"))
		if err != nil {
			return nil, err
		}
		certificates, key, err := azidentity.ParseCertificates(pem, nil)
		if err != nil {
			return nil, err
		}
		return azidentity.NewClientCertificateCredential(tenant, client, certificates, key, nil)
	case "workload-identity":
		return azidentity.NewWorkloadIdentityCredential(nil)
	case "managed-identity":
		return azidentity.NewManagedIdentityCredential(nil)
	}
	return nil, fmt.Errorf("unknown kind %q", kind)
}
