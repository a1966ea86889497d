//! Files that settings name and that lie outside of the data folder, so that they do not come along
//! with it.

use super::written::{Text, Written};
use std::path::PathBuf;

impl Written {
    /// Nothing at all was written: comments and names of sections at most.
    pub fn is_blank(&self) -> bool {
        self.spots().is_empty()
    }

    /// Every file that is named, under its section and key. Folders that the station makes for itself
    /// are none.
    pub fn files(&self) -> Vec<(&'static str, PathBuf)> {
        let keys: [(&'static str, &Text); 9] = [
            ("uefi.arm64_loader", &self.uefi.arm64_loader),
            ("uefi.x86_64_loader", &self.uefi.x86_64_loader),
            ("agent.arm64", &self.agent.arm64),
            ("agent.x86_64", &self.agent.x86_64),
            ("management.certificate", &self.management.certificate),
            ("management.key", &self.management.key),
            (
                "alerts.webhook_secret_file",
                &self.alerts.webhook_secret_file,
            ),
            ("alerts.smtp_password_file", &self.alerts.smtp_password_file),
            (
                "alerts.certificate_authority",
                &self.alerts.certificate_authority,
            ),
        ];
        let named = keys.into_iter();
        named
            .filter_map(|(key, text)| Some((key, PathBuf::from(&text.as_ref()?.value))))
            .collect()
    }
}
