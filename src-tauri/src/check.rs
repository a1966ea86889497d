//! `punnet check` and `punnet config check`.

use crate::common::Common;
use crate::configuration;
use crate::print::{Table, say};
use crate::server;
use crate::trouble::Trouble;
use clap::Subcommand;
use serde::Serialize;
use station::backup;
use station::config::{Config, ConfigError, Environment, Problem, text_of, understand};
use station::doors::certificate;
use station::link::Station;
use station::net::findings;
use station::net::port::{PortError, Transport, free};
use station::net::wire_check::round;
use station::net::{Footing, Netlink, Nic, footing};
use station::rights::search::Search;
use station::rights::{Rights, What};
use station::service::{Misfit, misfits};
use station::store::copies::last_backup;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::PathBuf;
use std::time::Duration;
use tokio_stream::StreamExt as _;
use wire::event::Level;
use wire::health::{Finding, ServerState, ServerStatus};
use wire::query::{Answer, Query};
use wire::self_test::{SelfTest, TestVerdict};
use wire::update::Update;

/// The check for a cable.
const CARRIER: &str = "carrier";
/// The step of the self-test that looks at the page.
const PAGE: &str = "page";
/// How long other DHCP servers are given to answer; common ones ping for three seconds first.
const PATIENCE: Duration = Duration::from_secs(4);

/// Verbs of the configuration.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ConfigVerb {
    /// Say what is wrong with a configuration file, by line.
    Check {
        /// The file; else the one that would be used.
        file: Option<PathBuf>,
    },
    /// Print every value that is in effect and where it comes from.
    Show,
    /// Have the running station read its configuration again.
    Reload,
}

/// Does a verb of the configuration.
pub(crate) fn config(common: &Common, verb: &ConfigVerb) -> Result<(), Trouble> {
    let file = match verb {
        ConfigVerb::Check { file } => file,
        ConfigVerb::Show => return configuration::show(common),
        ConfigVerb::Reload => return configuration::reload(common),
    };
    let environment = Environment::of_process();
    let file = file.clone().or_else(|| common.settings_file());
    let Some(file) = file else {
        let words = "There is no configuration file; the defaults are used.";
        return Ok(say(common.json, &Vec::<Problem>::new(), |_| {
            words.to_owned()
        })?);
    };
    let understood = text_of(&file).and_then(|text| {
        let path = file.clone();
        understand(&text, &environment).map_err(|problems| ConfigError::Wrong { path, problems })
    });
    let problems = match understood {
        Ok(config) => unfit(&config),
        Err(ConfigError::Wrong { problems, .. }) => problems,
        Err(why @ ConfigError::Unreadable { .. }) => return Err(Trouble::Failed(why.into())),
    };
    let file = file.display();
    if problems.is_empty() {
        return Ok(say(common.json, &problems, |_| format!("{file} is fine."))?);
    }
    let lines: Vec<String> = problems.iter().map(|p| format!("{file}: {p}")).collect();
    say(common.json, &problems, |_| lines.join("\n"))?;
    Err(Trouble::Said)
}

/// Settings that do not fit this machine. Files that only the service may read are its own affair.
fn seen_misfits(config: &Config) -> impl Iterator<Item = Misfit> {
    let all = misfits(config).into_iter();
    all.filter(|misfit| !misfit.unseen)
}

/// What is well written and does not fit this machine, with its place in the file.
fn unfit(config: &Config) -> Vec<Problem> {
    let placed = seen_misfits(config).filter_map(|misfit| {
        let place = config.sources.written(misfit.key)?.place;
        let text = misfit.to_string();
        Some(Problem { place, text })
    });
    placed.collect()
}

/// What the pre-flight found.
#[derive(Debug, Serialize)]
struct Report {
    /// True when boards can be served.
    fit: bool,
    /// Is a station running on this data folder?
    running: bool,
    /// The network cards, when this program looked itself.
    nics: Vec<Nic>,
    /// The servers of a running station.
    servers: Vec<ServerStatus>,
    /// What was found.
    findings: Vec<Finding>,
    /// Fingerprint of the certificate that the page is shown with, when it is encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
    /// What a synthetic board got from a running station.
    self_test: Option<SelfTest>,
}

