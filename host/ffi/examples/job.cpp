#include <iostream>
#include "vaultlet.hpp"

int main() try {
    const auto vault = vaultlet::handle::open().value();
    const auto password = vault.get("akv://my-key-vault/db-password").value();
    std::cout << password.reveal() << std::endl; // a real job would connect with it
} catch (const vaultlet::failure &failed) {
    std::cerr << failed.what() << std::endl;
    return 1;
}
