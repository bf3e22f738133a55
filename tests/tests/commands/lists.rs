//! The lists of arguments that are compared, but for those that need an identity endpoint of their own.

use std::collections::BTreeMap;

pub(crate) const GUID: &str = "11111111-1111-4111-8111-111111111111";

/// A list of arguments with the variables that are set besides the job's.
pub(crate) struct List {
    pub(crate) arguments: Vec<String>,
    pub(crate) variables: BTreeMap<String, String>,
    /// Whether values or tokens are what stdout is for.
    pub(crate) reveals: bool,
}

/// A list from words; `{}` in one stands for the vault's URL.
pub(crate) fn list(words: &[&str]) -> List {
    let arguments = words.iter().map(|word| (*word).to_owned()).collect();
    List { arguments, variables: BTreeMap::new(), reveals: false }
}

impl List {
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn reveals(self) -> Self {
        Self { reveals: true, ..self }
    }
}

pub(crate) fn get() -> Vec<List> {
    vec![
        list(&["get", "{}/secrets/db"]).reveals(),
        list(&["get", "{}/secrets/db", "-o", "value"]).reveals(),
        list(&["get", "-o", "json", "{}/secrets/db"]).reveals(),
        list(&["get", "-ojson", "{}/secrets/db"]).reveals(),
        list(&["get", "-o=json", "{}/secrets/db"]).reveals(),
        list(&["get", "--output=env", "{}/secrets/db"]).reveals(),
        list(&["get", "-o", "env", "{}/secrets/1pass"]).reveals(),
        list(&["get", "-o", "env", "{}/secrets/a-2-B", "{}/secrets/1pass", "{}/secrets/db"])
            .reveals(),
        list(&["get", "-o", "json", "{}/secrets/a-2-B", "{}/secrets/full", "{}/secrets/db"])
            .reveals(),
        list(&["get", "-o", "json", "{}/secrets/full"]).reveals(),
        list(&["get", "{}/secrets/empty"]).reveals(),
        list(&["get", "-o", "json", "{}/secrets/empty", "{}/secrets/empty"]).reveals(),
        list(&["get", "{}/secrets/bundle?json=/user"]).reveals(),
        list(&["get", "-o", "json", "{}/secrets/bundle?json=/a~1b/c~0d"]).reveals(),
        list(&["get", "-o", "env", "{}/secrets/bundle?json=/%C3%A9"]).reveals(),
        list(&["get", "{}/secrets/bundle?json=/none"]),
        list(&["get", "{}/secrets/db?json=/none", "-o", "json"]),
        list(&["get", "{}/secrets/bundle?other=1"]),
        list(&["get", "--", "{}/secrets/db"]).reveals(),
        list(&["get", "  {}/secrets/DB  ", "-ojson"]).reveals(),
        list(&["get", "@Microsoft.KeyVault(SecretUri={}/secrets/db)"]).reveals(),
        list(&["get", "{}/secrets/db"]).with("VAULTLET_OUTPUT", "json").reveals(),
        list(&["get", "{}/secrets/db"]).with("VAULTLET_OUTPUT", "").reveals(),
        list(&["get", "{}/secrets/db", "-o", "value"]).with("VAULTLET_OUTPUT", "xml").reveals(),
        list(&["get", "{}/secrets/db"]).with("VAULTLET_OUTPUT", "xml"),
        list(&["get", "{}/secrets/missing"]),
        list(&["get", "{}/secrets/missing", "--output", "json"]),
        list(&["get", "{}/secrets/off"]),
        list(&["get", "{}/secrets/off", "-ojson"]),
        list(&["get", "{}/secrets/denied"]),
        list(&["get", "{}/secrets/denied", "-o", "json"]),
        list(&["get", "-o", "env", "{}/secrets/db", "{}/secrets/missing"]),
        list(&["get", "-o", "env", "{}/secrets/db", "{}/secrets/DB"]),
        list(&["get", "-o", "env", "{}/secrets/db", "akv://other/db"]),
        list(&["get", "-o", "env", "{}/secrets/db", "OTHER={}/secrets/DB"]).reveals(),
        list(&["get", "-o", "env", "X={}/secrets/db", "X={}/secrets/path"]),
        list(&["get", "-o", "env", "{}/secrets/path"]),
        list(&["get", "-o", "env", "PATH={}/secrets/path"]),
        list(&["get", "-o", "env", "{}/secrets/bundle?json=/user", "{}/secrets/bundle?json=/n"]),
        list(&["get", "-o", "env", "1X={}/secrets/db"]),
        list(&["get", "-o", "env", "={}/secrets/db"]),
        list(&["get", "-o", "env", "X=nonsense"]),
        list(&["get", "-o", "env", "é={}/secrets/db"]),
        list(&["get", "-o", "json", "X={}/secrets/db"]),
        list(&["get", "X={}/secrets/db"]),
        list(&["get", "-o", "env", "{}/secrets/nul?json=/a"]),
        list(&["get", "{}/secrets/nul?json=/a"]),
        list(&["get", "-o", "env", "{}/secrets/denied"]),
        list(&["get", "-o", "env", "{}/secrets/off"]),
        list(&["get", "{}/secrets/path", "{}/secrets/path"]).with("VAULTLET_OUTPUT", "env"),
        list(&["get", "--nope"]).with("VAULTLET_OUTPUT", "env"),
        list(&["list", "--nope"]).with("VAULTLET_OUTPUT", "env"),
        list(&["read", "{}/secrets/db"]).reveals(),
        list(&["show", "-o", "json", "{}/secrets/db"]).reveals(),
        list(&["get", "{}/secrets/no_name"]),
        list(&["get", "{}/secrets/db/not-a-version"]),
        list(&["get", "akv://x"]),
        list(&["get", "akv://é/db"]),
        list(&["get", ""]),
        list(&["get", "é", "-o", "json"]),
        list(&["get", "http://example.test/secrets/x"]),
    ]
}

