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

// silent is a handle whose identity endpoint never answers, and tells when it is asked.
func silent(t *testing.T) (*vaultlet.Vaultlet, <-chan struct{}) {
	asked := make(chan struct{}, 16)
	end := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-end
	}))
	t.Cleanup(func() { close(end); server.Close() })
	variables := maps.Clone(job.Env)
	variables["MSI_ENDPOINT"] = server.URL + "/msi/token"
	return open(t, vaultlet.WithVariables(variables)), asked
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
	for name, call := range calls(open(t)) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(reason)
		err := call(ctx)
		is(t, err, vaultlet.ErrTimeout, "cancelled")
		if !errors.Is(err, context.Canceled) || !errors.Is(err, reason) {
			t.Error(name, err)
		}
	}
	_, err := open(t).Plan(done(t), "")
	is(t, err, vaultlet.ErrTimeout, "cancelled")
	// Each with a handle of its own: what one asks for, another would share.
	for name := range calls(nil) {
		v, asked := silent(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() { <-asked; cancel(reason) }()
		err := calls(v)[name](ctx)
		is(t, err, vaultlet.ErrTimeout, "cancelled")
		if !errors.Is(err, context.Canceled) || !errors.Is(err, reason) || errors.Is(err, context.DeadlineExceeded) {
			t.Error(name, err)
		}
	}
}

func done(t *testing.T) context.Context {
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
			e := is(t, err, vaultlet.ErrTimeout, "timeout")
			if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || !e.Timeout() {
				t.Error(name, err)
			}
		}
	}
}

func TestALimitOfTheHandleIsNoDeadline(t *testing.T) {
	v, _ := silent(t)
	// A context that allows more does not make the limit longer.
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	_, err := v.Get(ctx, local.Reference, vaultlet.WithTimeout(50*time.Millisecond))
	is(t, err, vaultlet.ErrTimeout, "timeout")
	if errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	for _, none := range []time.Duration{0, -time.Second, 48 * time.Hour} {
		_, err := v.Get(t.Context(), local.Reference, vaultlet.WithTimeout(none))
		is(t, err, vaultlet.ErrUsage, "usage")
	}
}

func TestACallOutlivesItsHandle(t *testing.T) {
	v, asked := silent(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error)
	go func() {
		_, err := v.Get(ctx, local.Reference)
		ended <- err
	}()
	<-asked
	v.Close()
	cancel()
	is(t, <-ended, vaultlet.ErrTimeout, "cancelled")
}

// A call that waits for its turn ends with its context, while those before it go on.
func TestACancelledContextEndsAWait(t *testing.T) {
	v, _ := silent(t)
	before, end := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	for range cap(vaultlet.Threads) {
		wait.Go(func() {
			_, err := v.Get(before, local.Reference)
			is(t, err, vaultlet.ErrTimeout, "cancelled")
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
	is(t, <-waiting, vaultlet.ErrTimeout, "cancelled")
	if left := len(vaultlet.Threads); left != cap(vaultlet.Threads) {
		t.Error("those before it ended, too:", left)
	}
	end()
	wait.Wait()
	get(t, open(t)).Close()
}
