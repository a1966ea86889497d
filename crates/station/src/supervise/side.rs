//! The deployment side: one task that owns the three servers and everything they depend on.

use super::launch::Launch;
use super::rules::{Ground, Ought, Wire, ought};
use super::slot::Slot;
use crate::config::{AgentFiles, Config, Deployment, Dhcp};
use crate::net::findings::{self, duplicate_found, helper_ended, rival_found};
use crate::net::wire_check::{Heard, Round, keep_asking};
use crate::net::{Footing, Netlink, Nic, footing};
use crate::rights::{Lost, Rights};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use wire::Mac;
use wire::health::{Finding, ServerKind, ServerState, ServerStatus};

/// Changes of network cards come in bursts; they are looked at once they pause this long.
const SETTLE: Duration = Duration::from_millis(30);
/// Looks at the network cards even when no change was told.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// Time for servers to end after a stop.
const LAST_WORDS: Duration = Duration::from_secs(4);

/// What may be asked of the deployment side.
#[derive(Debug, Clone)]
pub enum Orders {
    /// The operator wants a server.
    Start(ServerKind),
    /// The operator wants a server no more.
    Stop(ServerKind),
    /// DHCP is to answer this address from now on.
    Vouch(Mac),
    /// The DHCP server itself noticed another one.
    Rival(Ipv4Addr, Option<Mac>),
    /// Serve on this NIC and address instead, at once.
    StandOn(Box<Deployment>),
    /// Hand addresses out like this from now on.
    Dhcp(Box<Dhcp>),
}

/// What the deployment side tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// A server as it is now, and where it can be reached.
    Server(ServerStatus, Option<SocketAddrV4>),
    /// All findings of the wire checks.
    Findings(Vec<Finding>),
}

/// The deployment side.
pub struct Side<L> {
    deployment: Deployment,
    agent: AgentFiles,
    launcher: L,
    rights: Rights,
    lost: Lost,
    /// Absent for a rehearsal, which stands on the loopback.
    netlink: Option<Netlink>,
    tell: Box<dyn Fn(Told) + Send + Sync>,
    slots: [Slot; 3],
    tasks: JoinSet<Result<(), String>>,
    ground: Ground,
    wire: Wire,
    /// The NIC when it was last seen with a link.
    nic: Option<Nic>,
    known: bool,
    check: Option<AbortHandle>,
    heard: (mpsc::Sender<Heard>, mpsc::Receiver<Heard>),
    findings: Vec<Finding>,
}

impl<L: Launch> Side<L> {
    /// A side that has not begun to serve. Without `netlink` it stands on the loopback.
    pub fn new(
        config: &Config,
        launcher: L,
        rights: Rights,
        netlink: Option<Netlink>,
        tell: impl Fn(Told) + Send + Sync + 'static,
    ) -> Self {
        let on_loopback = netlink.is_none();
        Self {
            deployment: config.deployment.clone(),
            agent: config.agent.clone(),
            launcher,
            lost: rights.lost(),
            rights,
            netlink,
            tell: Box::new(tell),
            slots: ServerKind::ALL.map(Slot::new),
            tasks: JoinSet::new(),
            ground: if on_loopback {
                Ground::Firm
            } else {
                Ground::Unknown
            },
            wire: if on_loopback {
                Wire::Clear
            } else {
                Wire::Unheard
            },
            nic: None,
            known: false,
            check: None,
            heard: mpsc::channel(16),
            findings: Vec::new(),
        }
    }

    /// Runs until `stop`, then stops the servers, lets them end, and undoes what was done to the NIC.
    pub async fn run(mut self, mut orders: mpsc::Receiver<Orders>, stop: CancellationToken) {
        let serving = async {
            self.look().await;
            loop {
                self.make_it_so().await;
                self.take_next(&mut orders).await;
            }
        };
        // Wherever it is just then: a person may be asked for a password.
        stop.run_until_cancelled(serving).await;
        self.wind_down().await;
    }

