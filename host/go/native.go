package vaultlet

import (
	"math"
	"runtime"
	"strings"
	"time"
	"unsafe"

	"github.com/ebitengine/purego"
)

// abi is the version of the C interface that this package is written for.
const abi = 1

// unknown is the value of a number that is not known, VAULTLET_UNKNOWN.
const unknown = math.MinInt64

// A library has the addresses of the functions of a loaded library, named as in vaultlet.h.
type library struct {
	abi, version                                                         uintptr
	optionsNew, optionsSet, optionsVariable, optionsFree                 uintptr
	open, close                                                          uintptr
	get, getMany, list, versions, getToken, plan                         uintptr
	resolveEnvironment, environmentFree, errorVariables                  uintptr
	cancelNew, cancelNow, cancelFree                                     uintptr
	secretReveal, secretProperties, secretFree, secretsFree, listingFree uintptr
	tokenReveal, tokenIdentity, tokenFree, textFree, errorFree           uintptr
}

func (l *library) symbols() map[string]*uintptr {
	return map[string]*uintptr{
		"abi": &l.abi, "version": &l.version,
		"options_new": &l.optionsNew, "options_set": &l.optionsSet,
		"options_variable": &l.optionsVariable, "options_free": &l.optionsFree,
		"open": &l.open, "close": &l.close,
		"get": &l.get, "get_many": &l.getMany, "list": &l.list, "versions": &l.versions,
		"get_token": &l.getToken, "plan": &l.plan,
		"resolve_environment": &l.resolveEnvironment, "environment_free": &l.environmentFree,
		"error_variables": &l.errorVariables,
		"cancel_new":      &l.cancelNew, "cancel_now": &l.cancelNow, "cancel_free": &l.cancelFree,
		"secret_reveal": &l.secretReveal, "secret_properties": &l.secretProperties,
		"secret_free": &l.secretFree, "secrets_free": &l.secretsFree,
		"listing_free": &l.listingFree, "token_reveal": &l.tokenReveal,
		"token_identity": &l.tokenIdentity, "token_free": &l.tokenFree,
		"text_free": &l.textFree, "error_free": &l.errorFree,
	}
}

// call calls a function of the library. A Go object whose pointer is converted to uintptr among the
// arguments is not moved until the call returns.
//
//go:uintptrescapes
func call(function uintptr, arguments ...uintptr) uintptr {
	result, _, _ := purego.SyscallN(function, arguments...)
	return result
}

// The structs of vaultlet.h. A pointer into native memory is a uintptr.
type (
	nativeError struct {
		kind, status                                       int32
		retryAfterMS                                       int64
		kindName, id, message, help, code, requestID, line uintptr
		attempts                                           uintptr
		attemptsLen                                        uintptr
	}
	nativeAttempt        struct{ source, endpoint, outcome, message uintptr }
	nativeFailedVariable struct {
		name, id          uintptr
		kind              int32
		kindName, message uintptr
	}
	nativeTag        struct{ name, value uintptr }
	nativeProperties struct {
		vault, name, version, contentType, recoveryLevel, kid                   uintptr
		enabled, managed, created, updated, notBefore, expires, recoverableDays int64
		tags                                                                    uintptr
		tagsLen                                                                 uintptr
	}
	nativeList     struct{ items, len uintptr }
	nativeIdentity struct {
		source, endpoint, resource, clientID, tenant, objectID, appID, upn, audience uintptr
		expiresOn, refreshOn                                                         int64
		notes                                                                        uintptr
		notesLen                                                                     uintptr
	}
	nativeCall struct {
		size                           uintptr
		timeoutMS                      int64
		cancel                         uintptr
		clientID, objectID, resourceID *byte
	}
	nativeTokenRequest struct {
		size                     uintptr
		resource, tenant, claims *byte
	}
	nativeVariable           struct{ name, value *byte }
	nativeEnvironmentRequest struct {
		size         uintptr
		variables    *nativeVariable
		variablesLen uintptr
		only         **byte
		onlyLen      uintptr
	}
	nativeEnvironment struct {
		secrets nativeList
		names   uintptr
	}
)

// These do not compile where the size of a struct differs from the one in the header.
var (
	_ [88]byte  = [unsafe.Sizeof(nativeError{})]byte{}
	_ [32]byte  = [unsafe.Sizeof(nativeAttempt{})]byte{}
	_ [120]byte = [unsafe.Sizeof(nativeProperties{})]byte{}
	_ [104]byte = [unsafe.Sizeof(nativeIdentity{})]byte{}
	_ [48]byte  = [unsafe.Sizeof(nativeCall{})]byte{}
	_ [40]byte  = [unsafe.Sizeof(nativeFailedVariable{})]byte{}
	_ [40]byte  = [unsafe.Sizeof(nativeEnvironmentRequest{})]byte{}
)

