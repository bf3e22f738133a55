//! Plugins: components written by others, which read the secrets that they are granted and see
//! nothing else of this machine.

mod builder;
mod call;
mod compile;
mod component;
mod grants;
mod options;
mod secrets;
mod store_state;
mod wave;
mod workers;

pub use builder::PluginBuilder;
pub use call::Plugin;
pub use wave::wave_text;
