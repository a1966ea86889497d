//! The configuration in words: every value that is in effect and where it comes from, and what
//! differs between two.

use super::meant::{Config, Deployment};
use super::place::Environment;
use super::written::{Spot, Written};
use std::path::PathBuf;
use wire::configuration::{Change, Value};

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

    fn of_key(&self, key: &str) -> String {
        let spot = self.spots.iter().find(|spot| spot.key == key);
        match spot {
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
    let file = |path: &Option<PathBuf>| {
        let path = path.as_ref();
        path.map_or_else(nothing, |path| quoted(path.display()))
    };
    list.put("uefi.arm64_loader", file(&config.uefi.arm64_loader));
    list.put("uefi.x86_64_loader", file(&config.uefi.x86_64_loader));
    list.put("agent.arm64", quoted(config.agent.arm64.display()));
    list.put("agent.x86_64", quoted(config.agent.x86_64.display()));
    list.put(
        "boards.require_token",
        config.boards.require_token.to_string(),
    );
    list.put("management.listen", quoted(config.management.listen));
    let plan = config.backup_plan();
    list.put("backup.dir", quoted(plan.dir.display()));
    list.put("backup.every_hours", plan.every_hours.to_string());
    list.put("backup.keep", plan.keep.to_string());
    list.put("backup.warn_days", plan.warn_days.to_string());
    let log = &config.log;
    list.put("log.dir", file(&log.dir));
    list.put("log.max_size_mb", (log.max_bytes / 1_000_000).to_string());
    list.put("log.files", log.files.to_string());
    list.rest();
    list.values
}

fn quoted(value: impl std::fmt::Display) -> String {
    format!("{:?}", value.to_string())
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

    /// What is written and was not put yet, as it is written. Secrets are not shown.
    fn rest(&mut self) {
        for spot in &self.sources.spots {
            if !self.values.iter().any(|value| value.key == spot.key) {
                // The address of a webhook is often all that its receiver asks for.
                let secret = ["password", "secret", "token", "_key", "webhook"];
                let secret = secret.iter().any(|word| spot.key.ends_with(word));
                let value = if secret { "(not shown)" } else { &spot.value };
                let value = value.to_owned();
                self.put(&spot.key, value);
            }
        }
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