impl Report {
    /// Boards do without the page; whoever runs a check does not.
    fn page_failed(&self) -> bool {
        let steps = self.self_test.iter().flat_map(|test| &test.steps);
        let mut page = steps.filter(|step| step.step == PAGE);
        page.any(|step| step.verdict == TestVerdict::Failed)
    }
}

/// Looks whether this machine and its network are fit.
pub(crate) fn run(common: &Common) -> Result<(), Trouble> {
    let config = common.configuration()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let report = runtime.block_on(async {
        match Station::attach_first(&config.sockets()).await {
            Ok(station) => ask(&station).await,
            Err(_) => look(&config).await,
        }
    })?;
    say(common.json, &report, words)?;
    if report.fit && !report.page_failed() {
        Ok(())
    } else {
        Err(Trouble::Said)
    }
}

async fn ask(station: &Station) -> Result<Report, Trouble> {
    let mut watch = station.watch().await?;
    let Some(Update::Snapshot(now)) = watch.next().await else {
        return Err(crate::desk::unexpected());
    };
    let serving = now.servers.iter().all(|s| s.state == ServerState::Serving);
    let Answer::SelfTest(test) = station.query(Query::SelfTest).await? else {
        return Err(crate::desk::unexpected());
    };
    Ok(Report {
        fit: serving && !now.servers.is_empty() && test.fit,
        running: true,
        nics: Vec::new(),
        servers: now.servers,
        findings: now.findings,
        fingerprint: match station.query(Query::Settings).await {
            Ok(Answer::Settings(settings)) => settings.fingerprint,
            _ => None,
        },
        self_test: Some(*test),
    })
}

async fn look(config: &Config) -> Result<Report, Trouble> {
    let nics = Netlink::open()?.list().await?;
    let deployment = &config.deployment;
    let mut found = Vec::new();
    let mut tell = |check: &str, level: Level, text: String| {
        found.push(Finding {
            check: check.to_owned(),
            level,
            text,
            next: None,
            at: wire::Millis::now(),
        });
    };
    let mut on = None;
    match footing(&nics, deployment, false) {
        Footing::Refused(why) => tell("interface", Level::Error, why.to_string()),
        Footing::NoLink { why, .. } => tell(CARRIER, Level::Warning, format!("{why}.")),
        Footing::Linked(nic) => on = Some(nic),
    }
    let own = deployment.address.address;
    let has_address = nics.iter().any(|n| n.has(own));
    let any = Ipv4Addr::UNSPECIFIED;
    let tftp_at = if has_address { own } else { any };
    let rights = Rights::new(Search::of_process());
    if let Some(nic) = &on
        && let Err(denied) = rights.stand_on(&nic.name, deployment).await
    {
        tell("rights", Level::Error, format!("{}.", denied.text));
    }
    for (transport, what, ip, port) in [
        (Transport::Udp, Some(What::Dhcp), any, deployment.dhcp_port),
        (
            Transport::Udp,
            Some(What::Tftp),
            tftp_at,
            deployment.tftp_port,
        ),
        (Transport::Tcp, None, tftp_at, deployment.http_port),
    ] {
        let device = on.as_ref().map(|n| n.name.as_str());
        match free(transport, device, SocketAddrV4::new(ip, port)) {
            Ok(()) => {}
            // Ports that this process may not have are had from the helper.
            Err(PortError::NoRight { .. }) if device.is_some() && what.is_some() => {
                let (Some(what), true) = (what, what == Some(What::Dhcp) || has_address) else {
                    continue;
                };
                if let Err(denied) = rights.udp(what).await {
                    tell(
                        "port",
                        Level::Error,
                        format!("{}.", denied.text.trim_end_matches('.')),
                    );
                }
            }
            Err(why) => tell("port", Level::Error, why.to_string()),
        }
    }
    if let SocketAddr::V4(listen) = config.management.listen
        && let Err(why) = free(Transport::Tcp, None, listen)
    {
        tell("port", Level::Error, why.to_string());
    }
    if let Some(nic) = on {
        let heard = round(&rights, deployment.address, PATIENCE).await;
        found.extend(findings::of_round(&nic, own, &heard));
    }
    found.extend(findings::of_agent(&config.agent));
    found.extend(of_backups(config));
    found.extend(seen_misfits(config).map(|misfit| of_misfit(&misfit)));
    rights.done().await;
    Ok(Report {
        fit: !found.iter().any(|f| f.level == Level::Error),
        running: false,
        nics,
        servers: Vec::new(),
        findings: found,
        fingerprint: fingerprint(config),
        self_test: None,
    })
}

