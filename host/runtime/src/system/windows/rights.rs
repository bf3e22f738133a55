//! Who else may change a file, by its access control list.
//! <https://learn.microsoft.com/en-us/windows/win32/secauthz/access-control-lists>

#![allow(unsafe_code, reason = "the standard library knows no access control lists")]

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::os::windows::ffi::OsStrExt as _;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::path::Path;
use std::ptr;

use windows_sys::Win32::Foundation::{GENERIC_ALL, GENERIC_WRITE, LocalFree};
use windows_sys::Win32::Security::Authorization::{GetNamedSecurityInfoW, SE_FILE_OBJECT};
use windows_sys::Win32::Security::{
    ACCESS_ALLOWED_ACE, ACE_HEADER, ACL, DACL_SECURITY_INFORMATION, EqualSid, GetAce,
    GetTokenInformation, INHERIT_ONLY_ACE, IsWellKnownSid, OWNER_SECURITY_INFORMATION,
    PSECURITY_DESCRIPTOR, PSID, TOKEN_QUERY, TOKEN_USER, TokenUser, WELL_KNOWN_SID_TYPE,
    WinAnonymousSid, WinAuthenticatedUserSid, WinBuiltinAdministratorsSid, WinBuiltinGuestsSid,
    WinBuiltinUsersSid, WinInteractiveSid, WinLocalSystemSid, WinNetworkSid, WinWorldSid,
};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_APPEND_DATA, FILE_WRITE_DATA, WRITE_DAC, WRITE_OWNER,
};
use windows_sys::Win32::System::SystemServices::ACCESS_ALLOWED_ACE_TYPE;
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

/// Groups that are more than somebody, and what they are called.
const MANY: [(WELL_KNOWN_SID_TYPE, &str); 7] = [
    (WinWorldSid, "everyone"),
    (WinAuthenticatedUserSid, "all users who have logged in"),
    (WinBuiltinUsersSid, "the group of users"),
    (WinInteractiveSid, "all users of this machine"),
    (WinNetworkSid, "all users over the network"),
    (WinBuiltinGuestsSid, "guests"),
    (WinAnonymousSid, "anybody"),
];
/// Rights by which a file can be changed.
const CHANGE: u32 = FILE_WRITE_DATA
    | FILE_APPEND_DATA
    | DELETE
    | WRITE_DAC
    | WRITE_OWNER
    | GENERIC_WRITE
    | GENERIC_ALL;
/// What a system has that administrators and the system itself own.
const OWNERS: [WELL_KNOWN_SID_TYPE; 2] = [WinBuiltinAdministratorsSid, WinLocalSystemSid];

/// Why somebody else could change a file, and what to do; nothing if only its owner can, who is this user, an
/// administrator or the system. Rights of single other users are not looked at.
pub(super) fn untrusted(path: &Path) -> Option<(String, String)> {
    let help = "let only its owner and administrators write it (`icacls`)";
    let Some(rights) = Rights::of(path) else {
        let why = "who may write it cannot be read".to_owned();
        return Some((why, help.to_owned()));
    };
    if !rights.is_owned_by_us() {
        let why = "it belongs neither to this user nor to administrators nor to the system";
        let help = "make it a file of this user or of administrators (`icacls FILE /setowner`)";
        return Some((why.to_owned(), help.to_owned()));
    }
    let who = rights.changers();
    (!who.is_empty()).then(|| {
        let why = format!("others than its owner may write it, namely {}", who.join(" and "));
        (why, help.to_owned())
    })
}

/// The owner and the rights of a file.
struct Rights {
    owner: PSID,
    /// Null where everybody may do everything.
    list: *mut ACL,
    /// What both pointers lead into.
    descriptor: PSECURITY_DESCRIPTOR,
}

impl Drop for Rights {
    fn drop(&mut self) {
        // SAFETY: the system made it for us, and nothing of it is used any more.
        unsafe {
            LocalFree(self.descriptor);
        }
    }
}

