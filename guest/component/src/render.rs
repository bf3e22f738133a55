//! `render` over [`vaultlet_core::command::render`].

use alloc::{string::String, vec::Vec};

use crate::{
    Provider,
    bindings::exports::vaultlet::keyvault::{
        plan::Variable,
        render::{Format, Guest, Part},
        types::{Error, Holder, Listed, Properties, TokenProperties},
    },
    convert::{holder, properties, to_error},
};
use vaultlet_core::{
    command::render::{self, Item},
    error,
    scrub::Scrubbed,
    settings::Settings,
    vault,
};

impl Guest for Provider {
    fn secrets(
        references: Vec<(String, Properties)>,
        values: Vec<String>,
        rendered: Part,
        output: Format,
    ) -> Result<String, Error> {
        let values: Vec<_> = values.into_iter().map(Scrubbed::new).collect();
        let references: Vec<_> = references
            .into_iter()
            .map(|(reference, given)| (reference, properties(given)))
            .collect();
        let items: Vec<_> = references
            .iter()
            .zip(&values)
            .map(|((reference, properties), value)| Item { reference, properties, value })
            .collect();
        text(render::secrets(&items, part(rendered), format(output)))
    }

    fn listing(
        what: Listed,
        settings: Vec<Variable>,
        items: Vec<Properties>,
        rendered: Part,
        output: Format,
    ) -> Result<String, Error> {
        let variable = |name: &str| {
            let setting = settings.iter().find(|(setting, _)| setting == name);
            setting.map(|(_, value)| value.clone())
        };
        let listed = Settings::read(&variable).and_then(|settings| match what {
            Listed::Secrets(vault) => vault::Listed::secrets(&vault, &settings),
            Listed::Versions(reference) => vault::Listed::versions(&reference, &settings),
        });
        let items: Vec<_> = items.into_iter().map(properties).collect();
        text(
            listed.and_then(|listed| {
                render::listing(&listed, &items, part(rendered), format(output))
            }),
        )
    }

    fn token(token: String, properties: TokenProperties) -> String {
        let token = Scrubbed::new(token);
        core::mem::take(&mut *render::token(&token, known(&properties)))
    }

    fn whoami(properties: TokenProperties, given: Holder, output: Format) -> Result<String, Error> {
        text(render::whoami(known(&properties), &holder(given), format(output)))
    }
}

fn text(rendered: Result<Scrubbed<String>, error::Error>) -> Result<String, Error> {
    rendered.map(|mut text| core::mem::take(&mut *text)).map_err(to_error)
}

fn part(part: Part) -> render::Part {
    render::Part { first: part.first, last: part.last }
}

fn format(format: Format) -> render::Format {
    match format {
        Format::Value => render::Format::Value,
        Format::Json => render::Format::Json,
        Format::Env => render::Format::Env,
        Format::Table => render::Format::Table,
    }
}

fn known(properties: &TokenProperties) -> render::TokenProperties<'_> {
    render::TokenProperties {
        expires_on: properties.expires_on,
        refresh_on: properties.refresh_on,
        resource: &properties.resource,
        source: &properties.source,
        endpoint: properties.endpoint.as_deref(),
        client_id: properties.client_id.as_deref(),
    }
}
