//! The DHCP server as a pure conversation: datagrams and the present moment in, datagrams and
//! events out.
//!
//! Deny by default: an answer goes only to Raspberry Pi bootloaders, to the agent, to UEFI firmware
//! where the settings say so, and to Ethernet addresses that were learnt from one of these or
//! accepted by somebody. Everything else meets silence and an event.
//!
//! A REQUEST is matched by Ethernet address, server id and address alone, because bootloaders leave
//! everything that identifies them out of it. States of a REQUEST: RFC 2131 §4.3.2.

use super::event::{DhcpEvent, Output};
use super::identify::Client;
use super::limits::{BURST, RATE, Told};
use super::packet::{Ignored, Request};
use super::pool::Pool;
use super::probe::{self, Asker};
use super::settings::{ReplyTo, Settings};
use super::visitor::{self, Keys};
use super::{CLIENT_PORT, SERVER_PORT, draft::Draft, reply};
use crate::limits::Buckets;
use dhcproto::v4::{MessageType, OptionCode};
use std::collections::{HashMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddrV4};
use wire::health::Lease;
use wire::{Mac, Millis};

/// How long an OFFER holds its address for clients that are known to request it, in milliseconds.
const OFFER_MS: i64 = 60_000;
/// How long a declined address is set aside.
const QUARANTINE_MS: i64 = 3_600_000;
/// A DISCOVER with the same number within this time is a retry of the same boot.
const RETRY_MS: i64 = 10_000;
/// Pause between two events that say the same.
const TOLD_MS: i64 = 60_000;
/// Most clients whose present exchange is remembered.
const MOST_EXCHANGES: usize = 4096;
/// What a DECLINE costs in the client's token bucket: setting addresses aside is not for free.
const DECLINE_COST: u32 = 6;

/// The exchange a client is in: its later packets do not say who it is.
#[derive(Debug, Clone)]
struct Exchange {
    xid: u32,
    client: Client,
    seen: Millis,
}

/// Facts that are told once a minute.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Fact {
    NotOurs(Mac),
    PoolFull(Mac),
    Rival(Ipv4Addr, Mac),
}

/// The server.
#[derive(Debug)]
pub struct Server {
    settings: Settings,
    pool: Pool,
    exchanges: HashMap<Mac, Exchange>,
    buckets: Buckets<Mac>,
    told: Told<Fact>,
    /// OFFERs held back, in the order they are due.
    delayed: VecDeque<(Millis, Mac, SocketAddrV4, Vec<u8>)>,
    output: VecDeque<Output>,
    started: bool,
    /// Keys of visitors.
    keys: Keys,
}

impl Server {
    /// A server that remembers earlier leases.
    pub fn new(settings: Settings, leases: Vec<Lease>) -> Self {
        Self {
            pool: Pool::new(&settings, leases),
            settings,
            exchanges: HashMap::new(),
            buckets: Buckets::new(BURST, RATE),
            told: Told::every(TOLD_MS),
            delayed: VecDeque::new(),
            output: VecDeque::new(),
            started: false,
            keys: Keys::default(),
        }
    }

    /// The same server, which answers visitors with these keys.
    #[must_use]
    pub fn expecting(mut self, keys: Keys) -> Self {
        self.keys = keys;
        self
    }

    /// Takes one datagram.
    pub fn handle(&mut self, bytes: &[u8], from: SocketAddrV4, now: Millis) {
        if !self.started {
            self.started = true;
            self.pool.cap(now.plus(self.settings.lease_ms()));
        }
        match self.admit(bytes, now) {
            Ok(request) => self.answer(&request, from, now),
            Err(why) => tracing::trace!(%from, %why, "ignored"),
        }
    }

    /// Sends what was held back until now.
    pub fn handle_timeout(&mut self, now: Millis) {
        while let Some((_, _, to, bytes)) = self.delayed.pop_front_if(|(due, ..)| *due <= now) {
            self.output.push_back(Output::Send { to, bytes });
        }
    }

