//! The WIT interface `host` (`wit/embedded.wit`): all that an embedded instance reaches.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wasmtime::StoreContextMut;
use wasmtime::component::Linker;

use crate::error::Error;
use crate::internal::plain;
use crate::limits;
use crate::net::Request;

use super::store_state::StoreState;

const INTERFACE: &str = "vaultlet:keyvault/host@0.1.0";

type Context<'a> = StoreContextMut<'a, StoreState>;

/// Adds the interface. An error of the outer results ends the call that runs in the instance.
pub(super) fn add_to_linker(linker: &mut Linker<StoreState>) -> wasmtime::Result<()> {
    let mut host = linker.instance(INTERFACE)?;
    host.func_wrap("exchange", |mut store: Context<'_>, (request,): (Request,)| {
        Ok((store.data_mut().exchange(&request)?,))
    })?;
    host.func_wrap("environment", |store: Context<'_>, (): ()| {
        Ok((Arc::clone(&store.data().grant.variables),))
    })?;
    host.func_wrap("now", |_: Context<'_>, (): ()| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok((i64::try_from(now.as_secs()).unwrap_or(i64::MAX),))
    })?;
    host.func_wrap("monotonic", |store: Context<'_>, (): ()| {
        let elapsed = store.data().started.elapsed();
        Ok((u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX),))
    })?;
    host.func_wrap("wait", |store: Context<'_>, (ms,): (u32,)| {
        let state = store.data();
        Ok(state.call()?.sleep(state.grant.wait_before_retry(Duration::from_millis(ms.into())))?)
    })?;
    host.func_wrap("random", |_: Context<'_>, (count,): (u32,)| Ok((random(count)?,)))?;
    host.func_wrap("read-file", |mut store: Context<'_>, (path, max): (String, u32)| {
        let state = store.data_mut();
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        let read = state.grant.files.read(&path, max, &*state.call()?)?;
        Ok((read.map(|content| state.lend(&content)),))
    })?;
    host.func_wrap("is-file", |store: Context<'_>, (path,): (String,)| {
        let state = store.data();
        Ok((state.grant.files.exists(&path, &*state.call()?)?,))
    })?;
    host.func_wrap("can-prompt", |store: Context<'_>, (): ()| {
        Ok((store.data().grant.on_prompt.is_some(),))
    })?;
    host.func_wrap("prompt", |store: Context<'_>, (line,): (String,)| {
        if let Some(on_prompt) = &store.data().grant.on_prompt {
            on_prompt(&plain(line.as_bytes()));
        }
        Ok(())
    })
}

fn random(count: u32) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0; usize::try_from(count.min(limits::RANDOM_MAX)).unwrap_or(0)];
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(&mut bytes)
        .map_err(|_| Error::internal("the system has no random numbers"))?;
    Ok(bytes)
}
