package vaultlet

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// An Option says how a handle is opened. What no option says comes from the environment, by the
// same VAULTLET_* variables that the command line takes.
type Option interface{ open(*settings) }

// A CallOption is for one call.
type CallOption interface{ call(*request) }

// An EitherOption is for a handle, or for one call in place of what the handle has.
type EitherOption interface {
	Option
	CallOption
}

// What a handle is opened with; the names are those of the command line's flags.
type settings struct {
	library   string
	given     [][2]string
	variables map[string]string
}

// What one call says besides.
type request struct {
	timeout                      *time.Duration
	clientID, objectID, resource string
}

type openOption func(*settings)

func (o openOption) open(s *settings) { o(s) }

func setting(name, value string) Option {
	return openOption(func(s *settings) { s.given = append(s.given, [2]string{name, value}) })
}

type eitherOption struct {
	openOption
	of func(*request)
}

func (o eitherOption) call(r *request) { o.of(r) }

// WithIdentity names the sources of credentials, in order: labels as of the table in vaultlet's
// README, such as "managed-identity" or "azureml-obo". Without it, "auto".
func WithIdentity(labels ...string) Option { return setting("identity", strings.Join(labels, ",")) }

// WithExclude names sources to leave out.
func WithExclude(labels ...string) Option { return setting("exclude", strings.Join(labels, ",")) }

// WithClientID names a user-assigned managed identity by its client id.
func WithClientID(id string) EitherOption {
	return eitherOption{setting("client-id", id).(openOption), func(r *request) { r.clientID = id }}
}

// WithObjectID names a user-assigned managed identity by its object id.
func WithObjectID(id string) EitherOption {
	return eitherOption{setting("object-id", id).(openOption), func(r *request) { r.objectID = id }}
}

// WithResourceID names a user-assigned managed identity by its resource id.
func WithResourceID(id string) EitherOption {
	return eitherOption{setting("resource-id", id).(openOption), func(r *request) { r.resource = id }}
}

// WithAdditionalTenants names tenants that tokens may be asked of besides the configured one; "*"
// for all.
func WithAdditionalTenants(tenants ...string) Option {
	return setting("additional-tenants", strings.Join(tenants, ";"))
}

// WithUserAssertionFile names the file with the token of the user on whose behalf "on-behalf-of"
// asks. It is read anew whenever it is needed.
func WithUserAssertionFile(path string) Option { return setting("user-assertion-file", path) }

// WithCloud names the cloud: "public", "china" or "usgov".
func WithCloud(cloud string) Option { return setting("cloud", cloud) }

// WithConcurrency is how many calls run at once, 1 to 1,024; 64 unless set. More wait in line.
func WithConcurrency(calls int) Option { return setting("concurrency", strconv.Itoa(calls)) }

// WithTimeout is the time that one call may take, whatever its context allows; 2 minutes unless
// set, at most a day. Less than a millisecond is a millisecond.
func WithTimeout(limit time.Duration) EitherOption {
	seconds := strconv.FormatFloat(limit.Seconds(), 'f', -1, 64)
	return eitherOption{setting("timeout", seconds).(openOption), func(r *request) { r.timeout = &limit }}
}

// WithCAFile names a PEM file whose certificates are trusted besides the built-in roots. May be
// repeated.
func WithCAFile(path string) Option { return setting("ca-file", path) }

// WithResolve connects elsewhere for one authority, name and certificate check unchanged:
// "HOST:PORT:ADDR[:PORT]". May be repeated.
func WithResolve(rule string) Option { return setting("resolve", rule) }

// WithAllowHTTPLoopback accepts plain http:// vaults on loopback, for tests.
func WithAllowHTTPLoopback() Option { return setting("allow-http-loopback", "true") }

// WithVariables are read in place of the process's environment, all of it.
func WithVariables(variables map[string]string) Option {
	return openOption(func(s *settings) {
		s.variables = make(map[string]string, len(variables))
		for name, value := range variables {
			s.variables[name] = value
		}
	})
}

// WithLibrary names the native library to load.
func WithLibrary(path string) Option {
	return openOption(func(s *settings) { s.library = path })
}

// The environment as Go has it. The native side must not read it itself: C's has no lock that
// [os.Setenv] would know of.
func environment() map[string]string {
	variables := map[string]string{}
	for _, entry := range os.Environ() {
		if name, value, ok := strings.Cut(entry, "="); ok && name != "" {
			variables[name] = value
		}
	}
	return variables
}

// The time that a call may take, as the native side reads it; of a malformed one it makes an error.
func (s *settings) limit() time.Duration {
	text := s.variables["VAULTLET_TIMEOUT"]
	for _, option := range s.given {
		if option[0] == "timeout" {
			text = option[1]
		}
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds > 0 {
		return time.Duration(seconds * float64(time.Second))
	}
	return 2 * time.Minute
}