    /// When [`Server::handle_timeout`] has something to do next.
    pub fn next_deadline(&self) -> Option<Millis> {
        self.delayed.front().map(|(due, ..)| *due)
    }

    /// What to do next, until there is nothing more.
    pub fn poll(&mut self) -> Option<Output> {
        self.output.pop_front()
    }

    /// Answers this client from now on, whoever it is: the operator, or a check-in, vouches for it.
    pub fn accept(&mut self, mac: Mac) {
        self.settings.accept.insert(mac);
    }

    /// The address that replies have to come from: our own, unless they go back over loopback.
    /// Some firmware takes the sender of a reply for the TFTP server.
    pub fn source(&self) -> Option<Ipv4Addr> {
        (self.settings.reply == ReplyTo::Standard).then_some(self.settings.server)
    }

    /// Our own address.
    pub(crate) fn address(&self) -> Ipv4Addr {
        self.settings.server
    }

    /// Every address that was given out, with its holder; for the table and for the next start.
    pub fn leases(&self) -> Vec<Lease> {
        self.pool.leases()
    }

    fn admit(&mut self, bytes: &[u8], now: Millis) -> Result<Request, Ignored> {
        let request = Request::parse(bytes)?;
        if asker(&request) == Some(Asker::Ourselves) {
            return Err(Ignored::OwnProbe);
        }
        if let Some(relay) = request
            .relay()
            .filter(|relay| !self.settings.is_local(*relay))
        {
            return Err(Ignored::ForeignRelay(relay));
        }
        let decline = request.kind() == MessageType::Decline;
        let cost = if decline { DECLINE_COST } else { 1 };
        if self.buckets.take(request.mac(), cost, now) {
            Ok(request)
        } else {
            Err(Ignored::TooFast(request.mac()))
        }
    }

    fn answer(&mut self, request: &Request, from: SocketAddrV4, now: Millis) {
        let class = request.raw(OptionCode::UserClass);
        match class.and_then(|class| visitor::expected(class, &self.keys)) {
            Some(true) => return self.receive(request, from, now),
            Some(false) => return,
            None => {}
        }
        match request.kind() {
            MessageType::Discover if asker(request).is_some() => {
                self.be_found(request, from, now);
            }
            MessageType::Discover => self.discover(request, from, now),
            MessageType::Request => self.request(request, from, now),
            MessageType::Inform => self.inform(request, from, now),
            MessageType::Decline => self.decline(request, now),
            MessageType::Release => self.release(request, now),
            _ => {}
        }
    }

    fn discover(&mut self, request: &Request, from: SocketAddrV4, now: Millis) {
        let (mac, client) = (request.mac(), Client::of(request));
        if !self.is_answered(mac, &client) {
            return self.tell_not_ours(request, now);
        }
        let vendor_class = request.vendor_class();
        let retry = self.remember(request, &client, now);
        if !retry {
            let (client, xid) = (client, request.xid());
            self.tell(DhcpEvent::Seen {
                mac,
                client,
                xid,
                vendor_class,
            });
        }
        let wish = request.requested_ip();
        let Some(ip) = self.pool.choose(&self.settings, mac, wish, now) else {
            if self.told.is_due(Fact::PoolFull(mac), now) {
                self.tell(DhcpEvent::PoolFull { mac });
            }
            return;
        };
        let silent = client.may_skip_request();
        let hold = if silent {
            self.settings.lease_ms()
        } else {
            OFFER_MS
        };
        self.pool.hold(ip, mac, client.board(), now.plus(hold));
        if !retry {
            self.tell(DhcpEvent::Offered { mac, ip });
            if silent {
                self.tell_leased(mac, client);
            }
        }
        let draft = reply::lease(&self.settings, request, &client, MessageType::Offer, ip);
        let delay = i64::try_from(self.settings.reply_delay.as_millis()).unwrap_or(0);
        let due = (silent && delay > 0).then(|| now.plus(delay));
        self.send(draft, request, from, due);
    }

