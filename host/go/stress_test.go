package vaultlet_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"vaultlet.dev/go"
	"vaultlet.dev/go/internal/local"
)

// times returns the first number, or the second with VAULTLET_TEST_FULL=1.
func times(some, full int) int {
	if os.Getenv("VAULTLET_TEST_FULL") == "1" {
		return full
	}
	return some
}

// A third of the calls is cancelled or has a very short deadline.
func TestManyGoroutinesShareAHandle(t *testing.T) {
	v := local.Open(t)
	var wait sync.WaitGroup
	for worker := range 16 {
		random := rand.New(rand.NewPCG(1, uint64(worker)))
		wait.Go(func() {
			for range times(100, 1000) {
				ctx, cancel := context.WithCancel(t.Context())
				switch random.IntN(6) {
				case 0:
					go cancel()
				case 1:
					limit := time.Duration(random.IntN(3000)) * time.Microsecond
					ctx, cancel = context.WithTimeout(t.Context(), limit)
				}
				one(ctx, t, v, random.IntN(4))
				cancel()
			}
		})
	}
	wait.Wait()
	get(t, v).Close()
}

func one(ctx context.Context, t *testing.T, v *vaultlet.Vaultlet, which int) {
	var err error
	var value string
	switch which {
	case 0, 1:
		var secret *vaultlet.Secret
		if secret, err = v.Get(ctx, local.Reference); err == nil {
			value = secret.Reveal()
			secret.Close()
		}
	case 2:
		var secrets []*vaultlet.Secret
		if secrets, err = v.GetMany(ctx, []string{local.Reference, local.Reference}); err == nil {
			value = secrets[1].Reveal() // neither is closed
		}
	case 3:
		_, err = v.Token(ctx, vaultlet.TokenRequest{})
		value = local.Value
	}
	switch {
	case err == nil && value != local.Value:
		t.Error("another value")
	case err != nil && (ctx.Err() == nil && !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, vaultlet.ErrTimeout)):
		t.Error(err)
	case err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
		t.Error(err)
	}
}

// Handles that are opened, used and closed leave no memory, thread or file behind.
func TestClosedHandlesLeaveNothingBehind(t *testing.T) {
	cycle := func(i int) {
		v, err := vaultlet.Open(vaultlet.WithConcurrency(1))
		if err != nil {
			t.Fatal(err)
		}
		if i%10 == 0 {
			get(t, v).Close()
		}
		v.Close()
	}
	cycles := times(300, 10_000)
	for i := range cycles / 3 {
		cycle(i)
	}
	before := measure(t)
	for i := range cycles {
		cycle(i)
	}
	after := measure(t)
	t.Logf("%d cycles: %+v, then %+v", cycles, before, after)
	if grown := after.kilobytes - before.kilobytes; grown > 8*1024 {
		t.Errorf("%d KiB more after %d cycles", grown, cycles)
	}
	if after.threads > before.threads+4 || after.files > before.files+4 {
		t.Errorf("%+v, then %+v", before, after)
	}
}

type usage struct{ kilobytes, threads, files int }

// measure returns what the process uses after a garbage collection.
func measure(t *testing.T) usage {
	runtime.GC()
	runtime.GC()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("this system does not say how much memory it uses")
	}
	number := func(name string) int {
		_, rest, _ := bytes.Cut(status, []byte("\n"+name+":"))
		number, err := strconv.Atoi(string(bytes.Fields(rest)[0]))
		if err != nil {
			t.Fatal(name, err)
		}
		return number
	}
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return usage{number("VmRSS"), number("Threads"), len(files)}
}