impl Rights {
    fn of(path: &Path) -> Option<Self> {
        let name: Vec<u16> = path.as_os_str().encode_wide().chain([0]).collect();
        let mut rights =
            Self { owner: ptr::null_mut(), list: ptr::null_mut(), descriptor: ptr::null_mut() };
        // SAFETY: the name ends with zero, and each other pointer is to a pointer of the kind that is written.
        let error = unsafe {
            GetNamedSecurityInfoW(
                name.as_ptr(),
                SE_FILE_OBJECT,
                OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                &raw mut rights.owner,
                ptr::null_mut(),
                &raw mut rights.list,
                ptr::null_mut(),
                &raw mut rights.descriptor,
            )
        };
        (error == 0 && !rights.owner.is_null()).then_some(rights)
    }

    fn is_owned_by_us(&self) -> bool {
        // SAFETY: the owner is valid for as long as the descriptor.
        let is = |kind| unsafe { IsWellKnownSid(self.owner, kind) != 0 };
        OWNERS.into_iter().any(is) || is_installer(self.owner) || is_own(self.owner)
    }

    /// Groups that may change the file.
    fn changers(&self) -> Vec<&'static str> {
        if self.list.is_null() {
            return vec!["everyone"];
        }
        let mut changers = Vec::new();
        // SAFETY: the list is valid, and so is each entry that the system returns; an entry of this type has an id at its
        // end.
        unsafe {
            for number in 0..u32::from((*self.list).AceCount) {
                let mut entry: *mut c_void = ptr::null_mut();
                if GetAce(self.list, number, &raw mut entry) == 0 {
                    continue;
                }
                let header = *entry.cast::<ACE_HEADER>();
                let is_for_file = u32::from(header.AceFlags) & INHERIT_ONLY_ACE == 0;
                if u32::from(header.AceType) != ACCESS_ALLOWED_ACE_TYPE || !is_for_file {
                    continue;
                }
                let entry = entry.cast::<ACCESS_ALLOWED_ACE>();
                let who: PSID = (&raw mut (*entry).SidStart).cast();
                let group = MANY.iter().find(|(kind, _)| IsWellKnownSid(who, *kind) != 0);
                if let Some((_, name)) = group.filter(|_| (*entry).Mask & CHANGE != 0) {
                    changers.push(*name);
                }
            }
        }
        changers.dedup();
        changers
    }
}

/// Whether an id is that of this process's user.
fn is_own(id: PSID) -> bool {
    let mut token = ptr::null_mut();
    // Room for the struct and the id that it leads to.
    let mut user = MaybeUninit::<[u64; 32]>::zeroed();
    let size = u32::try_from(size_of_val(&user)).unwrap_or_default();
    let mut length = 0;
    // SAFETY: the token is ours to close; there is as much room as is said, aligned for the struct.
    unsafe {
        if OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) == 0 {
            return false;
        }
        let token = OwnedHandle::from_raw_handle(token);
        let to = user.as_mut_ptr().cast();
        let handle = token.as_raw_handle();
        GetTokenInformation(handle, TokenUser, to, size, &raw mut length) != 0
            && EqualSid((*to.cast::<TOKEN_USER>()).User.Sid, id) != 0
    }
}

/// Whether an id is that of the system's installer, `NT SERVICE\TrustedInstaller`, which owns what comes with Windows.
fn is_installer(id: PSID) -> bool {
    const PARTS: [u32; 6] =
        [80, 956_008_885, 3_418_522_649, 1_831_038_044, 1_853_292_631, 2_271_478_464];
    // SAFETY: an id has its revision, the number of its parts, six bytes of its authority, and its parts.
    unsafe {
        let bytes = id.cast::<u8>();
        if *bytes.add(1) != 6 || *bytes.add(7) != 5 {
            return false;
        }
        let parts = bytes.add(8).cast::<u32>();
        PARTS.iter().enumerate().all(|(at, part)| parts.add(at).read_unaligned() == *part)
    }
}
