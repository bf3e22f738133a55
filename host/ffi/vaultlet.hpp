// vaultlet for C++17 and later: a header-only wrapper of vaultlet.h.
//
//   auto vault = vaultlet::handle::open();
//   if (!vault) return fail(vault.error());
//   auto password = vault->get("akv://my-key-vault/db-password");
//   if (!password) return fail(password.error());
//   connect("db.internal", password->reveal());
//
// A call returns a `result`: a value or an `error`. To use exceptions instead, call `value()`, which throws
// `vaultlet::failure`. A secret cannot be copied, and it prints as its reference; its value is scrubbed when
// the secret is destroyed.
#ifndef VAULTLET_HPP
#define VAULTLET_HPP

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "vaultlet.h"

namespace vaultlet {

namespace detail {
template <auto Free>
struct freed {
    template <class T>
    void operator()(T *pointer) const noexcept { Free(pointer); }
};
template <class T, auto Free>
using owned = std::unique_ptr<T, freed<Free>>;

inline std::string_view view(const char *text) { return text == nullptr ? std::string_view() : text; }
inline std::optional<std::string_view> maybe(const char *text) {
    return text == nullptr ? std::nullopt : std::optional<std::string_view>(text);
}
inline std::optional<std::int64_t> maybe(std::int64_t number) {
    return number == VAULTLET_UNKNOWN ? std::nullopt : std::optional<std::int64_t>(number);
}
}  // namespace detail

// What a program can do about an error.
enum class kind : std::int32_t {
    usage = VAULTLET_USAGE,
    invalid_argument = VAULTLET_INVALID_ARGUMENT,
    not_found = VAULTLET_NOT_FOUND,
    disabled = VAULTLET_DISABLED,
    unavailable = VAULTLET_UNAVAILABLE,
    timeout = VAULTLET_TIMEOUT,
    internal = VAULTLET_INTERNAL,
    conflict = VAULTLET_CONFLICT,
    throttled = VAULTLET_THROTTLED,
    denied = VAULTLET_DENIED,
    configuration = VAULTLET_CONFIGURATION,
    not_configured = VAULTLET_NOT_CONFIGURED,
    unauthenticated = VAULTLET_UNAUTHENTICATED,
};

// A variable whose reference could not be resolved, valid as long as its error.
struct failed_variable {
    std::string_view name, id;
    vaultlet::kind kind;
    std::string_view message;
};

// An error. It never contains a token or the value of a secret. What its members return lives as long as
// the error.
class error {
public:
    explicit error(vaultlet_error *raw) : raw_(raw, vaultlet_error_free) {}

    vaultlet::kind kind() const { return static_cast<vaultlet::kind>(raw_->kind); }
    std::string_view kind_name() const { return raw_->kind_name; }
    std::string_view id() const { return raw_->id; }
    std::string_view message() const { return raw_->message; }
    std::string_view help() const { return raw_->help; }
    // The HTTP status of the response, if there was one.
    std::optional<int> status() const { return raw_->status == 0 ? std::nullopt : std::optional<int>(raw_->status); }
    std::optional<std::string_view> code() const { return detail::maybe(raw_->code); }
    std::optional<std::string_view> request_id() const { return detail::maybe(raw_->request_id); }
    std::optional<std::chrono::milliseconds> retry_after() const {
        auto milliseconds = detail::maybe(raw_->retry_after_ms);
        return milliseconds ? std::optional(std::chrono::milliseconds(*milliseconds)) : std::nullopt;
    }
    // The variables that `resolve_environment` could not resolve; the rest of the error is about the first.
    std::vector<failed_variable> variables() const {
        std::size_t length = 0;
        const auto *first = vaultlet_error_variables(raw_.get(), &length);
        std::vector<failed_variable> variables;
        for (const auto *it = first; it != first + length; ++it) {
            variables.push_back({it->name, it->id, static_cast<vaultlet::kind>(it->kind), it->message});
        }
        return variables;
    }
    // The whole error in one line, as the command line prints it.
    const char *line() const { return raw_->line; }
    // The C struct, for the attempts.
    const vaultlet_error &raw() const { return *raw_; }

private:
    std::shared_ptr<vaultlet_error> raw_;
};

inline std::ostream &operator<<(std::ostream &out, const error &failed) { return out << failed.line(); }

// The exception that contains an error.
class failure : public std::runtime_error {
public:
    explicit failure(vaultlet::error why) : std::runtime_error(why.line()), why_(std::move(why)) {}
    const vaultlet::error &error() const noexcept { return why_; }

private:
    vaultlet::error why_;
};

// A value or an error, like `std::expected`.
template <class T>
class [[nodiscard]] result {
public:
    result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
    result(vaultlet::error why) : content_(std::in_place_index<1>, std::move(why)) {}