// pointer returns a native address as a pointer.
func pointer[T any](address uintptr) *T {
	return (*T)(*(*unsafe.Pointer)(unsafe.Pointer(&address)))
}

func slice[T any](address, length uintptr) []T {
	if address == 0 {
		return nil
	}
	return unsafe.Slice(pointer[T](address), length)
}

// text copies a C string; NULL becomes the empty string.
func text(address uintptr) string {
	if address == 0 {
		return ""
	}
	start := pointer[byte](address)
	length := 0
	for *(*byte)(unsafe.Add(unsafe.Pointer(start), length)) != 0 {
		length++
	}
	return string(unsafe.Slice(start, length))
}

func instant(seconds int64) time.Time {
	if seconds == unknown {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

func flag(number int64) *bool {
	if number == unknown {
		return nil
	}
	is := number != 0
	return &is
}

func (n *nativeProperties) read() Properties {
	p := Properties{
		Vault: text(n.vault), Name: text(n.name), Version: text(n.version),
		ContentType: text(n.contentType), RecoveryLevel: text(n.recoveryLevel), KID: text(n.kid),
		Enabled: flag(n.enabled), Managed: flag(n.managed),
		Created: instant(n.created), Updated: instant(n.updated),
		NotBefore: instant(n.notBefore), Expires: instant(n.expires),
	}
	if n.recoverableDays != unknown {
		days := int(n.recoverableDays)
		p.RecoverableDays = &days
	}
	if n.tagsLen > 0 {
		p.Tags = make(map[string]string, n.tagsLen)
	}
	for _, tag := range slice[nativeTag](n.tags, n.tagsLen) {
		p.Tags[text(tag.name)] = text(tag.value)
	}
	return p
}

func (n *nativeIdentity) read() Identity {
	i := Identity{
		Source: text(n.source), Endpoint: text(n.endpoint), Resource: text(n.resource),
		ClientID: text(n.clientID), Tenant: text(n.tenant), ObjectID: text(n.objectID),
		AppID: text(n.appID), UPN: text(n.upn), Audience: text(n.audience),
		ExpiresOn: instant(n.expiresOn), RefreshOn: instant(n.refreshOn),
	}
	for _, note := range slice[uintptr](n.notes, n.notesLen) {
		i.Notes = append(i.Notes, text(note))
	}
	return i
}

// takeError copies a native error and frees it.
func (l *library) takeError(address uintptr) *Error {
	n := pointer[nativeError](address)
	e := &Error{
		Kind: Kind(n.kind), ID: text(n.id), Message: text(n.message), Help: text(n.help),
		Status: int(n.status), Code: text(n.code), RequestID: text(n.requestID),
	}
	if n.retryAfterMS != unknown {
		e.RetryAfter = time.Duration(n.retryAfterMS) * time.Millisecond
	}
	for _, a := range slice[nativeAttempt](n.attempts, n.attemptsLen) {
		e.Attempts = append(e.Attempts, Attempt{
			Source: text(a.source), Endpoint: text(a.endpoint),
			Outcome: text(a.outcome), Message: text(a.message),
		})
	}
	var length uintptr
	variables := call(l.errorVariables, address, uintptr(unsafe.Pointer(&length)))
	failed := slice[nativeFailedVariable](variables, length)
	for i := range failed {
		f := &failed[i]
		e.Variables = append(e.Variables, FailedVariable{
			Name: text(f.name), ID: text(f.id), Kind: Kind(f.kind), Message: text(f.message),
		})
	}
	call(l.errorFree, address)
	return e
}

// texts makes C strings, which are not moved until they are unpinned.
type texts struct {
	pinner runtime.Pinner
	failed *Error
}

// optional returns a C string; NULL for an empty one.
func (t *texts) optional(doing, text string) *byte {
	if text == "" {
		return nil
	}
	return t.required(doing, text)
}

// required returns a C string, also for an empty one.
func (t *texts) required(doing, text string) *byte {
	if strings.IndexByte(text, 0) >= 0 {
		t.failed = &Error{
			Kind: ErrInvalidArgument, ID: "argument-malformed",
			Message: doing + ": an argument has a NUL byte in it", Help: "remove it",
		}
		return nil
	}
	bytes := make([]byte, len(text)+1)
	copy(bytes, text)
	t.pinner.Pin(&bytes[0])
	return &bytes[0]
}