    /// Waits for the next thing to happen and takes it in.
    async fn take_next(&mut self, orders: &mut mpsc::Receiver<Orders>) {
        let retry = self.slots.iter().filter_map(Slot::retry_at).min();
        let retry = retry.unwrap_or_else(|| Instant::now() + LOOK_AGAIN);
        tokio::select! {
            () = changed(&mut self.netlink) => {
                tokio::time::sleep(SETTLE).await;
                self.look().await;
            }
            Some(heard) = self.heard.1.recv() => self.hear(heard).await,
            Some(order) = orders.recv() => self.obey(order).await,
            Some(ended) = self.tasks.join_next_with_id() => self.note_end(ended),
            how = self.lost.next() => self.note_lost_helper(&how).await,
            () = tokio::time::sleep_until(retry.into()) => self.look().await,
        }
    }

    /// Looks at the network cards.
    async fn look(&mut self) {
        let Some(netlink) = &self.netlink else { return };
        let nics = match netlink.list().await {
            Ok(nics) => nics,
            Err(error) => {
                tracing::warn!(%error, "network cards");
                return;
            }
        };
        match footing(&nics, &self.deployment, self.known) {
            Footing::Refused(why) => {
                self.lose_link();
                self.ground = Ground::Refused(why.to_string());
            }
            Footing::NoLink { why, nic } => {
                self.lose_link();
                self.known |= nic.is_some();
                let has_address = nic.as_ref().is_some_and(|n| self.has_address(n));
                if let Some(nic) = nic.filter(|n| !n.up) {
                    self.try_switch_on(&nic).await;
                }
                self.ground = Ground::Waiting { why, has_address };
            }
            Footing::Linked(nic) => {
                self.known = true;
                if let Err(denied) = self.rights.stand_on(&nic.name, &self.deployment).await {
                    self.lose_link();
                    self.ground = Ground::Refused(sentence(&denied.text));
                    return;
                }
                if self.check.is_none() {
                    self.begin_check();
                }
                if self.has_address(&nic) {
                    self.ground = Ground::Firm;
                } else {
                    self.ground = self.without_address(&nic).await;
                }
                self.nic = Some(nic);
            }
        }
    }

    fn has_address(&self, nic: &Nic) -> bool {
        nic.has(self.deployment.address.address)
    }

    /// The cable is out, or the NIC unfit: what the wire check knew is worth nothing any more.
    fn lose_link(&mut self) {
        self.nic = None;
        if let Some(check) = self.check.take() {
            check.abort();
            while self.heard.1.try_recv().is_ok() {}
        }
        self.wire = Wire::Unheard;
        self.set_findings(Vec::new());
    }

    fn begin_check(&mut self) {
        let address = self.deployment.address;
        let asking = keep_asking(self.rights.clone(), address, self.heard.0.clone());
        self.check = Some(tokio::spawn(asking).abort_handle());
        self.wire = Wire::Unheard;
    }

    async fn try_switch_on(&self, nic: &Nic) {
        if !self.manages_address() {
            return;
        }
        let on = match self.rights.stand_on(&nic.name, &self.deployment).await {
            Ok(()) => self.rights.switch_on().await,
            denied => denied,
        };
        if let Err(denied) = on {
            tracing::debug!(%denied, nic = nic.name, "switching on");
        }
    }

    fn manages_address(&self) -> bool {
        self.deployment.manage_address
    }

    /// What to stand on while the NIC has no address of ours: once the wire is known to be clear the
    /// address is given, and a moment later the kernel tells of it.
    async fn without_address(&mut self, nic: &Nic) -> Ground {
        let address = self.deployment.address;
        let missing = |why: String| Ground::Waiting {
            why,
            has_address: false,
        };
        if !self.manages_address() {
            return missing(format!("{} does not have the address {address}", nic.name));
        }
        // A rival keeps DHCP from serving, not the station from its own address.
        let may_have = matches!(self.wire, Wire::Clear | Wire::Disturbed(_));
        if !may_have {
            return missing(format!("{} gets its address {address}", nic.name));
        }
        match self.rights.give_address().await {
            Ok(()) => Ground::Firm,
            Err(denied) => Ground::Refused(sentence(&denied.text)),
        }
    }