    bool has_value() const noexcept { return content_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }
    // The value; throws `failure` if there is none.
    T &value() & { return check(), *std::get_if<0>(&content_); }
    const T &value() const & { return check(), *std::get_if<0>(&content_); }
    T &&value() && { return check(), std::move(*std::get_if<0>(&content_)); }
    T &operator*() & { return value(); }
    T &&operator*() && { return std::move(*this).value(); }
    const T &operator*() const & { return value(); }
    T *operator->() { return &value(); }
    const T *operator->() const { return &value(); }
    // The error; only if there is no value.
    const vaultlet::error &error() const { return std::get<1>(content_); }

private:
    void check() const {
        if (!has_value()) throw failure(error());
    }
    std::variant<T, vaultlet::error> content_;
};

// The properties of one version of a secret, valid as long as the secret or listing that they belong to.
class properties {
public:
    explicit properties(const vaultlet_properties *raw) : raw_(raw) {}

    std::string_view vault() const { return detail::view(raw_->vault); }
    std::string_view name() const { return detail::view(raw_->name); }
    std::optional<std::string_view> version() const { return detail::maybe(raw_->version); }
    std::optional<std::string_view> content_type() const { return detail::maybe(raw_->content_type); }
    std::optional<bool> enabled() const {
        auto enabled = detail::maybe(raw_->enabled);
        return enabled ? std::optional<bool>(*enabled != 0) : std::nullopt;
    }
    // Times are Unix seconds.
    std::optional<std::int64_t> created() const { return detail::maybe(raw_->created); }
    std::optional<std::int64_t> updated() const { return detail::maybe(raw_->updated); }
    std::optional<std::int64_t> not_before() const { return detail::maybe(raw_->not_before); }
    std::optional<std::int64_t> expires() const { return detail::maybe(raw_->expires); }
    std::vector<std::pair<std::string_view, std::string_view>> tags() const {
        std::vector<std::pair<std::string_view, std::string_view>> tags;
        for (std::size_t at = 0; at < raw_->tags_len; ++at) {
            tags.emplace_back(raw_->tags[at].name, raw_->tags[at].value);
        }
        return tags;
    }
    // The C struct, for the other members.
    const vaultlet_properties &raw() const { return *raw_; }

private:
    const vaultlet_properties *raw_;
};

// One version of one secret, with its value, which is scrubbed when the secret is destroyed.
class secret {
public:
    explicit secret(vaultlet_secret *raw) : raw_(raw) {}

    // The value, valid as long as the secret. Copies of it are not scrubbed.
    std::string_view reveal() const {
        std::size_t length = 0;
        const char *text = vaultlet_secret_reveal(raw_.get(), &length);
        return {text, length};
    }
    vaultlet::properties properties() const { return vaultlet::properties(vaultlet_secret_properties(raw_.get())); }

private:
    detail::owned<vaultlet_secret, vaultlet_secret_free> raw_;
};

// Prints the reference of a secret, never the value.
inline std::ostream &operator<<(std::ostream &out, const secret &printed) {
    const auto properties = printed.properties();
    out << "akv://" << properties.vault() << '/' << properties.name();
    if (auto version = properties.version()) out << '/' << *version;
    return out;
}

// The properties of the secrets of a vault, or of the versions of a secret.
class listing {
public:
    explicit listing(vaultlet_listing *raw) : raw_(raw) {}

    std::size_t size() const { return raw_->len; }
    vaultlet::properties operator[](std::size_t at) const { return vaultlet::properties(raw_->items + at); }

private:
    detail::owned<vaultlet_listing, vaultlet_listing_free> raw_;
};

// Several secrets, in the order of their references.
class secrets {
public:
    explicit secrets(vaultlet_secrets *raw) : raw_(raw) {}

    std::size_t size() const { return raw_->len; }
    std::string_view reveal(std::size_t at) const {
        std::size_t length = 0;
        const char *text = vaultlet_secret_reveal(raw_->items[at], &length);
        return {text, length};
    }
    vaultlet::properties properties(std::size_t at) const {
        return vaultlet::properties(vaultlet_secret_properties(raw_->items[at]));
    }

private:
    detail::owned<vaultlet_secrets, vaultlet_secrets_free> raw_;
};

// The secrets that variables refer to, in the order of the variables' names.
class environment {
public:
    explicit environment(vaultlet_environment *raw) : raw_(raw) {}

