package vaultlet

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"
)

// A Secret is one version of one secret, or one member of a JSON secret. Whatever prints it or logs
// it shows where it came from; whatever serialises it fails. [Secret.Reveal] is the only way to the
// value.
type Secret struct {
	sealed
	properties Properties
}

// Properties are all but the value. They stay after Close.
func (s *Secret) Properties() Properties { return s.properties }

// A Token is an access token: what goes after "Bearer". Like a [Secret] it shows nothing of itself.
type Token struct {
	sealed
	identity Identity
}

// Identity is what is known of the token and whose it is. It stays after Close.
func (t *Token) Identity() Identity { return t.identity }

// What both are: a value in native memory that shows nothing of itself.
type sealed struct {
	shown string
	held  *held
}

// A value in native memory. Its addresses are numbers, which no reflection follows.
type held struct {
	mutex         sync.RWMutex
	owner         *owned
	value, length uintptr
	closed        bool
}

// An object of the native side that holds values, freed when the last of them is closed.
type owned struct {
	free, object uintptr
	values       atomic.Int64
}

// Reveal is the value as a string of Go's, a copy that only the garbage collector removes; it is
// yours to keep out of logs. It panics after Close.
func (s *sealed) Reveal() string {
	var value string
	s.read(func(native []byte) { value = string(native) })
	return value
}

// RevealBytes is a copy of the value that you can [clear] after use. It panics after Close.
func (s *sealed) RevealBytes() []byte {
	var value []byte
	s.read(func(native []byte) { value = append(make([]byte, 0, len(native)), native...) })
	return value
}

func (s *sealed) read(use func([]byte)) {
	s.held.mutex.RLock()
	defer s.held.mutex.RUnlock()
	if s.held.closed {
		panic("vaultlet: " + s.shown + " is revealed after Close")
	}
	use(slice[byte](s.held.value, s.held.length))
	runtime.KeepAlive(s)
}

// Close scrubs the value; of secrets that were got together, with the last of them. It may be called
// again, and always returns nil. What is forgotten without it is scrubbed after a garbage
// collection.
func (s *sealed) Close() error {
	s.held.close()
	return nil
}

func (h *held) close() {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.closed {
		return
	}
	h.closed = true
	if h.owner.values.Add(-1) == 0 {
		call(h.owner.free, h.owner.object)
	}
}

var errSealed = errors.New("vaultlet: a secret or token is not serialised; use Reveal where its value is needed")

// String is the reference of a secret, or what a token is for; never the value.
func (s *sealed) String() string { return s.shown }

// GoString is the same as String.
func (s *sealed) GoString() string { return s.shown }

// Format prints what String says, whatever the verb.
func (s *sealed) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, s.shown) }

// LogValue is what String says.
func (s *sealed) LogValue() slog.Value { return slog.StringValue(s.shown) }

// MarshalJSON fails.
func (s *sealed) MarshalJSON() ([]byte, error) { return nil, errSealed }

// MarshalText fails, and with it XML, YAML and other formats of text.
func (s *sealed) MarshalText() ([]byte, error) { return nil, errSealed }

// MarshalBinary fails.
func (s *sealed) MarshalBinary() ([]byte, error) { return nil, errSealed }

// GobEncode fails.
func (s *sealed) GobEncode() ([]byte, error) { return nil, errSealed }

// secret takes over one of the secrets of an owner.
func (l *library) secret(of *owned, object uintptr) *Secret {
	s := &Secret{properties: at[nativeProperties](call(l.secretProperties, object)).read()}
	p := &s.properties
	s.shown = "Secret(akv://" + p.Vault + "/" + p.Name
	if p.Version != "" {
		s.shown += "/" + p.Version
	}
	s.shown += ")"
	s.held = hold(of, l.secretReveal, object)
	runtime.AddCleanup(s, (*held).close, s.held)
	return s
}

func (l *library) token(object uintptr) *Token {
	t := &Token{identity: at[nativeIdentity](call(l.tokenIdentity, object)).read()}
	t.shown = "Token(" + t.identity.Resource + ")"
	t.held = hold(own(l.tokenFree, object, 1), l.tokenReveal, object)
	runtime.AddCleanup(t, (*held).close, t.held)
	return t
}

func own(free, object uintptr, values int64) *owned {
	o := &owned{free: free, object: object}
	o.values.Store(values)
	return o
}

func hold(of *owned, reveal, object uintptr) *held {
	h := &held{owner: of}
	// On the heap, where it is while it is written.
	h.value = call(reveal, object, uintptr(unsafe.Pointer(&h.length)))
	return h
}
