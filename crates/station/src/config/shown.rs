//! The configuration in words: every value that is in effect and where it comes from, and what
//! differs between two.

use super::alerts::Alerts;
use super::authority::Authority;
use super::meant::{Config, Deployment, Management};
use super::place::Environment;
use super::written::{Spot, Written};
use std::path::{Path, PathBuf};
use wire::configuration::{Change, Value};

/// The address of a webhook is often all that its receiver asks for.
const WEBHOOK: &str = "alerts.webhook";
const HIDDEN: &str = "(not shown)";

/// Where the values of a configuration come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// What is written in it.
    pub spots: Vec<Spot>,
    /// What decided over the data folder, when the file does not.
    pub data_dir: Option<String>,
}

impl Sources {
    pub(super) fn of(written: &Written, environment: &Environment) -> Self {
        Self {
            file: None,
            spots: written.spots(),
            data_dir: match &written.data_dir {
                Some(_) => None,
                None => environment
                    .data_dir_from()
                    .map(|variable| format!("environment {variable}")),
            },
        }
    }

    /// Where a key was written, named with its section.
    pub fn written(&self, key: &str) -> Option<&Spot> {
        self.spots.iter().find(|spot| spot.key == key)
    }

    fn of_key(&self, key: &str) -> String {
        match self.written(key) {
            Some(spot) => format!("line {}", spot.place.line),
            None => "default".to_owned(),
        }
    }
}

/// Every value of a configuration. What an operator chose while the station runs counts more than
/// the file.
pub fn shown(config: &Config, chosen: Option<&Deployment>) -> Vec<Value> {
    let mut list = List {
        sources: &config.sources,
        values: Vec::new(),
    };
    list.put("data_dir", quoted(config.data_dir.display()));
    // A flag counts more than the file.
    if let (Some(from), Some(data_dir)) = (&config.sources.data_dir, list.values.last_mut()) {
        data_dir.from.clone_from(from);
    }
    let d = chosen.unwrap_or(&config.deployment);
    let own = list.values.len();
    list.put(
        "deployment.interface",
        d.interface.as_ref().map_or_else(nothing, quoted),
    );
    list.put("deployment.address", quoted(d.address));
    list.put("deployment.leases", quoted(d.leases));
    list.put(
        "deployment.force_default_route",
        d.force_default_route.to_string(),
    );
    if chosen.is_some() {
        for value in &mut list.values[own..] {
            "the operator's choice".clone_into(&mut value.from);
        }
    }
    list.put("deployment.dhcp_port", d.dhcp_port.to_string());
    list.put("deployment.tftp_port", d.tftp_port.to_string());
    list.put("deployment.http_port", d.http_port.to_string());
    list.put("deployment.manage_address", d.manage_address.to_string());
    let dhcp = &config.dhcp;
    list.put(
        "dhcp.reply_delay_ms",
        dhcp.reply_delay.as_millis().to_string(),
    );
    list.put("dhcp.lease_seconds", dhcp.lease.as_secs().to_string());
    list.put("dhcp.raw_option_43", dhcp.raw_option_43.to_string());
    list.put("dhcp.answer_uefi", dhcp.answer_uefi.to_string());
    let accepted: Vec<String> = dhcp.accept.iter().map(ToString::to_string).collect();
    list.put("dhcp.accept", format!("{accepted:?}"));
    let uefi = &config.uefi;
    list.put("uefi.arm64_loader", file(uefi.arm64_loader.as_deref()));
    list.put("uefi.x86_64_loader", file(uefi.x86_64_loader.as_deref()));
    list.put("agent.arm64", quoted(config.agent.arm64.display()));
    list.put("agent.x86_64", quoted(config.agent.x86_64.display()));
    list.put(
        "boards.require_token",
        config.boards.require_token.to_string(),
    );
    list.put("boards.device_api", quoted(config.boards.device_api));
    list.management(&config.management);
    let plan = config.backup_plan();
    list.put("backup.dir", quoted(plan.dir.display()));
    list.put("backup.every_hours", plan.every_hours.to_string());
    list.put("backup.keep", plan.keep.to_string());
    list.put("backup.warn_days", plan.warn_days.to_string());
    let log = &config.log;
    list.put("log.dir", file(log.dir.as_deref()));
    list.put("log.max_size_mb", (log.max_bytes / 1_000_000).to_string());
    list.put("log.files", log.files.to_string());
    list.alerts(&config.alerts);
    list.values
}

fn quoted(value: impl std::fmt::Display) -> String {
    format!("{:?}", value.to_string())
}

fn file(path: Option<&Path>) -> String {
    path.map_or_else(nothing, |path| quoted(path.display()))
}