pub(crate) fn list_and_versions() -> Vec<List> {
    vec![
        list(&["list", "{}"]),
        list(&["list", "{}", "-o", "json"]),
        list(&["list", "-ovalue", "{}"]),
        list(&["list", "--vault", "{}"]),
        list(&["list", "--vault={}/", "--output=json"]),
        list(&["list"]).with("VAULTLET_VAULT", "a_b"),
        list(&["list", "{}"]).with("VAULTLET_VAULT", "ignored"),
        list(&["list", "{}/x"]),
        list(&["list", ""]),
        list(&["list", "--vault", ""]),
        list(&["list", "{}", "--vault", "{}"]),
        list(&["list"]),
        list(&["list", "-o", "json"]),
        list(&["ls", "{}", "-o", "value"]),
        list(&["list", "{}", "-o", "env"]),
        list(&["list", "my_vault"]),
        list(&["versions", "{}/secrets/full"]),
        list(&["versions", "{}/secrets/full", "-o", "json"]),
        list(&["versions", "{}/secrets/1pass", "--output", "value"]),
        list(&["versions", "full", "--vault", "{}"]),
        list(&["versions", "full", "--vault", "{}/", "-ojson"]),
        list(&["versions", "{}/secrets/missing"]),
        list(&["versions", "missing", "--vault", "{}", "-o", "json"]),
        list(&["versions", "{}/secrets/db?json=/a"]),
        list(&["versions", "db"]),
        list(&["versions", "db", "--vault", ""]),
        list(&["versions"]),
        list(&["versions", "--vault", "{}"]),
        list(&["versions", "{}/secrets/db", "--vault", "{}"]),
        list(&["versions", "{}/secrets/db"]).with("VAULTLET_VAULT", "ignored"),
        list(&["versions", "@", "-o", "table"]),
    ]
}