    std::size_t size() const { return raw_->secrets.len; }
    std::string_view name(std::size_t at) const { return raw_->names[at]; }
    std::string_view reveal(std::size_t at) const { return revealed(raw_->secrets.items[at]); }
    // The value of the secret of a variable, if there is one; valid as long as the environment.
    std::optional<std::string_view> reveal(const std::string &name) const {
        const auto *secret = vaultlet_environment_get(raw_.get(), name.c_str());
        return secret == nullptr ? std::nullopt : std::optional(revealed(secret));
    }
    vaultlet::properties properties(std::size_t at) const {
        return vaultlet::properties(vaultlet_secret_properties(raw_->secrets.items[at]));
    }

private:
    static std::string_view revealed(const vaultlet_secret *secret) {
        std::size_t length = 0;
        const char *text = vaultlet_secret_reveal(secret, &length);
        return {text, length};
    }
    detail::owned<vaultlet_environment, vaultlet_environment_free> raw_;
};

// An access token, which is scrubbed when it is destroyed.
class token {
public:
    explicit token(vaultlet_token *raw) : raw_(raw) {}

    std::string_view reveal() const {
        std::size_t length = 0;
        const char *text = vaultlet_token_reveal(raw_.get(), &length);
        return {text, length};
    }
    // The identity that the token belongs to, valid as long as the token.
    const vaultlet_identity &identity() const { return *vaultlet_token_identity(raw_.get()); }

private:
    detail::owned<vaultlet_token, vaultlet_token_free> raw_;
};

using identity = detail::owned<vaultlet_identity, vaultlet_identity_free>;

// A cancellation: cancels the calls that name it. A copy cancels the same calls.
class cancel {
public:
    cancel() : raw_(vaultlet_cancel_new(), vaultlet_cancel_free) {}
    void now() const { vaultlet_cancel_now(raw_.get()); }
    const vaultlet_cancel *raw() const { return raw_.get(); }

private:
    std::shared_ptr<vaultlet_cancel> raw_;
};

// Options of a single call.
struct call {
    std::chrono::milliseconds timeout{0};
    std::optional<vaultlet::cancel> cancel;
    // A user-assigned managed identity; set at most one of the three ids.
    std::string client_id, object_id, resource_id;
};

// A request for a token; by default for the Key Vault of the configured cloud.
struct token_request {
    std::string resource, tenant, claims;
};

// What `resolve_environment` resolves; by default, every reference in the environment of the process.
struct environment_request {
    // Variables in place of those of the process, or of those that the handle was opened with.
    std::optional<std::vector<std::pair<std::string, std::string>>> variables;
    // The names of the variables to resolve, each of which must be there.
    std::optional<std::vector<std::string>> only;
};

// Options to open a handle with, by the names of the command line's flags.
class options {
public:
    options() : raw_(vaultlet_options_new()) {}

    // If an option is refused, `open` returns the error of the first one.
    options &set(const std::string &name, const std::string &value) {
        return keep(vaultlet_options_set(raw_.get(), name.c_str(), value.c_str()));
    }
    // Sets an environment variable for this handle. Once one is set, the environment of the process is not
    // read any more.
    options &variable(const std::string &name, const std::string &value) {
        return keep(vaultlet_options_variable(raw_.get(), name.c_str(), value.c_str()));
    }

private:
    friend class handle;
    options &keep(vaultlet_error *failed) {
        if (failed != nullptr) {
            error why(failed);
            if (!refused_) refused_ = why;
        }
        return *this;
    }
    detail::owned<vaultlet_options, vaultlet_options_free> raw_;
    std::optional<error> refused_;
};

// A handle, which gets secrets. Any thread may use it at any time.
class handle {
public:
    static result<handle> open(const options &options = {}) {
        if (options.refused_) return *options.refused_;
        vaultlet_handle *opened = nullptr;
        if (auto *failed = vaultlet_open(VAULTLET_ABI, options.raw_.get(), &opened)) return error(failed);
        return handle(opened);
    }

