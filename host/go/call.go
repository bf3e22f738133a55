package vaultlet

import (
	"context"
	"errors"
	"sync"
	"time"
	"unsafe"
)

// A handle of the native side, which lives until it is closed and no call runs.
type handle struct {
	library *library
	limit   time.Duration

	mutex  sync.Mutex
	native uintptr
	users  int
	closed bool
}

// use is the native handle, until the call of done.
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

// One call, between a context and the native side.
type outgoing struct {
	texts
	handle  *handle
	ctx     context.Context
	doing   string
	started nativeCall
	// Whether the native side ends it at the deadline of the context.
	timed bool
}

// outgoing prepares a call, or says why it cannot be made.
func (v *Vaultlet) outgoing(ctx context.Context, doing string, options []CallOption) *outgoing {
	o := &outgoing{handle: v.handle, ctx: ctx, doing: doing}
	o.started.size = unsafe.Sizeof(o.started)
	var said request
	for _, option := range options {
		option.call(&said)
	}
	o.started.clientID = o.of(doing, said.clientID)
	o.started.objectID = o.of(doing, said.objectID)
	o.started.resourceID = o.of(doing, said.resource)
	limit := o.handle.limit
	if said.timeout != nil {
		limit = *said.timeout
		o.started.timeoutMS = max(limit.Milliseconds(), 1)
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
			o.started.timeoutMS = max(left.Milliseconds(), 1)
		}
	}
	o.pinner.Pin(o)
	return o
}

// The calls that may block a thread each at once: at 10 ms a call, thirty times what a vault permits
// anybody. Others wait for their turn, which takes no thread. Go never ends a thread.
var threads = make(chan struct{}, 128)

// run makes a call, which blocks its thread until its end: a callback would come on a thread that Go
// has to adopt each time, which takes longer than to lend one out.
func (o *outgoing) run(ask func(handle, started, out uintptr) (failure uintptr)) (uintptr, error) {
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
	failure := ask(native, uintptr(unsafe.Pointer(&o.started)), uintptr(unsafe.Pointer(result)))
	return o.finish(failure, *result)
}

// watch makes the call end with its context; what it returns frees what that takes.
func (o *outgoing) watch() func() {
	if o.ctx.Done() == nil {
		return func() {}
	}
	cancel := call(o.handle.library.cancelNew)
	o.started.cancel = cancel
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

// interrupt ends the call when its context has ended, but for a deadline that the native side knows:
// its own error says more.
func (o *outgoing) interrupt() {
	if o.timed && errors.Is(o.ctx.Err(), context.DeadlineExceeded) {
		return
	}
	call(o.handle.library.cancelNow, o.started.cancel)
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
		// Its clock may be the first by a millisecond.
		err.causes = []error{context.DeadlineExceeded}
	}
	return 0, err
}

// over is the error of a call whose context ended before it began.
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