    /// Answers a visitor where it is, without an event and without promising anything.
    fn receive(&mut self, request: &Request, from: SocketAddrV4, now: Millis) {
        if request.kind() != MessageType::Discover {
            return;
        }
        let ip = self.pool.choose(&self.settings, request.mac(), None, now);
        let ip = ip.unwrap_or(Ipv4Addr::UNSPECIFIED);
        let client = Client::of(request);
        let draft = reply::lease(&self.settings, request, &client, MessageType::Offer, ip);
        if let Ok(bytes) = draft.encode(request.largest_reply()) {
            self.output.push_back(Output::Send { to: from, bytes });
        }
    }

    /// Lets another station's probe find us, without an event and without promising anything.
    fn be_found(&mut self, request: &Request, from: SocketAddrV4, now: Millis) {
        let ip = self.pool.choose(&self.settings, request.mac(), None, now);
        let ip = ip.unwrap_or(Ipv4Addr::UNSPECIFIED);
        let draft = reply::lease(
            &self.settings,
            request,
            &Client::Other,
            MessageType::Offer,
            ip,
        );
        self.send(draft, request, from, None);
    }

    fn request(&mut self, request: &Request, from: SocketAddrV4, now: Millis) {
        let mac = request.mac();
        let chosen = request.server_id();
        if let Some(server) = chosen.filter(|server| *server != self.settings.server) {
            return self.tell_rival(server, mac, now);
        }
        let client = self.client_of(request);
        // Who names us as the server has had our OFFER, perhaps before a restart of the station.
        if chosen.is_none() && !self.is_answered(mac, &client) {
            return self.tell_not_ours(request, now);
        }
        let Some(ip) = request.requested_ip().or(request.current_ip()) else {
            return;
        };
        if !self.pool.may_have(&self.settings, mac, ip) {
            let draft = reply::refusal(&self.settings, request);
            return self.send(draft, request, from, None);
        }
        let until = now.plus(self.settings.lease_ms());
        self.pool.hold(ip, mac, client.board(), until);
        let draft = reply::lease(&self.settings, request, &client, MessageType::Ack, ip);
        self.tell_leased(mac, client);
        self.send(draft, request, from, None);
    }

    fn inform(&mut self, request: &Request, from: SocketAddrV4, now: Millis) {
        let client = self.client_of(request);
        if !self.is_answered(request.mac(), &client) {
            self.tell_not_ours(request, now);
        } else if request.current_ip().is_some() {
            let draft = reply::inform(&self.settings, request, &client);
            self.send(draft, request, from, None);
        }
    }

    fn decline(&mut self, request: &Request, now: Millis) {
        let mac = request.mac();
        let own = self.pool.address_of(mac);
        if let Some(ip) =
            own.filter(|ip| Some(*ip) == request.requested_ip() && self.is_for_us(request))
        {
            self.pool.quarantine(mac, now.plus(QUARANTINE_MS));
            self.tell(DhcpEvent::Declined { mac, ip });
        }
    }

    fn release(&mut self, request: &Request, now: Millis) {
        let mac = request.mac();
        let own = self.pool.address_of(mac);
        if let Some(ip) =
            own.filter(|ip| Some(*ip) == request.current_ip() && self.is_for_us(request))
        {
            self.pool.release(mac, now);
            self.tell(DhcpEvent::Released { mac, ip });
        }
    }

    fn is_for_us(&self, request: &Request) -> bool {
        request
            .server_id()
            .is_none_or(|server| server == self.settings.server)
    }

    fn is_answered(&self, mac: Mac, client: &Client) -> bool {
        match client {
            Client::Pi(_) | Client::PiUnknown | Client::Agent { .. } => true,
            Client::Uefi { arch, .. } if self.settings.loader(*arch).is_some() => true,
            Client::Uefi { .. } | Client::Other => {
                self.settings.accept.contains(&mac) || self.pool.address_of(mac).is_some()
            }
        }
    }

