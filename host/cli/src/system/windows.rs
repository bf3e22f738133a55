//! Windows.

#![allow(unsafe_code, reason = "functions of the system that the standard library has not")]

use std::ffi::{OsStr, OsString};
use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io;
use std::mem::MaybeUninit;
use std::os::windows::io::{AsHandle as _, AsRawHandle as _, RawHandle};
use std::path::{Path, PathBuf};
use std::{env, ptr};

use windows_sys::Win32::Security::Cryptography::{
    BCRYPT_USE_SYSTEM_PREFERRED_RNG, BCryptGenRandom,
};
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, FILE_TYPE_PIPE, GetFileInformationByHandle, GetFileType,
};

/// How a program's name may end, if that is left out.
const ENDINGS: [&str; 4] = ["exe", "cmd", "bat", "com"];

/// Where the Azure Arc agent has its key files, below the folder of the programs' data.
/// <https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication>
const ARC_KEYS: &str = r"AzureConnectedMachineAgent\Tokens";

/// Prepares this process: its component, which knows no systems, is told by a variable where Windows has the Azure Arc
/// agent's key files. Call this before there is another thread.
pub(crate) fn prepare() {
    const FOLDER: &str = "VAULTLET_ARC_KEY_FOLDER";
    let is_set = env::var_os(FOLDER).is_some_and(|value| !value.is_empty());
    if let Some(data) = env::var_os("ProgramData").filter(|_| !is_set) {
        // SAFETY: there is no other thread.
        unsafe { env::set_var(FOLDER, Path::new(&data).join(ARC_KEYS)) };
    }
}

/// The bytes of a text of the system: UTF-8, but for what is not Unicode.
pub(crate) fn bytes(text: &OsStr) -> &[u8] {
    text.as_encoded_bytes()
}

/// The text of the system that consists of these bytes; `None` if they are not UTF-8.
pub(crate) fn text(bytes: &[u8]) -> Option<OsString> {
    str::from_utf8(bytes).ok().map(OsString::from)
}

/// The program of this name in a folder, whose ending may be left out.
pub(crate) fn program_in(folder: &Path, name: &str) -> Option<PathBuf> {
    let ended = ENDINGS.iter().map(|ending| format!("{name}.{ending}"));
    let has_ending = ENDINGS.iter().any(|ending| {
        Path::new(name).extension().is_some_and(|own| own.eq_ignore_ascii_case(ending))
    });
    let names = has_ending.then(|| name.to_owned()).into_iter().chain(ended);
    names.map(|name| folder.join(name)).find(|path| path.is_file())
}

/// No: a socket is no file.
pub(crate) fn is_socket(_: FileType) -> bool {
    false
}

/// No: a disk is opened by another kind of name.
pub(crate) fn is_disk(_: FileType) -> bool {
    false
}

/// Does nothing: a file's ending says that it is a program, and its folder who may run it.
#[allow(clippy::unnecessary_wraps, reason = "as on other systems")]
pub(crate) fn let_all_run(_: &File) -> io::Result<()> {
    Ok(())
}

/// Does nothing: a new file has the rights that its folder hands on.
pub(crate) fn set_mode(_: &mut OpenOptions, _: u32) {}

/// A file that is removed when it is closed, with nothing in it.
pub(crate) fn unnamed_file(_: &str) -> io::Result<File> {
    tempfile::tempfile()
}

/// No: not everybody may make links.
pub(crate) fn is_foreign_link(_: &Metadata, _: &Metadata) -> bool {
    false
}

/// Our standard output (1) or standard error (2), as a file.
pub(crate) fn standard_stream(number: u8) -> io::Result<File> {
    let stream = match number {
        1 => io::stdout().as_handle().try_clone_to_owned(),
        _ => io::stderr().as_handle().try_clone_to_owned(),
    };
    stream.map(File::from)
}

/// Whether a file is what our standard output leads to.
pub(crate) fn is_stdout(file: &File) -> bool {
    is_same_file(file.as_raw_handle(), io::stdout().as_raw_handle())
}

/// Whether two handles lead to the same file. Of pipes and consoles nothing is known.
pub(crate) fn is_same_file(one: RawHandle, other: RawHandle) -> bool {
    let (Some(one), Some(other)) = (file(one), file(other)) else { return false };
    let number = |it: &BY_HANDLE_FILE_INFORMATION| {
        (it.dwVolumeSerialNumber, it.nFileIndexHigh, it.nFileIndexLow)
    };
    number(&one) == number(&other)
}

fn file(handle: RawHandle) -> Option<BY_HANDLE_FILE_INFORMATION> {
    let mut information = MaybeUninit::zeroed();
    // SAFETY: the pointer is to a struct of the right kind, which is initialised when the call succeeds.
    unsafe {
        (GetFileInformationByHandle(handle, information.as_mut_ptr()) != 0)
            .then(|| information.assume_init())
    }
}

/// Whether our standard output is a pipe.
pub(crate) fn writes_to_pipe() -> bool {
    // SAFETY: the handle is only looked at.
    unsafe { GetFileType(io::stdout().as_raw_handle()) == FILE_TYPE_PIPE }
}

/// A number that nobody can guess.
pub(crate) fn random() -> io::Result<u128> {
    let mut bytes = [0_u8; 16];
    let flags = BCRYPT_USE_SYSTEM_PREFERRED_RNG;
    // SAFETY: there is room for 16 bytes.
    let status = unsafe { BCryptGenRandom(ptr::null_mut(), bytes.as_mut_ptr(), 16, flags) };
    match status {
        0 => Ok(u128::from_ne_bytes(bytes)),
        _ => Err(io::Error::other("the system has none")),
    }
}

/// Limits of this process, of which each may be none.
pub(crate) struct Limits {
    pub(crate) descriptors: Option<u64>,
    /// How many descriptors are open.
    pub(crate) open: u64,
    /// Bytes of address space.
    pub(crate) addresses: Option<u64>,
    /// Processes and threads of this user.
    pub(crate) processes: Option<u64>,
}

impl Limits {
    pub(crate) fn of_process() -> Self {
        Self { descriptors: None, open: 0, addresses: None, processes: None }
    }
}
