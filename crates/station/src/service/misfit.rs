//! Settings of the door for operators that are well written and do not fit this machine: what only a look
//! at its users and files can tell. Starting again mends none of them.

use super::StartError;
use crate::config::{Config, Management};
use crate::doors::operator::peers::Peers;
use crate::doors::terms::{Terms, TermsError};

/// A setting that does not fit.
#[derive(Debug, thiserror::Error)]
#[error("{key}: {why}")]
pub struct Misfit {
    /// The setting, with its section.
    pub key: &'static str,
    /// What is wrong.
    pub why: String,
    /// True when whoever looked may not look: somebody else may find nothing wrong.
    pub unseen: bool,
}

/// All that do not fit.
pub fn misfits(config: &Config) -> Vec<Misfit> {
    let management = &config.management;
    let group = Peers::of_process(management.group.as_deref());
    let group = group.err().map(Misfit::of_group);
    // What the station makes for itself fits, and is not made here.
    let own = management.certificate.is_some();
    let terms = own.then(|| Terms::of(management, &config.data_dir));
    let terms = terms.and_then(Result::err);
    let terms = terms.and_then(|why| Misfit::of_terms(management, why).ok());
    group.into_iter().chain(terms).collect()
}

impl Misfit {
    /// There is no such group.
    pub(super) fn of_group(why: String) -> Self {
        Self {
            key: "management.group",
            why,
            unseen: false,
        }
    }

    /// The owner's certificate or its key does not do. What is wrong with the station's own is given back.
    pub(super) fn of_terms(management: &Management, why: TermsError) -> Result<Self, TermsError> {
        let Some((_, key)) = &management.certificate else {
            return Err(why);
        };
        let about_key = matches!(&why, TermsError::Certificate(e) if e.file() == Some(key));
        Ok(Self {
            key: if about_key {
                "management.key"
            } else {
                "management.certificate"
            },
            unseen: matches!(&why, TermsError::Certificate(e) if e.is_denied()),
            why: why.to_string(),
        })
    }
}

impl StartError {
    /// Why there are no terms for the door for operators.
    pub(super) fn of_terms(management: &Management, why: TermsError) -> Self {
        match Misfit::of_terms(management, why) {
            Ok(misfit) => misfit.into(),
            Err(why) => why.into(),
        }
    }
}
