//! `wasi:filesystem`, as much of it as the component imports, for the planned files alone.
//!
//! There is no listing, no writing and no other path, so that a guest cannot find out what else is
//! on the machine. A file is read whole each time it is opened.
//!
//! The interface: `wit/deps/filesystem/types.wit`.

use std::fs::{self, File as OsFile};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceTable, ResourceType};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, ErrorCode, OpenFlags, PathFlags,
};
use zeroize::Zeroizing;

use crate::bindings::exports::vaultlet::keyvault::plan::File;
use crate::limits;

const TYPES: &str = "wasi:filesystem/types@0.2.6";
const PREOPENS: &str = "wasi:filesystem/preopens@0.2.6";

/// The path that stands for text which an embedder gave in place of a file.
pub(crate) const GIVEN: &str = "-";

/// The files that one role may read.
#[derive(Default)]
pub(crate) struct Files {
    pub(crate) planned: Vec<File>,
    /// The content of [`GIVEN`], where that path is planned.
    pub(crate) given: Option<Arc<Zeroizing<String>>>,
}

/// What this module needs of the data of a store.
pub(crate) trait FilesView: Send + 'static {
    /// The files that may be read, and the table of open ones.
    fn files(&mut self) -> FilesViewData<'_>;
}

/// The data that [`FilesView`] lends.
pub(crate) struct FilesViewData<'a> {
    pub(crate) files: &'a Arc<Files>,
    pub(crate) table: &'a mut ResourceTable,
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
pub(crate) fn add_to_linker<T: FilesView>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
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
    let FilesViewData { files, table } = store.data_mut().files();
    let path = match table.get(&folder)? {
        Descriptor::Root => format!("/{path}"),
        Descriptor::WorkingFolder => path,
        Descriptor::File(_) => return Ok(Err(ErrorCode::NotDirectory)),
    };
    let writing = DescriptorFlags::WRITE | DescriptorFlags::MUTATE_DIRECTORY;
    if how != OpenFlags::empty() || rights & writing != DescriptorFlags::empty() {
        return Ok(Err(ErrorCode::NotPermitted));
    }
    let files = Arc::clone(files);
    Ok(match files.read(path).await {
        Ok(content) => Ok(store.data_mut().files().table.push(Descriptor::File(content))?),
        Err(code) => Err(code),
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

impl Files {
    async fn read(&self, path: String) -> Result<Zeroizing<Vec<u8>>, ErrorCode> {
        let Some(planned) = self.planned.iter().find(|file| serves(file, &path)) else {
            tracing::warn!(target: "vaultlet", "denied a file that is not granted to the role");
            return Err(ErrorCode::NotPermitted);
        };
        if path == GIVEN {
            let given = self.given.as_ref().ok_or(ErrorCode::NoEntry)?;
            return Ok(Zeroizing::new(given.as_bytes().to_vec()));
        }
        let folder = match planned {
            File::Path(_) => None,
            File::Folder((folder, _)) => Some(folder.clone()),
        };
        // Reading may be slow, and the thread has other calls.
        let reading = tokio::task::spawn_blocking(move || {
            if let Some(folder) = folder
                && fs::canonicalize(&path)?.parent() != Some(&fs::canonicalize(folder)?)
            {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            read_whole(Path::new(&path), limits::FILE_MAX)
        });
        reading.await.unwrap_or(Err(io::ErrorKind::Other.into())).map_err(|e| code(&e))
    }
}

/// Whether a planned file is this path, or its folder has this path directly in it.
fn serves(file: &File, path: &str) -> bool {
    match file {
        File::Path(planned) => planned == path,
        File::Folder((folder, ending)) => path
            .strip_prefix(folder.trim_end_matches('/'))
            .and_then(|rest| rest.strip_prefix('/'))
            .is_some_and(|name| {
                name.len() > ending.len() && name.ends_with(ending.as_str()) && !name.contains('/')
            }),
    }
}

/// Reads a regular file of at most `max` bytes; a longer one is an error. Links are followed, as
/// the token files of a cluster are links.
pub(crate) fn read_whole(path: &Path, max: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    // Opening a pipe would wait for its writer.
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OsFile::options().read(true).custom_flags(nonblocking).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // Of a fixed size: a buffer that grows leaves copies of the secret behind.
    let mut content = Zeroizing::new(vec![0; max + 1]);
    let (mut length, mut file) = (0, file);
    while let Some(room) = content.get_mut(length..).filter(|room| !room.is_empty()) {
        match file.read(room) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if length > max {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    content.truncate(length);
    Ok(content)
}

fn code(error: &io::Error) -> ErrorCode {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ErrorCode::NoEntry,
        io::ErrorKind::PermissionDenied => ErrorCode::Access,
        io::ErrorKind::FileTooLarge => ErrorCode::FileTooLarge,
        io::ErrorKind::InvalidInput => ErrorCode::Invalid,
        _ => ErrorCode::Io,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_planned_paths_are_served() {
        let folder = || File::Folder(("/var/opt/agent/tokens".into(), ".key".into()));
        for (file, path, expected) in [
            (File::Path("/run/token".into()), "/run/token", true),
            (File::Path("/run/token".into()), "/run/token/", false),
            (File::Path("/run/token".into()), "/run/./token", false),
            (File::Path("/run/token".into()), "/run//token", false),
            (File::Path("/run/token".into()), "/run/x/../token", false),
            (File::Path("/run/token".into()), "run/token", false),
            (folder(), "/var/opt/agent/tokens/1.key", true),
            (folder(), "/var/opt/agent/tokens/.key", false),
            (folder(), "/var/opt/agent/tokens/1.pem", false),
            (folder(), "/var/opt/agent/tokens/a/1.key", false),
            (folder(), "/var/opt/agent/tokens/../1.key", false),
            (folder(), "/var/opt/agent/tokens", false),
            (folder(), "/var/opt/agent/tokensx/1.key", false),
            (folder(), "var/opt/agent/tokens/1.key", false),
        ] {
            assert_eq!(serves(&file, path), expected, "{file:?} {path}");
        }
    }
}