/// The fingerprint that the page would be shown with.
fn fingerprint(config: &Config) -> Option<String> {
    let management = &config.management;
    let own = config.data_dir.join(certificate::CERTIFICATE);
    let file = management
        .certificate
        .as_ref()
        .map_or(&own, |(file, _)| file);
    certificate::fingerprint_in(file).filter(|_| management.tls)
}

/// What keeps the station from starting: a group that is not there, or a certificate that does not do.
fn of_misfit(misfit: &Misfit) -> Finding {
    let (check, keys) = match misfit.key {
        "management.group" => ("group", "group"),
        _ => ("certificate", "certificate and key"),
    };
    Finding {
        check: check.to_owned(),
        level: Level::Error,
        text: format!("The station will not start: {}.", misfit.why),
        next: Some(format!("Put it right, or take {keys} out of [management].")),
        at: wire::Millis::now(),
    }
}

/// What is to be said of the backups of a station that does not run.
fn of_backups(config: &Config) -> Option<Finding> {
    let (last, begun) = last_backup(&config.data_dir)?;
    backup::finding(
        last,
        begun,
        None,
        &config.backup_plan(),
        wire::Millis::now(),
    )
}

/// What became of each step of a self-test.
fn verdicts(test: &SelfTest) -> String {
    let mut table = Table::new(&["step", "verdict", "found"], "");
    for step in &test.steps {
        let verdict = match step.verdict {
            TestVerdict::Passed => "passed",
            TestVerdict::Failed => "FAILED",
            TestVerdict::NotRun => "not run",
            TestVerdict::Unknown => "unknown",
        };
        let next = step.next.as_deref().unwrap_or_default();
        table.row([
            step.step.replace('_', " "),
            verdict.to_owned(),
            format!("{} {next}", step.found).trim_end().to_owned(),
        ]);
    }
    let seconds = test.took_ms as f64 / 1000.0;
    format!("{table}\nThe self-test took {seconds:.1} s.\n")
}

fn words(report: &Report) -> String {
    let mut text = String::new();
    if report.running {
        text += &server::table(&report.servers);
    } else {
        let mut table = Table::new(&["interface", "mac", "link", "addresses", ""], "");
        for nic in &report.nics {
            let addresses = nic
                .addresses
                .iter()
                .map(|(ip, prefix)| format!("{ip}/{prefix}"));
            table.row([
                nic.name.clone(),
                crate::print::or_dash(nic.mac),
                nic.link_words(),
                addresses.collect::<Vec<_>>().join(" "),
                if nic.default_route {
                    "default route"
                } else {
                    ""
                }
                .to_owned(),
            ]);
        }
        text += &table.to_string();
    }
    text += "\n";
    for finding in &report.findings {
        let next = finding.next.as_deref().unwrap_or_default();
        text += &format!("{}: {} {next}\n", finding.level.as_str(), finding.text);
    }
    if let Some(fingerprint) = &report.fingerprint {
        text += &format!(
            "The page is shown with the certificate of this SHA-256 fingerprint:\n{fingerprint}\n"
        );
    }
    if let Some(test) = &report.self_test {
        text += "\nA synthetic board asked the station, and used nothing up:\n";
        text += &verdicts(test);
    }
    let waits = report.findings.iter().any(|f| f.check == CARRIER);
    if report.page_failed() {
        text += "The page cannot be used as things are.\n";
    }
    text += match (report.fit, waits) {
        (true, false) => "Boards can be served.\n",
        (true, true) => "Boards are served as soon as the cable to the switch is connected.\n",
        (false, _) => "Boards cannot be served as things are.\n",
    };
    text
}
