// Many clients of the machine's identity endpoint at once, each on a thread of its own and with a connection of its
// own. It prints the longest time that a client waited for a token, in milliseconds.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

func main() {
	count, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var group sync.WaitGroup
	begin := make(chan struct{})
	waits := make([]time.Duration, count)
	for at := range count {
		group.Add(1)
		go func() {
			defer group.Done()
			runtime.LockOSThread()
			client := azcore.ClientOptions{Transport: &http.Client{Transport: &http.Transport{}}}
			options := azidentity.ManagedIdentityCredentialOptions{ClientOptions: client}
			credential, err := azidentity.NewManagedIdentityCredential(&options)
			if err != nil {
				log.Fatal(err)
			}
			<-begin
			asked := time.Now()
			request := policy.TokenRequestOptions{Scopes: []string{"https://vault.azure.net/.default"}}
			if _, err := credential.GetToken(context.Background(), request); err != nil {
				log.Fatal(err)
			}
			waits[at] = time.Since(asked)
		}()
	}
	close(begin)
	group.Wait()
	longest := time.Duration(0)
	for _, wait := range waits {
		longest = max(longest, wait)
	}
	fmt.Println(longest.Milliseconds())
}
