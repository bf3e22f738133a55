//! A typical plugin: it names a secret and uses it, and sees no credential.

wit_bindgen::generate!({
    inline: "
        package example:plugin;
        world plugin {
            import vaultlet:keyvault/secrets@0.1.0;
            /// The length of a secret and the name of its vault, or why it cannot be read.
            export describe: func(reference: string) -> result<string, string>;
        }
    ",
    path: "../../../wit",
    world: "example:plugin/plugin",
    generate_all,
});

use vaultlet::keyvault::secrets;

struct Plugin;

impl Guest for Plugin {
    fn describe(reference: String) -> Result<String, String> {
        let secret = secrets::get(&reference, None)
            .map_err(|e| format!("{}; {} ({})", e.message, e.help, e.id))?;
        let properties = secret.properties();
        let length = secret.reveal().len();
        Ok(format!("{} of {} has {length} bytes", properties.name, properties.vault))
    }
}

export!(Plugin);
