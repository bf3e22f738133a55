package vaultlet

import (
	"context"
	"errors"
	"sync"
	"time"
	"unsafe"

	"github.com/ebitengine/purego"
)

// A handle of the native side, which lives until it is closed and no call is being started.
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

// run starts a call that calls back, and waits for its end: in this goroutine, with no thread.
func (o *outgoing) run(start func(handle, started, callback, number uintptr)) (uintptr, error) {
	defer o.pinner.Unpin()
	native, release, err := o.begin()
	if err != nil {
		return 0, err
	}
	number, waiting := expect()
	start(native, uintptr(unsafe.Pointer(&o.started)), ended(), number)
	o.handle.done()
	defer release()

	var end ending
	select {
	case end = <-waiting:
	case <-o.ctx.Done():
		o.interrupt()
		end = <-waiting
	}
	return o.finish(end)
}

// block makes a call that blocks its thread, for those that need no network.
func (o *outgoing) block(ask func(handle, started, out uintptr) (failure uintptr)) (uintptr, error) {
	defer o.pinner.Unpin()
	native, release, err := o.begin()
	if err != nil {
		return 0, err
	}
	defer release()
	defer o.handle.done()
	result := new(uintptr)
	o.pinner.Pin(result)
	failure := ask(native, uintptr(unsafe.Pointer(&o.started)), uintptr(unsafe.Pointer(result)))
	return o.finish(ending{failure, *result})
}

// begin is the native handle for a call that may be made; release frees what can end it.
func (o *outgoing) begin() (native uintptr, release func(), err error) {
	if o.failed != nil {
		return 0, nil, o.failed
	}
	if o.ctx.Err() != nil {
		return 0, nil, o.over()
	}
	native, ok := o.handle.use()
	if !ok {
		return 0, nil, closed(o.doing)
	}
	if o.ctx.Done() == nil {
		return native, func() {}, nil
	}
	o.started.cancel = call(o.handle.library.cancelNew)
	return native, func() { call(o.handle.library.cancelFree, o.started.cancel) }, nil
}

// interrupt ends the call when its context has ended, but for a deadline that the native side knows:
// its own error says more.
func (o *outgoing) interrupt() {
	if o.timed && errors.Is(o.ctx.Err(), context.DeadlineExceeded) {
		return
	}
	call(o.handle.library.cancelNow, o.started.cancel)
}

func (o *outgoing) finish(end ending) (uintptr, error) {
	if end.failure == 0 {
		return end.result, nil
	}
	err := o.handle.library.takeError(end.failure)
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

// What a call that was started ended with: an error, or a result.
type ending struct{ failure, result uintptr }

// The calls that run, by the number that they were started with: C holds no pointer of ours.
var running = struct {
	sync.Mutex
	last  uintptr
	calls map[uintptr]chan ending
}{calls: map[uintptr]chan ending{}}

// One callback for all calls and all kinds of results: purego can make only so many, for ever.
var ended = sync.OnceValue(func() uintptr {
	return purego.NewCallback(func(number, failure, result uintptr) {
		running.Lock()
		waiting := running.calls[number]
		delete(running.calls, number)
		running.Unlock()
		waiting <- ending{failure, result}
	})
})

func expect() (number uintptr, waiting chan ending) {
	waiting = make(chan ending, 1)
	running.Lock()
	defer running.Unlock()
	running.last++
	running.calls[running.last] = waiting
	return running.last, waiting
}
