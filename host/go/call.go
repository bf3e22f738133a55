package vaultlet

import (
	"context"
	"errors"
	"sync"
	"time"
	"unsafe"
)

// A handle of the native library. It lives until it is closed and no call uses it.
type handle struct {
	library *library
	limit   time.Duration
	// The variables that the handle was opened with; nil if they are those of the process.
	variables map[string]string

	mutex  sync.Mutex
	native uintptr
	users  int
	closed bool
}

// use returns the native handle for a call, which ends with done; false if the handle is closed.
func (h *handle) use() (uintptr, bool) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.closed {
		return 0, false
	}
	h.users++
	return h.native, true
}

func (h *handle) done() {
	h.mutex.Lock()
	h.users--
	last := h.closed && h.users == 0
	h.mutex.Unlock()
	if last {
		call(h.library.close, h.native)
	}
}

func (h *handle) close() {
	h.mutex.Lock()
	last := !h.closed && h.users == 0
	h.closed = true
	h.mutex.Unlock()
	if last {
		call(h.library.close, h.native)
	}
}

// An outgoing is one call into the native library, under a context.
type outgoing struct {
	texts
	handle  *handle
	ctx     context.Context
	doing   string
	options nativeCall
	// Whether the native library applies the deadline of the context as its time limit.
	timed bool
}

// outgoing prepares a call. If the call cannot be made, run returns the reason.
func (v *Vaultlet) outgoing(ctx context.Context, doing string, options []CallOption) *outgoing {
	o := &outgoing{handle: v.handle, ctx: ctx, doing: doing}
	o.options.size = unsafe.Sizeof(o.options)
	var given callSettings
	for _, option := range options {
		option.call(&given)
	}
	o.options.clientID = o.optional(doing, given.clientID)
	o.options.objectID = o.optional(doing, given.objectID)
	o.options.resourceID = o.optional(doing, given.resourceID)
	limit := o.handle.limit
	if given.timeout != nil {
		limit = *given.timeout
		o.options.timeoutMS = max(limit.Milliseconds(), 1)
		if limit <= 0 {
			o.failed = &Error{
				Kind: ErrUsage, ID: "usage", Message: doing + ": its time limit is not above 0",
				Help: "allow some time, at most a day",
			}
		}
	}
	if deadline, ok := ctx.Deadline(); ok {
		if left := time.Until(deadline); left < limit {
			o.timed = true
			o.options.timeoutMS = max(left.Milliseconds(), 1)
		}
	}
	o.pinner.Pin(o)
	return o
}

// threads limits the number of calls that block a thread each. At 10 ms per call, 128 threads allow
// thirty times the request rate that a vault permits. Further calls wait here, which takes no thread. A
// limit is needed because Go never ends a thread.
var threads = make(chan struct{}, 128)

// run makes the call and returns its native result. The call blocks its thread until it ends: a callback
// would arrive on a foreign thread, and it takes Go longer to adopt one than to lend one of its own.
func (o *outgoing) run(ask func(handle, options, out uintptr) (failure uintptr)) (uintptr, error) {
	defer o.pinner.Unpin()
	if o.failed != nil {
		return 0, o.failed
	}
	select {
	case threads <- struct{}{}:
		defer func() { <-threads }()
	case <-o.ctx.Done():
	}
	if o.ctx.Err() != nil {
		return 0, o.over()
	}
	native, ok := o.handle.use()
	if !ok {
		return 0, closed(o.doing)
	}
	defer o.handle.done()
	defer o.watch()()
	result := new(uintptr)
	o.pinner.Pin(result)
	failure := ask(native, uintptr(unsafe.Pointer(&o.options)), uintptr(unsafe.Pointer(result)))
	return o.finish(failure, *result)
}

// watch cancels the call when its context ends. The function it returns stops watching.
func (o *outgoing) watch() func() {
	if o.ctx.Done() == nil {
		return func() {}
	}
	cancel := call(o.handle.library.cancelNew)
	o.options.cancel = cancel
	told := make(chan struct{})
	stop := context.AfterFunc(o.ctx, func() {
		defer close(told)
		o.interrupt()
	})
	return func() {
		if !stop() {
			<-told
		}
		call(o.handle.library.cancelFree, cancel)
	}
}

// interrupt cancels the call after its context has ended. It leaves a deadline to the native library if
// that applies it, because the error of the library says more.
func (o *outgoing) interrupt() {
	if o.timed && errors.Is(o.ctx.Err(), context.DeadlineExceeded) {
		return
	}
	call(o.handle.library.cancelNow, o.options.cancel)
}

func (o *outgoing) finish(failure, result uintptr) (uintptr, error) {
	if failure == 0 {
		return result, nil
	}
	err := o.handle.library.takeError(failure)
	switch {
	case err.ID == "cancelled":
		err.causes = causes(o.ctx)
	case o.timed && err.Kind == ErrTimeout:
		// The native clock may be ahead of the context's by a millisecond.
		err.causes = []error{context.DeadlineExceeded}
	}
	return 0, err
}

// over returns the error of a call whose context ended before the call began.
func (o *outgoing) over() *Error {
	e := &Error{
		Kind: ErrTimeout, ID: "cancelled", Message: o.doing + ": the context ended before it began",
		causes: causes(o.ctx),
	}
	if errors.Is(o.ctx.Err(), context.DeadlineExceeded) {
		e.ID, e.Help = "timeout", "allow more by the deadline of the context"
	}
	return e
}

func causes(ctx context.Context) []error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if err == cause {
		return []error{err}
	}
	return []error{err, cause}
}