/// A key that has no value unless one is written.
fn nothing() -> String {
    "not set".to_owned()
}

struct List<'a> {
    sources: &'a Sources,
    values: Vec<Value>,
}

impl List<'_> {
    fn put(&mut self, key: &str, value: String) {
        self.values.push(Value {
            key: key.to_owned(),
            value,
            from: self.sources.of_key(key),
        });
    }

    fn management(&mut self, m: &Management) {
        self.put("management.listen", quoted(m.listen));
        self.put("management.tls", m.tls.to_string());
        let (certificate, key) = m.certificate.as_ref().map(|(c, k)| (&**c, &**k)).unzip();
        self.put("management.certificate", file(certificate));
        self.put("management.key", file(key));
        self.put("management.names", format!("{:?}", m.names));
        let group = m.group.as_ref().map_or_else(nothing, quoted);
        self.put("management.group", group);
        let minutes = m.sessions.idle.as_secs() / 60;
        self.put("management.idle_minutes", minutes.to_string());
        let hours = m.sessions.longest.as_secs() / 3600;
        self.put("management.login_hours", hours.to_string());
    }

    fn alerts(&mut self, a: &Alerts) {
        let webhook = a.webhook.as_ref();
        self.put(WEBHOOK, webhook.map_or_else(nothing, |_| HIDDEN.to_owned()));
        let secret = webhook.and_then(|to| to.secret_file.as_deref());
        self.put("alerts.webhook_secret_file", file(secret));
        let mail = a.mail.as_ref();
        let login = mail.and_then(|mail| mail.login.as_ref());
        let of_mail: [(&str, Option<String>); 7] = [
            ("smtp_host", mail.map(|m| quoted(&m.host))),
            ("smtp_port", mail.map(|m| m.port.to_string())),
            ("smtp_security", mail.map(|m| quoted(m.security.word()))),
            ("smtp_user", login.map(|(user, _)| quoted(user))),
            (
                "smtp_password_file",
                login.map(|(_, password)| quoted(password.display())),
            ),
            ("mail_from", mail.map(|m| quoted(&m.from))),
            ("mail_to", mail.map(|m| format!("{:?}", m.to))),
        ];
        for (key, value) in of_mail {
            let key = format!("alerts.{key}");
            // Without a server no e-mail is sent, whatever else is written.
            let written = || self.sources.written(&key).map(|spot| spot.value.clone());
            let value = value.or_else(written).unwrap_or_else(nothing);
            self.put(&key, value);
        }
        let authority = a.authority.as_ref().map(Authority::file);
        self.put("alerts.certificate_authority", file(authority));
        let gather = a.gather.as_secs().to_string();
        self.put("alerts.gather_seconds", gather);
    }
}

/// The values as a page of text: to send to whoever helps, so without secrets, as the values are.
pub fn shown_as_text(values: &[Value]) -> String {
    let line = |value: &Value| format!("{} = {}  # {}\n", value.key, value.value, value.from);
    values.iter().map(line).collect()
}

/// What differs between what is in effect and what is to be.
pub fn changes(now: &[Value], wanted: &[Value]) -> Vec<Change> {
    let of = |list: &[Value], key: &str| {
        let value = list.iter().find(|value| value.key == key);
        value.map_or_else(nothing, |value| value.value.clone())
    };
    let mut keys: Vec<&str> = wanted.iter().map(|v| v.key.as_str()).collect();
    for value in now {
        if !keys.contains(&value.key.as_str()) {
            keys.push(&value.key);
        }
    }
    let pairs = keys.into_iter().map(|key| Change {
        key: key.to_owned(),
        from: of(now, key),
        to: of(wanted, key),
        waits: None,
    });
    pairs.filter(|change| change.from != change.to).collect()
}

/// What differs where the words are the same, because neither value is shown.
pub fn hidden_change(now: &Alerts, wanted: &Alerts) -> Option<Change> {
    let url = |alerts: &Alerts| alerts.webhook.as_ref().map(|to| to.url.clone());
    let (now, wanted) = (url(now)?, url(wanted)?);
    (now != wanted).then(|| Change {
        key: WEBHOOK.to_owned(),
        from: HIDDEN.to_owned(),
        to: format!("another {HIDDEN}"),
        waits: None,
    })
}

/// What is wanted, except for the keys that wait: those stay as they are.
pub fn same_but(now: &[Value], wanted: Vec<Value>, waiting: &[Change]) -> Vec<Value> {
    let waits = |key: &str| waiting.iter().any(|change| change.key == key);
    let mut values: Vec<Value> = wanted;
    values.retain(|value| !waits(&value.key));
    values.extend(now.iter().filter(|value| waits(&value.key)).cloned());
    values
}

