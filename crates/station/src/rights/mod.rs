//! What serving boards needs rights for, had from whoever holds them.
//!
//! A station never uses rights itself: it asks over a channel, and gets addresses given and sockets
//! handed over. At the other end is the helper `punnet-net`, or the same code in a thread of this
//! process when that has the rights (root, tests). [`search`] knows the ways to get there and their
//! order; `client` is one conversation; [`Rights`] is the handle that everything else holds. It
//! starts the conversation when it is first needed, says what the NIC is, and starts another helper
//! when one was killed.
//!
//! Where no rights can be had the channel leads to this process all the same. Then what needs none
//! still works (ports above 1023, an address that a person gave), and the rest is refused with the
//! ways to get rights.

mod client;
pub mod search;

pub use punnet_net::{Denied, Reason, What};

use crate::config::Deployment;
use client::Client;
use netboot::arp::ArpSocket;
use netboot::packets::Packets;
use punnet_net::{Reply, Request};
use search::Search;
use std::net::UdpSocket;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use tokio::sync::{Mutex, watch};
use wire::Mac;

/// The rights of a station. Clones share them.
#[derive(Debug, Clone)]
pub struct Rights(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    search: Search,
    state: Mutex<State>,
    /// How the last helper that ended by itself ended, and how many have.
    lost: watch::Sender<(u64, String)>,
    /// Where what passes through packet sockets is written down.
    packets: Packets,
}

#[derive(Debug, Default)]
struct State {
    client: Option<Client>,
    /// The NIC in use, to be said again to the next helper.
    using: Option<Request>,
    /// Why there are no rights, and the ways to get them.
    without: Option<String>,
}

impl Rights {
    /// Rights to be found by this search when they are first needed. Nothing is started yet.
    pub fn new(search: Search) -> Self {
        Self::watched(search, Packets::default())
    }

    /// The same, with ARP written down.
    pub fn watched(search: Search, packets: Packets) -> Self {
        let (lost, _) = watch::channel((0, String::new()));
        Self(Arc::new(Inner {
            search,
            state: Mutex::default(),
            lost,
            packets,
        }))
    }

    /// From now on the NIC and the address of this deployment side.
    pub async fn stand_on(&self, nic: &str, deployment: &Deployment) -> Result<(), Denied> {
        let request = Request::Use {
            nic: nic.to_owned(),
            address: deployment.address.address,
            prefix: deployment.address.prefix,
            force_default_route: deployment.force_default_route,
        };
        self.ask(request).await.map(|_| ())
    }

    /// Gives the NIC its address. It is taken away when the station ends, however it does.
    pub async fn give_address(&self) -> Result<(), Denied> {
        self.ask(Request::GiveAddress).await.map(|_| ())
    }

    /// Switches the NIC on, until the station ends.
    pub async fn switch_on(&self) -> Result<(), Denied> {
        self.ask(Request::SwitchOn).await.map(|_| ())
    }

    /// A UDP socket on the NIC, in blocking mode.
    pub async fn udp(&self, what: What) -> Result<UdpSocket, Denied> {
        let (socket, _) = self.open(what).await?;
        Ok(socket.into())
    }

    /// A packet socket on the NIC.
    pub async fn arp(&self) -> Result<ArpSocket, Denied> {
        let (socket, mac) = self.open(What::Arp).await?;
        let socket = ArpSocket::from_parts(socket, mac).map_err(|why| other(&why))?;
        Ok(socket.watched(self.0.packets.clone()))
    }

    /// Undoes everything that was done to the NIC, and lets go of the rights.
    pub async fn done(&self) {
        let inner = Arc::clone(&self.0);
        let letting_go = async move {
            let mut state = inner.state.lock().await;
            state.using = None;
            if let Some(mut client) = state.client.take() {
                if let Err(why) = client.ask(&Request::Done).await {
                    tracing::warn!(%why, "the network rights were given back without an answer");
                }
                client.let_go();
            }
        };
        finish(letting_go).await;
    }

    /// Looks for rights anew when they are needed next: a person may have been asked in vain and
    /// wants to be asked again, or has joined the group meanwhile.
    pub async fn look_again(&self) {
        let mut state = self.0.state.lock().await;
        if state.without.take().is_some()
            && let Some(client) = state.client.take()
        {
            client.let_go();
        }
    }

