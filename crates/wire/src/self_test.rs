//! The self-test: a synthetic board asks the running servers for everything that a board needs.

use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// What a self-test found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct SelfTest {
    /// True when a board would get what it needs.
    pub fit: bool,
    /// Each step, in the order of a board's way; then the operators' page.
    pub steps: Vec<TestStep>,
    /// When it ended.
    pub at: Millis,
    /// How long it took, in milliseconds.
    pub took_ms: i64,
}

/// One step of a self-test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct TestStep {
    /// Its name: `offer`, `boot_files`, `check_in`, `manifest`, `range`, `wire`, `page`.
    pub step: String,
    /// What became of it.
    pub verdict: TestVerdict,
    /// What was found, one sentence.
    pub found: String,
    /// What to do, where something is to be done.
    #[serde(default)]
    pub next: Option<String>,
    /// How long it took, in milliseconds.
    pub took_ms: i64,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum TestVerdict {
    /// A board would get what it needs.
    Passed,
    /// It would not.
    Failed,
    /// It could not be tried; the step says why.
    NotRun,
    /// A verdict this build does not know.
    #[serde(other)]
    Unknown,
}
