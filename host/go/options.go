package vaultlet

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// An Option is a setting of a handle. A setting without an option comes from the environment, from the
// same VAULTLET_* variables that the command line reads.
type Option interface{ open(*handleSettings) }

// A CallOption is a setting of one call.
type CallOption interface{ call(*callSettings) }

// An EitherOption is a setting of a handle, or of one call, where it replaces that of the handle.
type EitherOption interface {
	Option
	CallOption
}

// handleSettings are the settings of a handle; the names are those of the command line's flags.
type handleSettings struct {
	library   string
	given     [][2]string
	variables map[string]string
}

// callSettings are the settings of one call.
type callSettings struct {
	timeout                        *time.Duration
	clientID, objectID, resourceID string
}

type openOption func(*handleSettings)

func (o openOption) open(s *handleSettings) { o(s) }

func setting(name, value string) Option {
	return openOption(func(s *handleSettings) { s.given = append(s.given, [2]string{name, value}) })
}

type eitherOption struct {
	openOption
	set func(*callSettings)
}

func (o eitherOption) call(c *callSettings) { o.set(c) }

// WithIdentity sets the chain: the sources of credentials to try, in order, by their labels in vaultlet's
// documentation, such as "managed-identity" or "azureml-obo". The default is "auto".
func WithIdentity(labels ...string) Option { return setting("identity", strings.Join(labels, ",")) }

// WithExclude removes sources of credentials from the chain, by their labels.
func WithExclude(labels ...string) Option { return setting("exclude", strings.Join(labels, ",")) }

// WithClientID selects a user-assigned managed identity by its client id.
func WithClientID(id string) EitherOption {
	return eitherOption{setting("client-id", id).(openOption), func(c *callSettings) { c.clientID = id }}
}

// WithObjectID selects a user-assigned managed identity by its object id.
func WithObjectID(id string) EitherOption {
	return eitherOption{setting("object-id", id).(openOption), func(c *callSettings) { c.objectID = id }}
}

// WithResourceID selects a user-assigned managed identity by its resource id.
func WithResourceID(id string) EitherOption {
	return eitherOption{setting("resource-id", id).(openOption), func(c *callSettings) { c.resourceID = id }}
}

// WithAdditionalTenants allows tokens of further tenants besides the configured one; "*" allows all.
func WithAdditionalTenants(tenants ...string) Option {
	return setting("additional-tenants", strings.Join(tenants, ";"))
}

// WithUserAssertionFile sets the path of the file with the user's token, for the source "on-behalf-of".
// The file is read again each time it is needed.
func WithUserAssertionFile(path string) Option { return setting("user-assertion-file", path) }

// WithCloud selects the cloud: "public", "china" or "usgov".
func WithCloud(cloud string) Option { return setting("cloud", cloud) }

// WithConcurrency sets how many calls run at once, 1 to 1,024; the default is 64. Further calls wait.
func WithConcurrency(calls int) Option { return setting("concurrency", strconv.Itoa(calls)) }

// WithTimeout sets the time limit of each call, at most one day; the default is two minutes. A context
// can end a call earlier, but not extend the limit. A limit below one millisecond counts as one.
func WithTimeout(limit time.Duration) EitherOption {
	seconds := strconv.FormatFloat(limit.Seconds(), 'f', -1, 64)
	return eitherOption{setting("timeout", seconds).(openOption), func(c *callSettings) { c.timeout = &limit }}
}

// WithCAFile trusts the certificates in a PEM file besides the built-in roots. It may be given several
// times.
func WithCAFile(path string) Option { return setting("ca-file", path) }

// WithResolve connects to another address for one server, by a rule "HOST:PORT:ADDR[:PORT]". The
// certificate is still checked against the host name. It may be given several times.
func WithResolve(rule string) Option { return setting("resolve", rule) }

// WithAllowHTTPLoopback allows vaults at http:// URLs on loopback addresses, for tests.
func WithAllowHTTPLoopback() Option { return setting("allow-http-loopback", "true") }

// WithAllowHTTPIdentity allows an identity endpoint at an http:// URL of these hosts, which must be on a
// private network.
func WithAllowHTTPIdentity(hosts ...string) Option {
	return setting("allow-http-identity", strings.Join(hosts, ","))
}

// WithPolicy sets the file of a policy, which says what may be read and where it is written down.
func WithPolicy(path string) Option { return setting("policy", path) }

// WithAgent sets the agent that secrets come from: "unix:PATH", or "http://127.0.0.1:PORT" with
// [WithAgentTokenFile]. The empty string means none.
func WithAgent(place string) Option { return setting("agent", place) }

// WithAgentTokenFile sets the file with the token of an agent on a port. The file is read again each time it is needed.
func WithAgentTokenFile(path string) Option { return setting("agent-token-file", path) }

// WithAgentFallback sets what is done when the agent is not there: "none", the default, which is an error, or
// "direct", which asks the vault.
func WithAgentFallback(fallback string) Option { return setting("agent-fallback", fallback) }

// WithVariables sets variables that are read instead of the whole environment of the process.
func WithVariables(variables map[string]string) Option {
	return openOption(func(s *handleSettings) {
		s.variables = make(map[string]string, len(variables))
		for name, value := range variables {
			s.variables[name] = value
		}
	})
}

// WithLibrary sets the path of the native library to load.
func WithLibrary(path string) Option {
	return openOption(func(s *handleSettings) { s.library = path })
}

// environment returns the environment of the process as Go sees it. The native library must not read it
// itself, because the lock that [os.Setenv] takes does not protect reads in C.
func environment() map[string]string {
	variables := map[string]string{}
	for _, entry := range os.Environ() {
		if name, value, ok := strings.Cut(entry, "="); ok && name != "" {
			variables[name] = value
		}
	}
	return variables
}

// limit returns the time limit of a call as the native library reads it, which reports a malformed one.
func (s *handleSettings) limit() time.Duration {
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
