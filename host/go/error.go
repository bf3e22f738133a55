package vaultlet

import (
	"os"
	"time"
)

// A Kind says what a caller can do about an error. It is an error itself, for [errors.Is]:
//
//	errors.Is(err, vaultlet.ErrDenied)
type Kind int32

// The kinds, as in the table of errors in vaultlet's README.
const (
	ErrUsage           Kind = iota + 1 // the call itself is wrong
	ErrInvalidArgument                 // a malformed reference or argument, or not the data expected
	ErrNotFound                        // no such secret, or no such version of it
	ErrDisabled                        // it is there and disabled
	ErrUnavailable                     // something cannot be reached, or answers nonsense
	ErrTimeout                         // the time is up, or the context ended the call
	ErrInternal                        // a defect of vaultlet
	ErrConflict                        // the state of the secret forbids it now
	ErrThrottled                       // asked too often; see [Error.RetryAfter]
	ErrDenied                          // the identity may not, or a policy forbids it
	ErrConfiguration                   // contradictory or malformed settings, an untrusted server
	ErrNotConfigured                   // no identity was found
	ErrUnauthenticated                 // an identity was found and refused
)

var kinds = [...]string{
	ErrUsage: "usage", ErrInvalidArgument: "invalid-argument", ErrNotFound: "not-found",
	ErrDisabled: "disabled", ErrUnavailable: "unavailable", ErrTimeout: "timeout",
	ErrInternal: "internal", ErrConflict: "conflict", ErrThrottled: "throttled",
	ErrDenied: "denied", ErrConfiguration: "configuration", ErrNotConfigured: "not-configured",
	ErrUnauthenticated: "unauthenticated",
}

// String is the kind's name as the command line has it, such as "not-found".
func (k Kind) String() string {
	if k < ErrUsage || int(k) >= len(kinds) {
		return "internal"
	}
	return kinds[k]
}

// Error is the same as String.
func (k Kind) Error() string { return k.String() }

// An Error is how every call of this package fails. It holds no secret.
type Error struct {
	// Kind is also what [errors.Is] compares with.
	Kind Kind
	// ID is stable: a row in the table of errors in vaultlet's README, such as "secret-not-found".
	ID string
	// Message is what was being done and what happened.
	Message string
	// Help is what to do; may be empty.
	Help string
	// Status is that of HTTP, 0 when no server answered.
	Status int
	// Code is the service's own, such as "ForbiddenByRbac"; may be empty.
	Code string
	// RequestID is the service's; may be empty.
	RequestID string
	// RetryAfter is how long the service asks to wait; 0 when it does not say.
	RetryAfter time.Duration
	// Attempts has one entry for each source of credentials that was asked, when no token was had.
	Attempts []Attempt

	causes []error
}

// An Attempt is one source of credentials that was asked.
type Attempt struct {
	Source   string // such as "managed-identity"
	Endpoint string // such as "azure-ml"; may be empty
	Outcome  string // "not-configured", "failed" or "skipped"
	Message  string
}

// Error is the whole of it in one line, as the command line prints it.
func (e *Error) Error() string {
	line := e.Message
	if e.Code != "" {
		line += " [" + e.Code + "]"
	}
	if e.Help != "" {
		line += "; " + e.Help
	}
	return line + " (" + e.ID + ")"
}

// Is says whether target is this error's [Kind].
func (e *Error) Is(target error) bool {
	kind, ok := target.(Kind)
	return ok && kind == e.Kind
}

// Unwrap is what ended the call from this side: [context.Canceled], [context.DeadlineExceeded] and
// the cause of the context, or [os.ErrClosed]; else nothing.
func (e *Error) Unwrap() []error { return e.causes }

// Timeout says whether the time was up or the context ended the call.
func (e *Error) Timeout() bool { return e.Kind == ErrTimeout }

func closed(doing string) *Error {
	return &Error{
		Kind: ErrUsage, ID: "usage", Message: doing + ": the handle is closed",
		Help: "open another one", causes: []error{os.ErrClosed},
	}
}
