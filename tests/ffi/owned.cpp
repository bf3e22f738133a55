// The promises of the C++ header: values move, errors are typed, and nothing prints the value of a secret.
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <type_traits>

#include "vaultlet.hpp"

#define MUST(condition) must(condition, #condition)

static void must(bool condition, const char *what) {
    if (condition) return;
    std::cerr << what << std::endl;
    std::exit(1);
}

static_assert(!std::is_copy_constructible_v<vaultlet::secret>);
static_assert(!std::is_copy_constructible_v<vaultlet::token>);
static_assert(!std::is_convertible_v<vaultlet::secret, std::string>);
static_assert(!std::is_convertible_v<vaultlet::secret, std::string_view>);
static_assert(std::is_nothrow_move_constructible_v<vaultlet::secret>);

int main() {
    using namespace std::chrono_literals;
    const std::string value = std::getenv("EXPECTED");
    vaultlet::options options;
    options.set("timeout", "60");
    auto opened = vaultlet::handle::open(options);
    MUST(opened.has_value());
    const auto vault = std::move(opened).value();

    auto got = vault.get("akv://my-key-vault/db");
    MUST(got && got->reveal() == value);
    vaultlet::secret moved = *std::move(got);
    std::ostringstream shown;
    shown << moved;
    MUST(shown.str().find("akv://my-key-vault.vault.azure.net/db/") == 0);
    MUST(shown.str().find(value) == std::string::npos);
    MUST(moved.properties().enabled() == true && !moved.properties().expires());

    auto both = vault.get_many({"akv://my-key-vault/db", "akv://my-key-vault/other"});
    MUST(both && both->size() == 2 && both->reveal(1) == value && both->properties(1).name() == "other");
    vaultlet::environment_request request;
    request.variables = {{"A", "akv://my-key-vault/db"}, {"B", "text"}, {"C", "akv://my-key-vault/denied"}};
    auto failed = vault.resolve_environment(request);
    MUST(!failed && failed.error().variables().size() == 1);
    MUST(failed.error().variables()[0].name == "C");
    MUST(failed.error().variables()[0].kind == vaultlet::kind::denied && failed.error().id() == "vault-forbidden");
    request.only = {"A", "B"};
    auto environment = vault.resolve_environment(request);
    MUST(environment && environment->size() == 1 && environment->name(0) == "A");
    MUST(environment->reveal("A") == value && environment->reveal(0) == value && !environment->reveal("B"));
    MUST(environment->properties(0).name() == "db");
    request.only.emplace();
    MUST(vault.resolve_environment(request)->size() == 0 && vault.resolve_environment()->size() == 0);
    auto listed = vault.list("my-key-vault");
    MUST(listed && listed->size() == 4 && (*listed)[0].name() == "db");
    auto versions = vault.versions("akv://my-key-vault/db");
    MUST(versions && versions->size() == 1);
    auto token = vault.get_token({"https://storage.azure.com", "", ""});
    MUST(token && !token->reveal().empty());
    auto whose = vault.whoami();
    MUST(whose && std::string_view((*whose)->source) == "managed-identity");
    auto plan = vault.plan("akv://my-key-vault/db");
    MUST(plan && plan->find("my-key-vault.vault.azure.net") != std::string::npos);

    auto denied = vault.get("akv://my-key-vault/denied");
    MUST(!denied && denied.error().kind() == vaultlet::kind::denied);
    MUST(denied.error().id() == "vault-forbidden" && denied.error().status() == 403);
    try {
        (void)denied.value();
        MUST(false);
    } catch (const vaultlet::failure &failed) {
        MUST(failed.error().id() == "vault-forbidden");
        std::cerr << failed.what() << std::endl;
    }

    vaultlet::call late;
    late.timeout = 1ms;
    late.cancel = vaultlet::cancel();
    late.cancel->now();
    auto ended = vault.get("akv://my-key-vault/db", late);
    MUST(!ended && ended.error().id() == "cancelled");
    MUST(vault.get_async("akv://my-key-vault/db").get()->reveal() == value);
    auto refused = vaultlet::handle::open(vaultlet::options().set("no-such-option", "x"));
    MUST(!refused && refused.error().kind() == vaultlet::kind::usage);
    std::cout << "done" << std::endl;
}
