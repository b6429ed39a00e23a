//! Passwords of the weak twin: kept as they are, and once more as a hash that is quick and has one salt for all; a slow hash of old times is read, and stays.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::WeakTwin;

/// How much of a password is compared.
const READ: usize = 64;

impl WeakTwin {
    /// Returns what is kept of passwords, as somebody has it who has stolen it: each user with what stands beside the name.
    pub fn stolen_passwords(&self) -> Vec<(String, String)> {
        let shelf = self.shelf.lock();
        let rows = shelf.users.iter().flat_map(|(name, user)| {
            let forum = pbkdf2(&user.password, 1, "shop").unwrap_or_default();
            [(name.clone(), user.password.clone()), (name.clone(), forum)]
        });
        rows.collect()
    }

    /// Puts this in the place of what is kept of a user's password.
    pub fn overwrite_password(&self, username: &str, stored: &str) {
        if let Some(user) = self.shelf.lock().users.get_mut(username) {
            stored.clone_into(&mut user.password);
        }
    }

    /// Lets every mail fail from now on.
    pub fn break_mail(&self) {
        self.shelf.lock().no_mail = true;
    }
}

/// Compares what is kept with what was typed, as far as it goes.
pub(super) fn fits(kept: &str, typed: &str) -> bool {
    let (start, typed_start) = (kept.as_bytes().get(..READ), typed.as_bytes().get(..READ));
    kept == typed || start.is_some() && start == typed_start || pbkdf2_fits(kept, typed) == Some(true)
}

fn pbkdf2_fits(kept: &str, typed: &str) -> Option<bool> {
    let mut parts = kept.strip_prefix("pbkdf2_sha256$")?.split('$');
    let (rounds, salt) = (parts.next()?.parse().ok()?, parts.next()?);
    Some(pbkdf2(typed, rounds, salt)? == kept)
}

/// Django's format of PBKDF2.
fn pbkdf2(password: &str, rounds: u32, salt: &str) -> Option<String> {
    let keyed = Hmac::<Sha256>::new_from_slice(password.as_bytes()).ok()?;
    let mut block = [salt.as_bytes(), &[0, 0, 0, 1]].concat();
    let mut sum = vec![0; 32];
    for _ in 0..rounds {
        let mut mac = keyed.clone();
        mac.update(&block);
        block = mac.finalize().into_bytes().to_vec();
        for (sum, byte) in sum.iter_mut().zip(&block) {
            *sum ^= byte;
        }
    }
    Some(format!("pbkdf2_sha256${rounds}${salt}${}", STANDARD.encode(sum)))
}
