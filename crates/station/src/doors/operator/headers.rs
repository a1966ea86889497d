//! What every answer of the operator's door says to a browser, whatever it is about.

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, Response};

/// What is no page runs nothing, fetches nothing and stands in nobody's frame.
const NO_PAGE: &str = "default-src 'none'; frame-ancestors 'none'";
/// A browser that once came here by TLS comes so for the next 30 days.
const TLS_ONLY: &str = "max-age=2592000";

/// Adds the headers. Those that an answer has of its own stay.
pub(super) fn put(response: &mut Response<Body>, secure: bool) {
    let headers = response.headers_mut();
    let mut put = |name: HeaderName, value: &'static str| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    put(X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(X_FRAME_OPTIONS, "DENY");
    put(REFERRER_POLICY, "no-referrer");
    put(CONTENT_SECURITY_POLICY, NO_PAGE);
    put(CACHE_CONTROL, "no-store");
    put(
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    put(
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    if secure {
        put(STRICT_TRANSPORT_SECURITY, TLS_ONLY);
    }
}
