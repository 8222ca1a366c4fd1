//! `Masks`: the keys whose values are never captured.

/// The keys that are masked where the application does not say otherwise.
///
/// `tokens` is not among them, as that is what a model used, nor are ids of
/// sessions and users, by which traces are found.
const DEFAULT_KEYS: [&str; 27] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "client_secret",
    "secret_key",
    "secret_access_key",
    "token",
    "access_token",
    "refresh_token",
    "id_token",
    "auth_token",
    "api_token",
    "session_token",
    "bearer_token",
    "x_auth_token",
    "authorization",
    "proxy_authorization",
    "cookie",
    "set_cookie",
    "api_key",
    "x_api_key",
    "private_key",
    "access_key",
    "credential",
    "credentials",
];

/// A set of keys that are compared whole, ignoring case, `-` and `_`.
#[derive(Debug, Clone)]
pub(crate) struct Masks {
    /// Lowercase, without `-` and `_`.
    keys: Vec<Box<str>>,
    /// For each first letter the set of last letters: tells nearly every other key apart at once.
    lasts: [u32; CLASSES],
}

/// The letters, and one class for all else that is ASCII.
const CLASSES: usize = 27;

impl Default for Masks {
    fn default() -> Self {
        Self::new(DEFAULT_KEYS)
    }
}

impl Masks {
    /// The set of these keys.
    pub(crate) fn new<K: AsRef<str>>(keys: impl IntoIterator<Item = K>) -> Self {
        let mut masks = Self { keys: Vec::new(), lasts: [0; CLASSES] };
        masks.add(keys);
        masks
    }

    /// Adds these keys to the set.
    pub(crate) fn add<K: AsRef<str>>(&mut self, keys: impl IntoIterator<Item = K>) {
        for key in keys {
            let key: String = normal(key.as_ref()).collect();
            if key.is_empty() {
                continue;
            }
            if let Some((first, last)) = ends(&key) {
                self.lasts[first] |= 1 << last;
            }
            self.keys.push(key.into_boxed_str());
        }
    }

    /// Whether the value of this key is not to be captured.
    #[inline]
    pub(crate) fn matches(&self, key: &str) -> bool {
        match ends(key) {
            Some((first, last)) if self.lasts[first] & (1 << last) == 0 => false,
            _ => self.find(key),
        }
    }

    #[cold]
    fn find(&self, key: &str) -> bool {
        if key.is_ascii() {
            let bytes = || key.bytes().filter(|byte| !is_separator(*byte));
            let folded = || bytes().map(|byte| byte.to_ascii_lowercase());
            let len = bytes().count();
            self.keys.iter().any(|masked| masked.len() == len && folded().eq(masked.bytes()))
        } else {
            self.keys.iter().any(|masked| normal(key).eq(masked.chars()))
        }
    }
}

/// The classes of the first and the last byte; `None` where these say nothing,
/// as they may be left out or fold into something else.
#[inline]
fn ends(key: &str) -> Option<(usize, usize)> {
    let bytes = key.as_bytes();
    Some((class(*bytes.first()?)?, class(*bytes.last()?)?))
}

#[inline]
fn class(byte: u8) -> Option<usize> {
    let letter = (byte | 0x20).wrapping_sub(b'a');
    if letter < 26 {
        Some(letter.into())
    } else if byte.is_ascii() && !is_separator(byte) {
        Some(26)
    } else {
        None
    }
}

#[inline]
fn is_separator(byte: u8) -> bool {
    byte == b'-' || byte == b'_'
}

fn normal(key: &str) -> impl Iterator<Item = char> {
    key.chars().filter(|char| !matches!(char, '-' | '_')).flat_map(char::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::Masks;

    #[test]
    fn whole_keys_match_ignoring_case_and_separators() {
        let masks = Masks::new(["api_key", "Straßen-ÖL", "key2"]);
        for key in ["api_key", "apiKey", "API-KEY", "_api__key_", "straßenöl", "STRAßEN_Öl", "KEY2"]
        {
            assert!(masks.matches(key), "{key}");
        }
        for key in ["", "-", "x-api-key", "api_keys", "a", "pi_key", "straßenol", "key3", "key"] {
            assert!(!masks.matches(key), "{key}");
        }
    }

    #[test]
    fn letters_that_fold_to_ascii_match() {
        // U+212A, the sign of the unit kelvin, is a `k` in lower case.
        assert!(Masks::default().matches("to\u{212a}en"));
        assert!(Masks::new(["key"]).matches("\u{212a}ey"));
    }

    #[test]
    fn defaults_are_secrets_and_not_counts() {
        let masks = Masks::default();
        for key in ["password", "Authorization", "x-api-key", "clientSecret", "access_token"] {
            assert!(masks.matches(key), "{key}");
        }
        for key in ["tokens", "total_tokens", "name", "session_id", "author", "secretary", "key"] {
            assert!(!masks.matches(key), "{key}");
        }
    }

    #[test]
    fn empty_set_masks_nothing() {
        assert!(!Masks::new(["", "_"]).matches("_"));
        assert!(!Masks::new(Vec::<String>::new()).matches("password"));
    }
}
