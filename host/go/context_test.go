package vaultlet_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"

	"vaultlet.dev/go"
	"vaultlet.dev/go/internal/local"
)

// silent returns a handle whose identity endpoint never responds, and a channel that reports each request.
func silent(t *testing.T) (*vaultlet.Vaultlet, <-chan struct{}) {
	requested := make(chan struct{}, 16)
	end := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		requested <- struct{}{}
		<-end
	}))
	t.Cleanup(func() { close(end); server.Close() })
	variables := maps.Clone(local.Job.Env)
	variables["MSI_ENDPOINT"] = server.URL + "/msi/token"
	return local.Open(t, vaultlet.WithVariables(variables)), requested
}

func calls(v *vaultlet.Vaultlet) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"get":   func(ctx context.Context) error { _, err := v.Get(ctx, local.Reference); return err },
		"many":  func(ctx context.Context) error { _, err := v.GetMany(ctx, []string{local.Reference}); return err },
		"token": func(ctx context.Context) error { _, err := v.Token(ctx, vaultlet.TokenRequest{}); return err },
	}
}

func TestACancelledContextEndsTheCall(t *testing.T) {
	reason := errors.New("the reason")
	for name, call := range calls(local.Open(t)) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(reason)
		err := call(ctx)
		local.Failed(t, err, vaultlet.ErrTimeout, "cancelled")
		if !errors.Is(err, context.Canceled) || !errors.Is(err, reason) {
			t.Error(name, err)
		}
	}
	_, err := local.Open(t).Plan(cancelled(t), "")
	local.Failed(t, err, vaultlet.ErrTimeout, "cancelled")
	// Each call has a handle of its own; otherwise the calls would share one token request.
	for name := range calls(nil) {
		v, requested := silent(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() { <-requested; cancel(reason) }()
		err := calls(v)[name](ctx)
		local.Failed(t, err, vaultlet.ErrTimeout, "cancelled")
		if !errors.Is(err, context.Canceled) || !errors.Is(err, reason) || errors.Is(err, context.DeadlineExceeded) {
			t.Error(name, err)
		}
	}
}

func cancelled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestADeadlineEndsTheCall(t *testing.T) {
	v, _ := silent(t)
	for name, call := range calls(v) {
		for _, wait := range []time.Duration{-time.Second, 50 * time.Millisecond} {
			ctx, cancel := context.WithTimeout(t.Context(), wait)
			err := call(ctx)
			cancel()
			e := local.Failed(t, err, vaultlet.ErrTimeout, "timeout")
			if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || !e.Timeout() {
				t.Error(name, err)
			}
		}
	}
}

func TestATimeoutIsNotTheDeadlineOfTheContext(t *testing.T) {
	v, _ := silent(t)
	// A later deadline of the context does not extend the time limit.
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	_, err := v.Get(ctx, local.Reference, vaultlet.WithTimeout(50*time.Millisecond))
	local.Failed(t, err, vaultlet.ErrTimeout, "timeout")
	if errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	for _, none := range []time.Duration{0, -time.Second, 48 * time.Hour} {
		_, err := v.Get(t.Context(), local.Reference, vaultlet.WithTimeout(none))
		local.Failed(t, err, vaultlet.ErrUsage, "usage")
	}
}

func TestACallOutlivesItsHandle(t *testing.T) {
	v, requested := silent(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error)
	go func() {
		_, err := v.Get(ctx, local.Reference)
		ended <- err
	}()
	<-requested
	v.Close()
	cancel()
	local.Failed(t, <-ended, vaultlet.ErrTimeout, "cancelled")
}

// A call that waits for a thread ends with its context, and the calls that have one continue.
func TestACancelledContextEndsTheWaitForAThread(t *testing.T) {
	v, _ := silent(t)
	before, end := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	for range cap(vaultlet.Threads) {
		wait.Go(func() {
			_, err := v.Get(before, local.Reference)
			local.Failed(t, err, vaultlet.ErrTimeout, "cancelled")
		})
	}
	for len(vaultlet.Threads) < cap(vaultlet.Threads) {
		runtime.Gosched()
	}
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error)
	go func() {
		_, err := v.Get(ctx, local.Reference)
		waiting <- err
	}()
	cancel()
	local.Failed(t, <-waiting, vaultlet.ErrTimeout, "cancelled")
	if left := len(vaultlet.Threads); left != cap(vaultlet.Threads) {
		t.Error("running calls ended, too:", left)
	}
	end()
	wait.Wait()
	get(t, local.Open(t)).Close()
}