    async fn hear(&mut self, heard: Heard) {
        let Some(nic) = self.nic.clone() else { return };
        match heard {
            Heard::First(round) => self.hear_first(&nic, &round),
            Heard::Duplicate(mac) => {
                let ip = self.deployment.address.address;
                self.disturb(duplicate_found(&nic.name, ip, mac));
            }
            Heard::Rival(rival) => {
                self.disturb(rival_found(&nic.name, rival.server, rival.mac));
            }
        }
        self.look().await;
    }

    fn hear_first(&mut self, nic: &Nic, round: &Round) {
        let own = self.deployment.address.address;
        if matches!(self.wire, Wire::Unheard) {
            self.wire = Wire::Clear;
        }
        if let Some(rival) = round.rivals.first() {
            self.wire = Wire::Disturbed(words(&rival_found(&nic.name, rival.server, rival.mac)));
        }
        if let Some(mac) = round.duplicate {
            self.wire = Wire::Duplicate(words(&duplicate_found(&nic.name, own, mac)));
        }
        let mut found = findings::of_round(nic, own, round);
        found.extend(findings::of_agent(&self.agent));
        self.set_findings(findings::renewed(&self.findings, &found));
    }

    /// Something on the wire that DHCP must not be part of. It stays so until the operator starts
    /// DHCP again or the cable was out: a rival that pauses is still a rival.
    fn disturb(&mut self, finding: Finding) {
        if !matches!(self.wire, Wire::Duplicate(_)) {
            self.wire = Wire::Disturbed(words(&finding));
        }
        let mut findings = self.findings.clone();
        if !findings.iter().any(|f| f.text == finding.text) {
            findings.push(finding);
            self.set_findings(findings);
        }
    }

    fn set_findings(&mut self, findings: Vec<Finding>) {
        if self.findings != findings {
            self.findings.clone_from(&findings);
            (self.tell)(Told::Findings(findings));
        }
    }

    async fn obey(&mut self, order: Orders) {
        match order {
            Orders::Start(kind) => {
                self.rights.look_again().await;
                let again = self.slot(kind).start_wanted();
                let disturbed = matches!(self.wire, Wire::Disturbed(_) | Wire::Duplicate(_));
                // Whether the wire is clear is asked, not remembered.
                if (disturbed || (again && kind == ServerKind::Dhcp))
                    && let Some(nic) = self.nic.clone()
                {
                    self.lose_link();
                    self.begin_check();
                    self.nic = Some(nic);
                }
            }
            Orders::Stop(kind) => self.slot(kind).wanted = false,
            Orders::Vouch(mac) => self.launcher.vouch(mac),
            Orders::Rival(server, mac) => {
                if let Some(nic) = &self.nic {
                    let rival = rival_found(&nic.name, server, mac);
                    self.disturb(rival);
                }
            }
            Orders::StandOn(deployment) => self.stand_on(*deployment).await,
            Orders::Dhcp(dhcp) => {
                self.launcher.hand_out(&dhcp);
                self.end(ServerKind::Dhcp).await;
            }
        }
    }

    /// Leaves the NIC as it was and goes to another, or to another address.
    async fn stand_on(&mut self, deployment: Deployment) {
        if self.deployment == deployment {
            return;
        }
        self.halt().await;
        if self.netlink.is_none() {
            // The loopback is where it was; ports may be others.
            self.launcher.stand_on(&deployment);
            self.deployment = deployment;
            return;
        }
        self.lose_link();
        self.ground = Ground::Unknown;
        self.rights.done().await;
        self.launcher.stand_on(&deployment);
        self.deployment = deployment;
        self.known = false;
        self.look().await;
    }

    async fn note_lost_helper(&mut self, how: &str) {
        tracing::error!(how, "the helper with the network rights ended");
        self.look().await;
        let lost = helper_ended(how);
        let mut findings = self.findings.clone();
        findings.retain(|f| f.check != lost.check);
        findings.push(lost);
        self.set_findings(findings);
    }

    fn slot(&mut self, kind: ServerKind) -> &mut Slot {
        match kind {
            ServerKind::Http => &mut self.slots[0],
            ServerKind::Tftp => &mut self.slots[1],
            ServerKind::Dhcp => &mut self.slots[2],
        }
    }

