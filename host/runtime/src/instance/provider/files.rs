//! `wasi:filesystem`, as much of it as the component imports, for the planned files alone.
//!
//! The interface: `wit/deps/filesystem/types.wit`.

use std::sync::Arc;

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceTable, ResourceType};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, ErrorCode, OpenFlags, PathFlags,
};
use zeroize::Zeroizing;

use crate::call::Call;
use crate::internal::files::{FileError, Files};
use crate::limits;

const TYPES: &str = "wasi:filesystem/types@0.2.6";
const PREOPENS: &str = "wasi:filesystem/preopens@0.2.6";

/// What this module needs of the data of a store.
pub(super) trait FilesView: Send + 'static {
    /// The files that may be read, and the table of open ones.
    fn files(&mut self) -> FilesViewData<'_>;
}

/// The data that [`FilesView`] lends.
pub(super) struct FilesViewData<'a> {
    pub(super) files: &'a Arc<Files>,
    /// The call that runs in the instance.
    pub(super) call: &'a Option<Arc<Call>>,
    pub(super) table: &'a mut ResourceTable,
}

/// A resource `descriptor`.
enum Descriptor {
    /// The folder that absolute paths begin at.
    Root,
    /// The folder that all other paths begin at.
    WorkingFolder,
    /// A file's content.
    File(Zeroizing<Vec<u8>>),
}

/// Adds the interfaces to a linker whose stores have a view of files.
pub(super) fn add_to_linker<T: FilesView>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    let mut types = linker.instance(TYPES)?;
    types.resource("descriptor", ResourceType::host::<Descriptor>(), |mut store, rep| {
        store.data_mut().files().table.delete(Resource::<Descriptor>::new_own(rep))?;
        Ok(())
    })?;
    types.func_wrap_async("[method]descriptor.open-at", |store, arguments| {
        Box::new(async move { Ok((open_at(store, arguments).await?,)) })
    })?;
    types
        .func_wrap("[method]descriptor.read", |store, arguments| Ok((read(store, arguments)?,)))?;
    let mut preopens = linker.instance(PREOPENS)?;
    preopens.func_wrap("get-directories", |mut store: StoreContextMut<'_, T>, (): ()| {
        let table = store.data_mut().files().table;
        let folders = vec![
            (table.push(Descriptor::Root)?, "/".to_owned()),
            (table.push(Descriptor::WorkingFolder)?, ".".to_owned()),
        ];
        Ok((folders,))
    })
}

type OpenAt = (Resource<Descriptor>, PathFlags, String, OpenFlags, DescriptorFlags);

async fn open_at<T: FilesView>(
    mut store: StoreContextMut<'_, T>,
    (folder, _, path, how, rights): OpenAt,
) -> wasmtime::Result<Result<Resource<Descriptor>, ErrorCode>> {
    let FilesViewData { files, call, table } = store.data_mut().files();
    let path = match table.get(&folder)? {
        Descriptor::Root => format!("/{path}"),
        Descriptor::WorkingFolder => path,
        Descriptor::File(_) => return Ok(Err(ErrorCode::NotDirectory)),
    };
    let writing = DescriptorFlags::WRITE | DescriptorFlags::MUTATE_DIRECTORY;
    if how != OpenFlags::empty() || rights & writing != DescriptorFlags::empty() {
        return Ok(Err(ErrorCode::NotPermitted));
    }
    let is_planned = files.is_planned(&path);
    let (files, call) = (Arc::clone(files), call.clone());
    let call = call.ok_or_else(|| wasmtime::format_err!("there is no call"))?;
    let read = tokio::task::spawn_blocking(move || files.read(&path, limits::FILE_MAX, &call));
    Ok(match read.await?? {
        Ok(content) => Ok(store.data_mut().files().table.push(Descriptor::File(content))?),
        Err(FileError::Missing) => Err(ErrorCode::NoEntry),
        Err(FileError::Forbidden) if is_planned => Err(ErrorCode::Access),
        Err(FileError::Forbidden) => Err(ErrorCode::NotPermitted),
        Err(FileError::TooLarge) => Err(ErrorCode::FileTooLarge),
        Err(FileError::Unreadable) => Err(ErrorCode::Invalid),
    })
}

type Read = (Resource<Descriptor>, u64, u64);

fn read<T: FilesView>(
    mut store: StoreContextMut<'_, T>,
    (file, length, offset): Read,
) -> wasmtime::Result<Result<(Vec<u8>, bool), ErrorCode>> {
    let Descriptor::File(content) = store.data_mut().files().table.get(&file)? else {
        return Ok(Err(ErrorCode::IsDirectory));
    };
    let start = usize::try_from(offset).unwrap_or(usize::MAX).min(content.len());
    let end =
        start.saturating_add(usize::try_from(length).unwrap_or(usize::MAX)).min(content.len());
    let piece = content.get(start..end).unwrap_or_default().to_vec();
    Ok(Ok((piece, end == content.len())))
}