#[cfg(test)]
mod tests {
    use super::super::understand;
    use super::*;

    fn config(text: &str) -> Config {
        understand(text, &Environment::default()).unwrap()
    }

    #[test]
    fn every_value_says_where_it_comes_from() {
        let text = "data_dir = \"/srv/p\"\n[deployment]\ninterface = \"eth1\"\nhttp_port = 5002\n";
        let mut config = config(text);
        let of = |config: &Config, chosen: Option<&Deployment>, key: &str| {
            let values = shown(config, chosen);
            let value = values.into_iter().find(|v| v.key == key).unwrap();
            (value.value, value.from)
        };
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(of(&config, None, "data_dir"), pair("\"/srv/p\"", "line 1"));
        let nic = "deployment.interface";
        assert_eq!(of(&config, None, nic), pair("\"eth1\"", "line 3"));
        assert_eq!(
            of(&config, None, "deployment.tftp_port"),
            pair("69", "default")
        );
        let mut chosen = config.deployment.clone();
        chosen.interface = None;
        let choice = pair("not set", "the operator's choice");
        assert_eq!(of(&config, Some(&chosen), nic), choice);
        let port = "deployment.http_port";
        assert_eq!(of(&config, Some(&chosen), port), pair("5002", "line 4"));
        config.sources.data_dir = Some("--data-dir".to_owned());
        assert_eq!(of(&config, None, "data_dir").1, "--data-dir");
    }

    #[test]
    fn every_key_of_the_example_is_listed_whether_it_is_written_or_not() {
        let example = include_str!("../../../../packaging/settings/station.example.toml");
        let (mut section, mut keys, mut all) = (String::new(), Vec::new(), String::new());
        for line in example.lines() {
            // Comments begin with a space.
            let out_of_use = line.strip_prefix('#').filter(|key| !key.starts_with(' '));
            if let Some(name) = line.strip_prefix('[') {
                section = name.replace(']', ".");
                all += &format!("{line}\n");
            } else if let Some((key, _)) = out_of_use.and_then(|line| line.split_once(" = ")) {
                keys.push(format!("{section}{key}"));
                // The one file that is looked at when its name is read.
                if key != "certificate_authority" {
                    all += &format!("{}\n", out_of_use.unwrap());
                }
            }
        }
        assert!(keys.len() > 45, "{keys:?}");
        keys.sort_unstable();
        for text in ["", &all] {
            let values = shown(&config(text), None);
            let mut listed: Vec<&str> = values.iter().map(|value| &*value.key).collect();
            listed.sort_unstable();
            assert_eq!(listed, keys);
            let from = if text.is_empty() { "default" } else { "line " };
            let elsewhere: Vec<_> = values
                .iter()
                .filter(|v| !v.from.starts_with(from))
                .collect();
            assert!(elsewhere.len() <= 3, "{elsewhere:?}");
            assert!(!shown_as_text(&values).contains("example.org/punnet"));
        }
    }

    #[test]
    fn another_webhook_is_a_change_and_stays_hidden() {
        let with = |way: &str| {
            config(&format!(
                "[alerts]\nwebhook = \"https://c.example/{way}\"\n"
            ))
        };
        let (one, other) = (with("s3cret"), with("0ther"));
        assert_eq!(changes(&shown(&one, None), &shown(&other, None)), []);
        let change = hidden_change(&one.alerts, &other.alerts).unwrap();
        assert_eq!(change.key, "alerts.webhook");
        assert_eq!(change.to, "another (not shown)");
        assert_eq!(hidden_change(&one.alerts, &with("s3cret").alerts), None);
        // These two are seen as they are.
        assert_eq!(hidden_change(&one.alerts, &config("").alerts), None);
        assert_eq!(
            changes(&shown(&config(""), None), &shown(&one, None)).len(),
            1
        );
    }

    #[test]
    fn only_what_differs_is_a_change_and_what_waits_stays() {
        let before = shown(&config("[backup]\nkeep = 3\n"), None);
        let text =
            "\n[backup]\nkeep = 3\nevery_hours = 2\n[management]\nlisten = \"127.0.0.1:9\"\n";
        let after = shown(&config(text), None);
        let found = changes(&before, &after);
        let keys: Vec<&str> = found.iter().map(|c| c.key.as_str()).collect();
        assert_eq!(keys, ["management.listen", "backup.every_hours"]);
        let merged = same_but(&before, after.clone(), &found[..1]);
        assert_eq!(changes(&merged, &after), found[..1]);
    }
}
