//! The configuration as text to show to others: everything that decides how the station behaves, and
//! nothing that opens a door. Addresses that only their receiver may know are cut short; of a secret
//! only the file is named, which is no secret.

use super::alerts::{Alerts, Security};
use super::meant::Config;
use std::fmt::Write as _;

impl Config {
    /// The configuration in the manner of `station.toml`.
    pub fn shown(&self) -> String {
        let mut page = Page(String::new());
        page.text("data_dir", &self.data_dir.display().to_string());
        self.network(&mut page);
        page.section("uefi");
        page.path("arm64_loader", self.uefi.arm64_loader.as_deref());
        page.path("x86_64_loader", self.uefi.x86_64_loader.as_deref());
        page.section("agent");
        page.path("arm64", Some(&self.agent.arm64));
        page.path("x86_64", Some(&self.agent.x86_64));
        page.section("boards");
        page.bare("require_token", &self.boards.require_token);
        page.section("management");
        page.text("listen", &self.management.listen.to_string());
        page.section("log");
        page.path("dir", self.log_dir().as_deref());
        page.bare("max_size_mb", &(self.log.max_bytes / 1_000_000));
        page.bare("files", &self.log.files);
        alerts(&self.alerts, &mut page);
        page.0
    }

    fn network(&self, page: &mut Page) {
        let deployment = &self.deployment;
        page.section("deployment");
        if let Some(interface) = &deployment.interface {
            page.text("interface", interface);
        }
        page.text("address", &deployment.address.to_string());
        page.text("leases", &deployment.leases.to_string());
        page.bare("dhcp_port", &deployment.dhcp_port);
        page.bare("tftp_port", &deployment.tftp_port);
        page.bare("http_port", &deployment.http_port);
        page.bare("force_default_route", &deployment.force_default_route);
        page.bare("manage_address", &deployment.manage_address);
        page.section("dhcp");
        page.bare("reply_delay_ms", &self.dhcp.reply_delay.as_millis());
        page.bare("lease_seconds", &self.dhcp.lease.as_secs());
        page.bare("raw_option_43", &self.dhcp.raw_option_43);
        page.bare("answer_uefi", &self.dhcp.answer_uefi);
        let accept = self.dhcp.accept.iter().map(ToString::to_string);
        page.bare("accept", &format!("{:?}", accept.collect::<Vec<_>>()));
    }
}

fn alerts(alerts: &Alerts, page: &mut Page) {
    page.section("alerts");
    if let Some(webhook) = &alerts.webhook {
        page.text("webhook", &format!("{}/…", webhook.shown()));
        page.path("webhook_secret_file", webhook.secret_file.as_deref());
    }
    if let Some(mail) = &alerts.mail {
        page.text("smtp_host", &mail.host);
        page.bare("smtp_port", &mail.port);
        let security = match mail.security {
            Security::None => "none",
            Security::StartTls => "starttls",
            Security::Tls => "tls",
        };
        page.text("smtp_security", security);
        page.path(
            "smtp_password_file",
            mail.login.as_ref().map(|(_, file)| file.as_path()),
        );
        page.bare("mail_to", &format!("[] # {} receivers", mail.to.len()));
    }
    page.bare("gather_seconds", &alerts.gather.as_secs());
    page.bare("backup_days", &(alerts.backup_age.as_secs() / 86_400));
}

struct Page(String);

impl Page {
    fn section(&mut self, name: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "\n[{name}]");
    }

    fn bare(&mut self, key: &str, value: &dyn std::fmt::Display) {
        let _ = writeln!(self.0, "{key} = {value}");
    }

    fn text(&mut self, key: &str, value: &str) {
        let _ = writeln!(self.0, "{key} = {value:?}");
    }

    fn path(&mut self, key: &str, path: Option<&std::path::Path>) {
        if let Some(path) = path {
            self.text(key, &path.display().to_string());
        }
    }
}