    fn note_end(&mut self, ended: Result<(tokio::task::Id, Result<(), String>), JoinError>) {
        let (task, why) = match ended {
            Ok((task, Ok(()))) => (task, "it ended by itself".to_owned()),
            Ok((task, Err(why))) => (task, why),
            Err(gone) if gone.is_panic() => {
                let id = gone.id();
                (id, format!("it panicked: {}", panic_words(gone)))
            }
            Err(gone) => (gone.id(), "it was cut off".to_owned()),
        };
        for slot in &mut self.slots {
            if slot.ended(task, why.clone()) {
                tracing::error!(server = slot.kind.as_str(), why, "a server ended");
            }
        }
    }

    /// Starts, stops and shows, until every server is as it ought to be.
    async fn make_it_so(&mut self) {
        for kind in ServerKind::ALL {
            let wanted = self.slot(kind).wanted;
            let ought = ought(kind, wanted, &self.ground, &self.wire);
            let state = match ought {
                Ought::Rest(state) => {
                    self.slot(kind).stop();
                    state
                }
                Ought::Run | Ought::RunUnseen => {
                    if self.slot(kind).may_start(Instant::now()) {
                        self.start(kind).await;
                    }
                    let unseen = ought == Ought::RunUnseen;
                    let slot = self.slot(kind);
                    match slot.trouble() {
                        Some(trouble) => trouble.clone(),
                        None if unseen => ServerState::WaitingForLink,
                        None => ServerState::Serving,
                    }
                }
            };
            self.show(kind, state);
        }
    }

    async fn start(&mut self, kind: ServerKind) {
        let stop = CancellationToken::new();
        let launched = self.launcher.launch(kind, stop.clone()).await;
        match launched {
            Ok(mut launched) => {
                let task = std::mem::replace(&mut launched.task, Box::pin(async { Ok(()) }));
                let task = self.tasks.spawn(task);
                self.slot(kind).started(&launched, stop, task);
            }
            Err(why) => self.slot(kind).refused(why),
        }
    }

    /// Ends one server, so that it is started anew.
    async fn end(&mut self, kind: ServerKind) {
        let Some(task) = self.slot(kind).stop() else {
            return;
        };
        let ended = async {
            while let Some(ended) = self.tasks.join_next_with_id().await {
                let id = match &ended {
                    Ok((id, _)) => *id,
                    Err(gone) => gone.id(),
                };
                if id == task {
                    return;
                }
                self.note_end(ended);
            }
        };
        if tokio::time::timeout(LAST_WORDS, ended).await.is_err() {
            tracing::warn!(server = kind.as_str(), "a server does not end");
        }
    }

    fn show(&mut self, kind: ServerKind, state: ServerState) {
        let slot = self.slot(kind);
        let at = slot.at();
        if let Some(status) = slot.show(state) {
            tracing::info!(
                server = kind.as_str(),
                state = ?status.state,
                listen = status.listen,
                "server"
            );
            (self.tell)(Told::Server(status, at));
        }
    }

    async fn wind_down(mut self) {
        if let Some(check) = self.check.take() {
            check.abort();
        }
        self.halt().await;
        for kind in ServerKind::ALL {
            self.show(kind, ServerState::Stopped);
        }
        if tokio::time::timeout(LAST_WORDS, self.rights.done())
            .await
            .is_err()
        {
            tracing::warn!("the network rights were not given back in time");
        }
    }

    /// Stops all servers and waits for their end.
    async fn halt(&mut self) {
        // DHCP first: no new board is taken while running ones say their last words.
        for kind in [ServerKind::Dhcp, ServerKind::Tftp, ServerKind::Http] {
            self.slot(kind).stop();
        }
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_WORDS, all).await.is_err() {
            tracing::warn!("a server did not end in time and was cut off");
            self.tasks.shutdown().await;
        }
    }
}

fn sentence(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}

fn words(finding: &Finding) -> String {
    match &finding.next {
        Some(next) => format!("{} {next}", finding.text),
        None => finding.text.clone(),
    }
}

fn panic_words(gone: JoinError) -> String {
    let panic = gone.into_panic();
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a word".to_owned())
}

async fn changed(netlink: &mut Option<Netlink>) {
    match netlink {
        Some(netlink) => netlink.changed().await,
        None => std::future::pending().await,
    }
}
