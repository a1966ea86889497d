//! The page in a browser: the files of the operator's page, served beside the verbs.
//!
//! The station does not know where the page comes from. Whoever builds the program embeds its files
//! and hands them over as a [`Page`]; a program built without them says so in words. The files are
//! the same for everybody and hold no secret, so they need no token, only the rules of
//! [`super::guard`] about names and other sites.

use axum::body::Body;
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use std::collections::HashMap;
use std::sync::Arc;

/// Only what the station itself serves, and nothing that is written in the page's own text.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// Files below this path carry a hash of their content in their name: what a name stands for never
/// changes.
const HASHED: &str = "/assets/";

const NO_PAGE: &str = "\
This build of Punnet has no page in it. Its command line does everything: punnet --help

To build one with the page: npm ci && npm run build in the folder ui, then build punnet again.
";

/// The files of the page by their path, e.g. `/index.html`.
#[derive(Debug, Clone, Default)]
pub struct Page {
    files: Arc<HashMap<&'static str, &'static [u8]>>,
}

impl Page {
    /// A page of these files. Paths begin with a slash; `/index.html` is also what `/` answers.
    pub fn new(files: &[(&'static str, &'static [u8])]) -> Self {
        Self {
            files: Arc::new(files.iter().copied().collect()),
        }
    }

    /// True for a path that answers with the page itself, or with the words that there is none.
    pub fn has(&self, path: &str) -> bool {
        path == "/" || self.files.contains_key(path)
    }

    /// The answer to a request for `path`, when it is one of the page's.
    pub fn answer(&self, method: &Method, path: &str) -> Option<Response<Body>> {
        if !self.has(path) {
            return None;
        }
        if method != Method::GET && method != Method::HEAD {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            put(&mut response, ALLOW, "GET, HEAD");
            return Some(response);
        }
        let path = if path == "/" { "/index.html" } else { path };
        let (status, kind, bytes) = match self.files.get(path) {
            Some(bytes) => (StatusCode::OK, media_type(path), *bytes),
            None => (
                StatusCode::NOT_FOUND,
                "text/plain; charset=utf-8",
                NO_PAGE.as_bytes(),
            ),
        };
        // A HEAD is answered like a GET; the connection leaves the body out.
        let mut response = Response::new(Body::from(bytes));
        *response.status_mut() = status;
        put(&mut response, CONTENT_TYPE, kind);
        put(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
        put(&mut response, CONTENT_SECURITY_POLICY, POLICY);
        put(&mut response, REFERRER_POLICY, "no-referrer");
        let cache = if path.starts_with(HASHED) {
            "public, max-age=31536000, immutable"
        } else {
            "no-store"
        };
        put(&mut response, CACHE_CONTROL, cache);
        Some(response)
    }
}

fn put(response: &mut Response<Body>, name: HeaderName, value: &'static str) {
    let value = HeaderValue::from_static(value);
    response.headers_mut().insert(name, value);
}

/// The media types of what a page is made of.
fn media_type(path: &str) -> &'static str {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" | "webmanifest" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: &[(&str, &[u8])] = &[
        ("/index.html", b"<!doctype html><title>Punnet</title>"),
        ("/assets/index-B1a2.js", b"1"),
    ];

    fn header(response: &Response<Body>, name: HeaderName) -> &str {
        response.headers()[name].to_str().unwrap()
    }

    #[test]
    fn the_index_is_always_fresh_and_hashed_files_are_kept() {
        let page = Page::new(FILES);
        let index = page.answer(&Method::GET, "/").unwrap();
        assert_eq!(index.status(), 200);
        assert_eq!(header(&index, CONTENT_TYPE), "text/html; charset=utf-8");
        assert_eq!(header(&index, CACHE_CONTROL), "no-store");
        assert_eq!(header(&index, X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert!(!header(&index, CONTENT_SECURITY_POLICY).contains("unsafe"));
        let script = page.answer(&Method::GET, "/assets/index-B1a2.js").unwrap();
        assert_eq!(
            header(&script, CONTENT_TYPE),
            "text/javascript; charset=utf-8"
        );
        assert!(header(&script, CACHE_CONTROL).contains("immutable"));
    }

    #[test]
    fn only_what_was_handed_over_is_served() {
        let page = Page::new(FILES);
        for other in ["/index", "/assets/", "/../index.html", "//index.html", ""] {
            assert!(page.answer(&Method::GET, other).is_none(), "{other}");
        }
        assert_eq!(page.answer(&Method::POST, "/").unwrap().status(), 405);
    }

    #[test]
    fn a_build_without_a_page_says_so() {
        let none = Page::default();
        let said = none.answer(&Method::GET, "/").unwrap();
        assert_eq!(said.status(), 404);
        assert_eq!(header(&said, CONTENT_TYPE), "text/plain; charset=utf-8");
        assert!(none.answer(&Method::GET, "/index.html").is_none());
    }
}
