// Command controlplane runs etcd and the API server of Kubernetes in one process, for tests: what the API
// server accepts, and what admission makes of a Pod, is then what a cluster does. There is no kubelet in it.
package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// Unix sockets in the folder of the test, which is the current one: nobody else reaches them. etcd wants a port in
// their names.
const client, peer = "unix://client:0", "unix://peer:0"

func main() {
	if err := etcd(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "etcd:", err)
		os.Exit(1)
	}
	command := app.NewAPIServerCommand()
	command.SetArgs(append([]string{"--etcd-servers=" + client}, os.Args[2:]...))
	os.Exit(cli.Run(command))
}

func etcd(folder string) error {
	if err := os.Chdir(folder); err != nil {
		return err
	}
	config := embed.NewConfig()
	config.Dir = "etcd"
	config.LogLevel = "error"
	config.UnsafeNoFsync = true
	for place, urls := range map[string][]*[]url.URL{
		client: {&config.ListenClientUrls, &config.AdvertiseClientUrls},
		peer:   {&config.ListenPeerUrls, &config.AdvertisePeerUrls},
	} {
		parsed, err := url.Parse(place)
		if err != nil {
			return err
		}
		for _, one := range urls {
			*one = []url.URL{*parsed}
		}
	}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	server, err := embed.StartEtcd(config)
	if err != nil {
		return err
	}
	select {
	case <-server.Server.ReadyNotify():
		return nil
	case <-time.After(time.Minute):
		return errors.New("it is not ready")
	}
}