    /// Waits until a helper ends that nobody told to; returns how it ended.
    pub fn lost(&self) -> Lost {
        Lost(self.0.lost.subscribe())
    }

    async fn open(&self, what: What) -> Result<(OwnedFd, Mac), Denied> {
        match self.ask(Request::Open { what }).await? {
            (Reply::Opened { mac }, Some(socket)) => Ok((socket, Mac(mac))),
            _ => Err(other(&"a socket was asked for and did not come")),
        }
    }

    /// Asks, and starts a helper first when there is none. An exchange that was begun is brought to
    /// its end even when nobody waits for it any more, or the next question would get its answer.
    async fn ask(&self, request: Request) -> Answer {
        let inner = Arc::clone(&self.0);
        let asking = async move { inner.ask(request).await };
        let answer = finish(asking).await;
        answer.unwrap_or_else(|| Err(other(&"the question broke off")))
    }
}

async fn finish<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Option<T> {
    match tokio::spawn(work).await {
        Ok(value) => Some(value),
        Err(gone) => {
            tracing::error!(%gone, "a conversation about network rights broke off");
            None
        }
    }
}

impl Inner {
    async fn ask(self: &Arc<Self>, request: Request) -> Result<(Reply, Option<OwnedFd>), Denied> {
        let mut state = self.state.lock().await;
        let names_nic = matches!(request, Request::Use { .. });
        let mut answer = self.exchange(&mut state, &request).await;
        if answer.is_err() {
            // There is no helper yet, or it is gone. A new one knows of no NIC.
            self.start(&mut state).await?;
            if let Some(using) = state.using.clone().filter(|_| !names_nic) {
                let again = self.exchange(&mut state, &using).await;
                again.map_err(|why| other(&why))??;
            }
            answer = self.exchange(&mut state, &request).await;
        }
        let answer = answer.map_err(|why| other(&why))?;
        if names_nic {
            state.using = answer.is_ok().then_some(request);
        }
        answer.map_err(|denied| match &state.without {
            Some(ways) if denied.reason == Reason::NoRight => {
                Denied::new(Reason::NoRight, format!("{}. {ways}", denied.text))
            }
            _ => denied,
        })
    }

    async fn exchange(&self, state: &mut State, request: &Request) -> Result<Answer, NoAnswer> {
        let Some(client) = &mut state.client else {
            return Err(NoAnswer("there is nobody to ask".to_owned()));
        };
        match client.ask(request).await {
            Ok((Reply::Refused(denied), _)) => Ok(Err(denied)),
            Ok(answer) => Ok(Ok(answer)),
            Err(why) => {
                state.client = None;
                Err(NoAnswer(why.to_string()))
            }
        }
    }

    async fn start(self: &Arc<Self>, state: &mut State) -> Result<(), Denied> {
        let (mut client, without) = match self.search.find().await {
            Ok(client) => (client, None),
            Err(ways) => {
                tracing::warn!(%ways, "no rights to administer the network");
                let client = Client::own().await;
                (client.map_err(|why| other(&why))?, Some(ways))
            }
        };
        let ended = client.ended().map_err(|why| other(&why))?;
        tracing::info!(through = client.through(), "network rights");
        let inner = Arc::downgrade(self);
        tokio::spawn(async move {
            if let (Some(how), Some(inner)) = (ended.await, inner.upgrade()) {
                inner.lost.send_modify(|(times, last)| {
                    *times += 1;
                    *last = how;
                });
            }
        });
        state.client = Some(client);
        state.without = without;
        Ok(())
    }
}

/// What was said, or refused.
type Answer = Result<(Reply, Option<OwnedFd>), Denied>;

/// Nobody said anything.
#[derive(Debug, thiserror::Error)]
#[error("the network helper did not answer ({0})")]
struct NoAnswer(String);

/// Hears of helpers that end.
#[derive(Debug)]
pub struct Lost(watch::Receiver<(u64, String)>);

impl Lost {
    /// Waits for the next one; how it ended.
    pub async fn next(&mut self) -> String {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        self.0.borrow_and_update().1.clone()
    }
}

fn other(why: &dyn std::fmt::Display) -> Denied {
    Denied::new(Reason::Other, why.to_string())
}

#[cfg(test)]
mod tests;
