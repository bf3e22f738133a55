package vaultlet

import (
	"os"
	"time"
)

// A Kind says what a caller can do about an error. A Kind is itself an error, for use with [errors.Is]:
//
//	errors.Is(err, vaultlet.ErrDenied)
type Kind int32

// The kinds of errors.
const (
	ErrUsage           Kind = iota + 1 // the call itself is wrong; correct the program
	ErrInvalidArgument                 // a malformed reference or argument, or a secret that is not of the expected form
	ErrNotFound                        // the secret, or this version of it, does not exist
	ErrDisabled                        // the secret exists and is disabled
	ErrUnavailable                     // a server cannot be reached, or its response is not understood
	ErrTimeout                         // the time limit has passed, or the context ended the call
	ErrInternal                        // a bug in vaultlet
	ErrConflict                        // the state of the secret does not allow the operation now
	ErrThrottled                       // the service is throttling requests; see [Error.RetryAfter]
	ErrDenied                          // the identity is not allowed to do this, or a policy forbids it
	ErrConfiguration                   // settings are malformed or contradict each other, or a server is not trusted
	ErrNotConfigured                   // no source of credentials is configured
	ErrUnauthenticated                 // an identity was found, but it was refused
)

var kinds = [...]string{
	ErrUsage: "usage", ErrInvalidArgument: "invalid-argument", ErrNotFound: "not-found",
	ErrDisabled: "disabled", ErrUnavailable: "unavailable", ErrTimeout: "timeout",
	ErrInternal: "internal", ErrConflict: "conflict", ErrThrottled: "throttled",
	ErrDenied: "denied", ErrConfiguration: "configuration", ErrNotConfigured: "not-configured",
	ErrUnauthenticated: "unauthenticated",
}

// String returns the name of the kind as the command line prints it, such as "not-found".
func (k Kind) String() string {
	if k < ErrUsage || int(k) >= len(kinds) {
		return "internal"
	}
	return kinds[k]
}

// Error returns the name of the kind, like [Kind.String].
func (k Kind) Error() string { return k.String() }

// An Error is the error of every call of this package that fails. It contains no secret.
type Error struct {
	// Kind says what a caller can do; [errors.Is] compares with it.
	Kind Kind
	// ID is the stable id of this error, such as "secret-not-found"; `vaultlet explain` says more about it.
	ID string
	// Message says what was being done, and what happened.
	Message string
	// Help says what a person can do about it; may be empty.
	Help string
	// Status is the HTTP status of the response; 0 if there was none.
	Status int
	// Code is the error code of the service, such as "ForbiddenByRbac"; may be empty.
	Code string
	// RequestID is the request id of the service; may be empty.
	RequestID string
	// RetryAfter is how long the service asks to wait; 0 if it does not say.
	RetryAfter time.Duration
	// Attempts has one entry for each source of credentials, if no token could be obtained.
	Attempts []Attempt
	// Variables has one entry for each variable that [Vaultlet.ResolveEnvironment] could not resolve, in
	// the order of their names. The other fields are about the first one.
	Variables []FailedVariable

	causes []error
}

// An Attempt is an attempt to get a token from one source of credentials.
type Attempt struct {
	Source   string // the label of the source, such as "managed-identity"
	Endpoint string // the kind of endpoint, such as "azure-ml"; may be empty
	Outcome  string // "not-configured", "failed" or "skipped"
	Message  string // the reason, in one line
}

// A FailedVariable is a variable whose reference could not be resolved.
type FailedVariable struct {
	Name    string // the name of the variable
	ID      string // the stable id of the failure
	Kind    Kind   // what a caller can do
	Message string // what was being done, and what happened
}

// Error returns the whole error in one line, as the command line prints it.
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

// Is reports whether target is the [Kind] of this error.
func (e *Error) Is(target error) bool {
	kind, ok := target.(Kind)
	return ok && kind == e.Kind
}

// Unwrap returns what ended the call from within the program: [context.Canceled] or
// [context.DeadlineExceeded] with the cause of the context, or [os.ErrClosed]; nil for other errors.
func (e *Error) Unwrap() []error { return e.causes }

// Timeout reports whether the time limit has passed or the context ended the call.
func (e *Error) Timeout() bool { return e.Kind == ErrTimeout }

func closed(doing string) *Error {
	return &Error{
		Kind: ErrUsage, ID: "usage", Message: doing + ": the handle is closed",
		Help: "open another one", causes: []error{os.ErrClosed},
	}
}
