//! The cookie that holds the key of a login.
//!
//! No script can read it (`HttpOnly`), no request of another site's page carries it
//! (`SameSite=Strict`), and with TLS it never travels without (`Secure`, and the prefix `__Host-`, by
//! which a browser takes it from nobody else). The port is part of its name: cookies belong to a
//! machine, and a machine can run two stations.

use crate::who::Key;
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use std::time::Duration;

fn name(port: u16, secure: bool) -> String {
    let prefix = if secure { "__Host-" } else { "" };
    format!("{prefix}punnet-{port}")
}

/// The key in a request's cookies.
pub(super) fn read(headers: &HeaderMap, port: u16, secure: bool) -> Option<Key> {
    let wanted = name(port, secure);
    let lines = headers.get_all(COOKIE).iter();
    let mut pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == wanted)?;
    Key::parse(value)
}

/// The header that gives a browser its key, or takes it away.
pub(super) fn write(key: Option<(&Key, Duration)>, port: u16, secure: bool) -> Option<HeaderValue> {
    let (value, seconds) = key.map_or(("", 0), |(key, age)| (key.text(), age.as_secs()));
    let secure_word = if secure { "; Secure" } else { "" };
    let text = format!(
        "{}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure_word}",
        name(port, secure)
    );
    HeaderValue::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_among_other_cookies_and_only_under_its_own_name() {
        let key = Key::random().unwrap();
        let mut headers = HeaderMap::new();
        let line = format!("a=b; punnet-5000={}; punnet-1=x", key.text());
        headers.insert(COOKIE, line.parse().unwrap());
        assert_eq!(read(&headers, 5000, false), Some(key));
        assert_eq!(read(&headers, 1, false), None);
        // One that was set without TLS does not count with it.
        assert_eq!(read(&headers, 5000, true), None);
    }

    #[test]
    fn the_cookie_is_for_the_station_alone() {
        let key = Key::random().unwrap();
        let line = write(Some((&key, Duration::from_mins(1))), 5000, true).unwrap();
        let line = line.to_str().unwrap();
        assert!(line.starts_with(&format!("__Host-punnet-5000={}; Path=/", key.text())));
        for word in ["HttpOnly", "SameSite=Strict", "Secure", "Max-Age=60"] {
            assert!(line.contains(word), "{line}");
        }
        let gone = write(None, 5000, false).unwrap();
        assert!(gone.to_str().unwrap().contains("Max-Age=0"));
    }
}
