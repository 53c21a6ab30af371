//! Stable bytes from which the faces build their ids: the same world gives the same ids in every process.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// SHA-256 over kind and key; `kind` keeps different uses of one key apart.
pub(crate) fn derive(kind: &str, key: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(kind.as_bytes());
    hash.update([0]);
    hash.update(key.as_bytes());
    hash.finalize().into()
}

/// The first 16 derived bytes as a lower-case GUID (version 4 shape).
pub(crate) fn guid(kind: &str, key: &str) -> String {
    let mut bytes = [0_u8; 16];
    for (to, from) in bytes.iter_mut().zip(derive(kind, key)) {
        *to = from;
    }
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut text = String::with_capacity(36);
    for (place, byte) in bytes.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        push_hex(&mut text, *byte);
    }
    text
}

/// `b!` and 64 opaque characters: the drive of the person with this address.
pub(crate) fn onedrive_drive(email: &str) -> String {
    let mut bytes = derive("onedrive-drive", email).to_vec();
    bytes.extend(derive("onedrive-drive-list", email).iter().take(16));
    format!("b!{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// Lower-case hex of all bytes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        push_hex(&mut text, *byte);
    }
    text
}

fn push_hex(text: &mut String, byte: u8) {
    // Writing to a String cannot fail.
    let _ = write!(text, "{byte:02x}");
}