    result<secret> get(const std::string &reference, const call &options = {}) const {
        return ask<secret>(options, vaultlet_get, reference.c_str());
    }
    result<secrets> get_many(const std::vector<std::string> &references, const call &options = {}) const {
        std::vector<const char *> texts;
        for (const auto &reference : references) texts.push_back(reference.c_str());
        vaultlet_secrets *got = nullptr;
        raw_call raw(options);
        if (auto *failed = vaultlet_get_many(raw_.get(), texts.data(), texts.size(), raw.get(), &got)) {
            return error(failed);
        }
        return secrets(got);
    }
    // Gets the secrets that variables refer to: all of them, or none. The environment is not changed.
    result<environment> resolve_environment(const environment_request &request = {}, const call &options = {}) const {
        // One more than needed, so that there is an address.
        std::vector<vaultlet_variable> variables(1);
        std::vector<const char *> only(1);
        vaultlet_environment_request raw{};
        raw.size = sizeof raw;
        if (request.variables) {
            for (const auto &[name, value] : *request.variables) {
                variables.insert(variables.end() - 1, {name.c_str(), value.c_str()});
            }
            raw.variables = variables.data();
            raw.variables_len = request.variables->size();
        }
        if (request.only) {
            for (const auto &name : *request.only) only.insert(only.end() - 1, name.c_str());
            raw.only = only.data();
            raw.only_len = request.only->size();
        }
        const vaultlet_environment_request *argument = &raw;
        return ask<environment>(options, vaultlet_resolve_environment, argument);
    }
    result<listing> list(const std::string &vault, const call &options = {}) const {
        return ask<listing>(options, vaultlet_list, vault.c_str());
    }
    result<listing> versions(const std::string &reference, const call &options = {}) const {
        return ask<listing>(options, vaultlet_versions, reference.c_str());
    }
    result<token> get_token(const token_request &request = {}, const call &options = {}) const {
        const auto raw = raw_request(request);
        return ask<token>(options, vaultlet_get_token, &raw);
    }
    result<identity> whoami(const token_request &request = {}, const call &options = {}) const {
        const auto raw = raw_request(request);
        return ask<identity>(options, vaultlet_whoami, &raw);
    }
    // Returns the plan as JSON: what the credentials may read or use, and which servers they may connect to.
    // It does not use the network.
    result<std::string> plan(const std::string &reference = {}, const call &options = {}) const {
        char *text = nullptr;
        raw_call raw(options);
        if (auto *failed = vaultlet_plan(raw_.get(), or_null(reference), raw.get(), &text)) return error(failed);
        detail::owned<char, vaultlet_text_free> owned(text);
        return std::string(text);
    }
    // Gets a secret without waiting; the future waits.
    std::future<result<secret>> get_async(const std::string &reference, const call &options = {}) const {
        auto promise = std::make_unique<std::promise<result<secret>>>();
        auto future = promise->get_future();
        raw_call raw(options);
        vaultlet_get_then(raw_.get(), reference.c_str(), raw.get(), on_secret, promise.release());
        return future;
    }

private:
    explicit handle(vaultlet_handle *raw) : raw_(raw) {}

    static const char *or_null(const std::string &text) { return text.empty() ? nullptr : text.c_str(); }
    static vaultlet_token_request raw_request(const token_request &request) {
        return {sizeof(vaultlet_token_request), or_null(request.resource), or_null(request.tenant),
                or_null(request.claims)};
    }
    static void on_secret(void *context, vaultlet_error *failed, vaultlet_secret *got) {
        std::unique_ptr<std::promise<result<secret>>> promise(static_cast<std::promise<result<secret>> *>(context));
        if (failed != nullptr) {
            promise->set_value(error(failed));
        } else {
            promise->set_value(secret(got));
        }
    }

    class raw_call {
    public:
        explicit raw_call(const call &options)
            : raw_{sizeof(vaultlet_call), options.timeout.count(), options.cancel ? options.cancel->raw() : nullptr,
                   or_null(options.client_id), or_null(options.object_id), or_null(options.resource_id)} {}
        const vaultlet_call *get() const { return &raw_; }

    private:
        vaultlet_call raw_;
    };

    template <class T, class Raw, class Argument>
    result<T> ask(const call &options,
                  vaultlet_error *(*function)(const vaultlet_handle *, Argument, const vaultlet_call *, Raw **),
                  Argument argument) const {
        Raw *got = nullptr;
        raw_call raw(options);
        if (auto *failed = function(raw_.get(), argument, raw.get(), &got)) return error(failed);
        return T(got);
    }

    detail::owned<vaultlet_handle, vaultlet_close> raw_;
};

}  // namespace vaultlet

#endif
