//! Carries news between the rooms: what the servers notice to the engine, what the engine wants done
//! to those who do it.

use crate::boot_tree::shelf::Shelf;
use crate::config::Deployment;
use crate::engine::{BootAnswer, BootClient, Effect, Engine};
use crate::library::Library;
use crate::library::imports::Importer;
use crate::supervise::Orders;
use crate::traffic::Traffic;
use netboot::dhcp::{DhcpEvent, Told};
use netboot::tftp::TftpEvent;
use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_stream::StreamExt as _;
use tokio_util::sync::CancellationToken;
use wire::ImageId;
use wire::batch::BatchState;
use wire::update::{Snapshot, Update};

/// By now the engine knows of a lease it was just told about.
const NEWS_TRAVELS: Duration = Duration::from_millis(20);
/// How often boot files that nobody needs are looked for.
const TIDY: Duration = Duration::from_mins(1);

/// Everything that news is carried between.
#[derive(Clone)]
pub(super) struct Carrier {
    pub(super) engine: Engine,
    pub(super) library: Library,
    pub(super) shelf: Shelf,
    pub(super) importer: Importer,
    pub(super) orders: mpsc::Sender<Orders>,
    /// To whoever has to know where boards hang.
    pub(super) standing: watch::Sender<Deployment>,
    pub(super) traffic: Traffic,
    /// To whoever conducts rehearsals, when there is somebody.
    pub(super) rehearsals: Option<mpsc::UnboundedSender<Effect>>,
    /// To whoever makes backups.
    pub(super) backups: mpsc::UnboundedSender<()>,
    pub(super) stop: CancellationToken,
}

impl Carrier {
    /// Begins to carry; the tasks end when the station stops.
    pub(super) fn begin(
        self,
        dhcp: mpsc::Receiver<Told>,
        tftp: mpsc::Receiver<TftpEvent>,
    ) -> [JoinHandle<()>; 4] {
        [
            tokio::spawn(self.clone().effects()),
            tokio::spawn(self.clone().dhcp(dhcp)),
            tokio::spawn(self.clone().tftp(tftp)),
            tokio::spawn(self.shelf()),
        ]
    }

    /// What the engine wants done outside.
    async fn effects(self) {
        let mut effects = self.engine.effects();
        while let Some(Some(effect)) = self.stop.run_until_cancelled(effects.recv()).await {
            match effect {
                Effect::StartImport(wanted) => self.importer.start(wanted),
                Effect::CancelImport { import } => self.importer.cancel(&import),
                Effect::RemovePack { image } => {
                    self.shelf.tidy(Some(image));
                    self.library.remove(image);
                }
                Effect::StartServer(kind) => self.order(Orders::Start(kind)).await,
                Effect::StopServer(kind) => self.order(Orders::Stop(kind)).await,
                Effect::StandOn(deployment) => {
                    // Before the first board there is given an address.
                    self.standing.send_replace((*deployment).clone());
                    self.order(Orders::StandOn(deployment)).await;
                }
                Effect::Vouch(mac) => self.order(Orders::Vouch(mac)).await,
                Effect::MakeBackup => {
                    // Gone only when the station stops.
                    let _ = self.backups.send(());
                }
                effect @ (Effect::StartRehearsal { .. } | Effect::StopRehearsal { .. }) => {
                    if let Some(conductor) = &self.rehearsals {
                        // Gone only when the station stops, which ends rehearsals too.
                        let _ = conductor.send(effect);
                    }
                }
            }
        }
    }

    async fn order(&self, order: Orders) {
        if self.orders.send(order).await.is_err() {
            tracing::debug!("the deployment side has ended");
        }
    }

    /// What the DHCP server notices.
    async fn dhcp(self, mut events: mpsc::Receiver<Told>) {
        while let Some(Some(told)) = self.stop.run_until_cancelled(events.recv()).await {
            self.traffic.counts().dhcp(&told.event);
            match &told.event {
                DhcpEvent::Rival { server, mac, .. } => {
                    self.order(Orders::Rival(*server, *mac)).await;
                }
                DhcpEvent::Offered { ip, .. } => self.expect(*ip),
                _ => {}
            }
            self.engine.dhcp(told);
        }
    }

    /// A board will ask for boot files in a moment; they had better be in memory then.
    fn expect(&self, ip: Ipv4Addr) {
        let (engine, shelf) = (self.engine.clone(), self.shelf.clone());
        tokio::spawn(async move {
            tokio::time::sleep(NEWS_TRAVELS).await;
            let who = BootClient { ip, board: None };
            if let BootAnswer::Install(install) = engine.boot_answer(who) {
                let _ = shelf.get(install.image);
            }
        });
    }

    /// What the TFTP server notices.
    async fn tftp(self, mut events: mpsc::Receiver<TftpEvent>) {
        while let Some(Some(event)) = self.stop.run_until_cancelled(events.recv()).await {
            self.traffic.tftp(&event);
            self.engine.tftp(event);
        }
    }

    /// Keeps the shelf: boot files of a batch that starts are fetched before its first board comes,
    /// and those that nobody needs are put away.
    async fn shelf(self) {
        let mut watch = self.engine.watch();
        let mut now = Snapshot::default();
        let mut known = HashSet::new();
        let mut tidy = tokio::time::interval(TIDY);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return,
                _ = tidy.tick() => self.shelf.tidy(None),
                update = watch.next() => match update {
                    None => return,
                    Some(update @ (Update::Snapshot(_) | Update::Batch(_) | Update::Images(_))) => {
                        now.fold(update);
                        let wanted = of_active_batches(&now);
                        for image in wanted.difference(&known) {
                            let _ = self.shelf.get(*image);
                        }
                        known = wanted;
                    }
                    Some(_) => {}
                },
            }
        }
    }
}

/// The images that boards of active batches get.
fn of_active_batches(now: &Snapshot) -> HashSet<ImageId> {
    let active = now.batches.iter().filter(|b| b.state == BatchState::Active);
    active
        .filter_map(|batch| {
            let of_product = || {
                let mut images = now.images.iter();
                images.find(|i| i.active && i.product == batch.plan.product)
            };
            batch.plan.image.or_else(|| Some(of_product()?.id))
        })
        .collect()
}
