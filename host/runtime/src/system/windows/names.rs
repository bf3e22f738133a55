//! Users of this machine, by their names: Windows has no ids that are numbers.
//! <https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-getusernamew>

use windows_sys::Win32::System::WindowsProgramming::GetUserNameW;

/// Units of UTF-16 in the longest name, with the zero at its end.
const NAME_MAX: u32 = 257;

/// None.
pub(crate) fn own_id() -> Option<u32> {
    None
}

/// The name of this process's user, without its domain.
pub(crate) fn own() -> Option<String> {
    let mut name = [0_u16; NAME_MAX as usize];
    let mut length = NAME_MAX;
    // SAFETY: there is room for as many units as `length` says.
    #[allow(unsafe_code, reason = "the standard library does not tell it")]
    let known = unsafe { GetUserNameW(name.as_mut_ptr(), &raw mut length) };
    let length = usize::try_from(length).ok()?.checked_sub(1)?;
    (known != 0).then(|| name.get(..length).map(String::from_utf16_lossy))?
}

/// None.
pub(crate) fn of_user(_: u32) -> Option<String> {
    None
}

/// None.
pub(crate) fn id_of(_: &str) -> Option<u32> {
    None
}

/// Whether two names are one user's: their case does not matter.
pub(crate) fn are_equal(name: &str, other: &str) -> bool {
    name.to_lowercase() == other.to_lowercase()
}
