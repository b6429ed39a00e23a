//! What stands in a store, as the session layer would have put it there.

use std::time::{Duration, SystemTime};

use palisade::session::Device;
use palisade::session::store::Stored;
use palisade_core::session::{SessionCodec, SessionData};

use crate::client::settings;

pub(crate) const HOUR: Duration = Duration::from_hours(1);

pub(crate) fn codec() -> SessionCodec {
    SessionCodec::new(&settings().key_ring())
}

pub(crate) fn stored(json: &str, expires: SystemTime) -> Stored {
    Stored {
        data: codec().encode(&SessionData::from_json(json.to_owned()).unwrap(), expires),
        expires,
    }
}

pub(crate) fn device(user: &str) -> Device {
    Device {
        user_id: user.to_owned(),
        address: "2001:db8::7".to_owned(),
        user_agent: "Mozilla/5.0".to_owned(),
    }
}

/// Writes a file that holds a secret, readable by its owner alone, as a start asks for.
pub(crate) fn write_secret(path: &std::path::Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;

    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