/// Each setting as a flag and as a variable, right and wrong, and the flag that wins over the variable.
pub(crate) fn settings() -> Vec<List> {
    let get = ["get", "{}/secrets/db"];
    let mut lists = Vec::new();
    for (flag, right, wrong) in [
        ("identity", "managed-identity", "nobody"),
        ("exclude", "environment,azure-cli", "nobody"),
        ("client-id", "", "not-a-guid"),
        ("object-id", "", "not-a-guid"),
        ("resource-id", "", "not-an-id"),
        ("additional-tenants", "*", "not a tenant"),
        ("user-assertion-file", "/none", ""),
        ("cloud", "china", "mars"),
        ("timeout", "60.5", "soon"),
        ("timeout", "60", "1e3"),
        ("timeout", "", "86401"),
        ("allow-http-identity", "neighbour", "not a host"),
    ] {
        let name = format!("VAULTLET_{}", flag.to_uppercase().replace('-', "_"));
        let flag = format!("--{flag}");
        lists.push(list(&[&get[..], &[&flag, right]].concat()).reveals());
        lists.push(list(&get).with(&name, right).reveals());
        lists.push(list(&[&get[..], &[&flag, right]].concat()).with(&name, wrong).reveals());
        if !wrong.is_empty() {
            lists.push(list(&[&get[..], &["-ojson", &flag, wrong]].concat()).with(&name, right));
            lists.push(list(&get).with(&name, wrong));
        }
        lists.push(list(&[&get[..], &[&flag]].concat()));
    }
    let off = ("VAULTLET_ALLOW_HTTP_LOOPBACK", "");
    let db = "{}/secrets/db";
    lists.extend([
        list(&get).with(off.0, off.1),
        list(&["get", db, "--allow-http-loopback"]).with(off.0, off.1).reveals(),
        list(&["get", db, "--allow-http-loopback"]).with(off.0, "maybe").reveals(),
        list(&get).with(off.0, "maybe"),
        list(&["get", db, "--allow-http-loopback=true"]),
        list(&["get", db, "--allow-http-loopback", "--allow-http-loopback"]),
        list(&["get", db, "--identity", "environment", "--identity", "managed"]).reveals(),
        list(&["get", db, "--identity=environment", "--identity", "nobody"]),
        list(&["get", db, "--identity", "environment"]),
        list(&["get", db, "--identity", "environment,workload-identity", "-o", "json"]),
        list(&["get", db, "--identity", ""])
            .with("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
            .reveals(),
        list(&get).with("AZURE_TOKEN_CREDENTIALS", "nobody"),
        list(&["get", db, "--additional-tenants", "a,b", "--additional-tenants", "c"]).reveals(),
        list(&["get", db, "--additional-tenants", "a,b", "--additional-tenants", "no tenant"]),
        list(&["get", db, "--client-id", GUID, "--object-id", GUID]),
        list(&["get", db, "--resource-id", "x", "--object-id", "", "--client-id", GUID]),
        list(&["get", db, "--client-id", GUID]).with("VAULTLET_OBJECT_ID", GUID),
        list(&["get", db, "--client-id", "a", "--client-id", "b"]),
        list(&["get", db, "--client-id", GUID]),
        list(&["get", db, "--client-id", GUID, "-o", "json"]),
    ]);
    lists
}

/// Wrong arguments of each kind.
pub(crate) fn usage() -> Vec<List> {
    let mut lists: Vec<_> = [
        // Commands.
        &["nonsense"][..],
        &["GET", "x"],
        &[""],
        &["-"],
        &["--", "nonsense"],
        &["--", "get", "x"],
        &["--nope", "get", "x"],
        &["--nope=x"],
        &["-x"],
        &["-o", "json", "get", "x"],
        &["--output=json", "whoami"],
        // What users of other tools type.
        &["env"],
        &["login"],
        &["keyvault", "secret", "show"],
        &["set", "x", "y"],
        &["akv://x/y"],
        &["https://x.vault.azure.net/secrets/y"],
        &["@Microsoft.KeyVault(x)"],
        &["get", "x", "--json"],
        &["get", "x", "--format", "json"],
        &["get", "x", "--format=json"],
        &["get", "x", "-f", "json"],
        &["get", "-n", "x"],
        &["get", "--vault-name", "x", "--name", "y"],
        &["get", "x", "--no-newline", "-o", "json"],
        &["read"],
        &["show", "x", "-o", "env", "--query", "value"],
        &["ls", "x", "y"],
        &["whoami", "--verbose"],
        // Flags that a command does not have.
        &["get", "--nope", "x"],
        &["get", "--nope=x"],
        &["get", "x", "-x"],
        &["get", "x", "-é"],
        &["get", "x", "-1"],
        &["get", "x", "--é"],
        &["get", "x", "---"],
        &["get", "x", "--=x"],
        &["get", "x", "--vault", "x"],
        &["get", "x", "--reveal"],
        &["get", "x", "--outpu", "json"],
        &["get", "x", "--VAULT"],
        &["get", "x", "-O", "json"],
        &["get", "x", "--version"],
        &["whoami", "--reveal"],
        &["whoami", "--claims", "{}"],
        &["list", "--tenant", "x"],
        // Values that are missing, too many or not allowed.
        &["get"],
        &["get", "-o", "json"],
        &["get", "--"],
        &["get", "x", "-o"],
        &["get", "x", "-o="],
        &["get", "x", "-o", ""],
        &["get", "x", "--output="],
        &["get", "x", "--output"],
        &["get", "x", "--output", "--", "json"],
        &["get", "x", "-o", "--cloud", "china"],
        &["get", "x", "-o", "-x"],
        &["get", "x", "-o", "table"],
        &["get", "x", "-o", "JSON"],
        &["get", "x", "-ojson ", "-ojson"],
        &["get", "x", "-o", "é"],
        &["get", "x", "-o", "xml", "--nope"],
        &["get", "x", "-o", "xml", "--cloud", "mars"],
        &["get", "x", "y"],
        &["get", "x", "y", "-o", "value"],
        &["list", "x", "-o", "env"],
        &["list", "x", "-oxml", "-o", "json"],
        &["versions", "x", "y"],
        &["list", "x", "y", "-o", "json"],
        &["list", "x", "--", "-y"],
        &["list", "--vault"],
        &["list", "--vault", "--", "x"],
        &["whoami", "x"],
        &["whoami", "-o", "value"],
        &["whoami", "-o", "xml", "y"],
        &["token", "-o", "env"],
        &["token", "-o", "table", "--reveal"],
        &["token", "--reveal=true"],
        &["token", "--reveal", "x"],
        &["token"],
        &["token", "-o", "json"],
        // Flags that are given twice, or exclude each other.
        &["get", "x", "-o", "json", "-o", "env"],
        &["get", "x", "-ojson", "--output=json"],
        &["get", "x", "-oenv", "--output=json"],
        &["get", "x", "-oenv", "--output"],
        &["get", "x", "-oenv", "-o="],
        &["get", "x", "-ojson", "-o"],
        &["get", "x", "-o", "xml", "-o", "json"],
        &["get", "x", "-o", "json", "-o", "xml"],
        &["get", "x", "--timeout", "1", "--timeout", "2", "-o", "json"],
        &["list", "--vault", "x", "--vault", "x"],
        &["token", "--reveal", "--reveal"],
        &["token", "--reveal", "--resource", "a", "--scope", "b"],
        &["token", "--scope", "a", "--reveal", "--resource", "b"],
        &["whoami", "--scope", "a", "--scope", "b"],
        &["whoami", "--tenant", "a", "--tenant", "b", "-o", "json"],
        // Both kinds in one list: the order decides.
        &["get", "--client-id", "a", "--object-id", "b"],
        &["versions", "--vault", "x", "--nope"],
        &["get", "-o", "json", "--nope", "--", "-o", "env"],
    ]
    .into_iter()
    .map(list)
    .collect();
    lists.extend([
        list(&["whoami", "--resource", "a"]).with("VAULTLET_SCOPE", "b"),
        list(&["whoami", "--scope", "a"]).with("VAULTLET_RESOURCE", "b"),
        list(&["whoami", "-o", "json"]).with("VAULTLET_SCOPE", "a").with("VAULTLET_RESOURCE", "b"),
        list(&["token", "--reveal"]).with("VAULTLET_OUTPUT", "env"),
        list(&["token"]).with("VAULTLET_REVEAL", "true"),
        list(&["whoami"]).with("VAULTLET_OUTPUT", "value"),
        list(&["get", "--nope"]).with("VAULTLET_OUTPUT", "json"),
        list(&["get", "--nope", "-o", "env"]).with("VAULTLET_OUTPUT", "json"),
        list(&["get", "x", "y"]).with("VAULTLET_OUTPUT", "value"),
    ]);
    lists
}