    /// Who sent this: by the packet, or by the DISCOVER that began the same exchange.
    fn client_of(&self, request: &Request) -> Client {
        let says = Client::of(request);
        let exchange = self.exchanges.get(&request.mac());
        match exchange.filter(|exchange| exchange.xid == request.xid()) {
            Some(exchange) if says == Client::Other => exchange.client,
            _ => says,
        }
    }

    /// Remembers the exchange; true when this DISCOVER is a retry.
    fn remember(&mut self, request: &Request, client: &Client, now: Millis) -> bool {
        let (mac, xid) = (request.mac(), request.xid());
        if self.exchanges.len() >= MOST_EXCHANGES && !self.exchanges.contains_key(&mac) {
            let mut times: Vec<_> = self.exchanges.values().map(|e| e.seen).collect();
            let (_, median, _) = times.select_nth_unstable(MOST_EXCHANGES / 2);
            self.exchanges.retain(|_, exchange| exchange.seen > *median);
        }
        let exchange = Exchange {
            xid,
            client: *client,
            seen: now,
        };
        let before = self.exchanges.insert(mac, exchange);
        before.is_some_and(|before| {
            before.xid == xid && before.client == *client && now.since(before.seen) < RETRY_MS
        })
    }

    fn send(&mut self, draft: Draft, request: &Request, from: SocketAddrV4, due: Option<Millis>) {
        let to = self.destination(&draft, from);
        let bytes = match draft.encode(request.largest_reply()) {
            Ok(bytes) => bytes,
            Err(why) => return tracing::error!(mac = %request.mac(), %why, "reply not written"),
        };
        let Some(due) = due else {
            return self.output.push_back(Output::Send { to, bytes });
        };
        // A client that asks again while it waits gets one answer, to its latest question.
        let mac = request.mac();
        match self
            .delayed
            .iter_mut()
            .find(|(_, waiting, ..)| *waiting == mac)
        {
            Some(waiting) => (waiting.2, waiting.3) = (to, bytes),
            None => self.delayed.push_back((due, mac, to, bytes)),
        }
    }

    fn destination(&self, draft: &Draft, from: SocketAddrV4) -> SocketAddrV4 {
        match self.settings.reply {
            ReplyTo::Source => from,
            ReplyTo::Standard if !draft.giaddr.is_unspecified() => {
                SocketAddrV4::new(draft.giaddr, SERVER_PORT)
            }
            ReplyTo::Standard if !draft.ciaddr.is_unspecified() => {
                SocketAddrV4::new(draft.ciaddr, CLIENT_PORT)
            }
            ReplyTo::Standard => SocketAddrV4::new(Ipv4Addr::BROADCAST, CLIENT_PORT),
        }
    }

    fn tell(&mut self, event: DhcpEvent) {
        self.output.push_back(Output::Event(event));
    }

    fn tell_leased(&mut self, mac: Mac, client: Client) {
        if let Some(lease) = self.pool.lease_of(mac) {
            self.tell(DhcpEvent::Leased { lease, client });
        }
    }

    fn tell_not_ours(&mut self, request: &Request, now: Millis) {
        let mac = request.mac();
        if self.told.is_due(Fact::NotOurs(mac), now) {
            let vendor_class = request.vendor_class();
            self.tell(DhcpEvent::NotOurs { mac, vendor_class });
        }
    }

    fn tell_rival(&mut self, server: Ipv4Addr, client: Mac, now: Millis) {
        if self.told.is_due(Fact::Rival(server, client), now) {
            let how = format!("{client} accepted an address from {server}");
            self.tell(DhcpEvent::Rival {
                server,
                mac: None,
                client: Some(client),
                how,
            });
        }
    }
}

fn asker(request: &Request) -> Option<Asker> {
    probe::asker(request.raw(OptionCode::UserClass)?)
}
