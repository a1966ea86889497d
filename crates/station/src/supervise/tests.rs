use super::launch::{Launch, Launched};
use super::{Orders, Side, Told};
use crate::config::{AgentFiles, Config, Deployment, Dhcp};
use crate::rights::Rights;
use crate::rights::search::Search;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio_util::sync::CancellationToken;
use wire::Mac;
use wire::health::{ServerKind, ServerState};

/// Servers that do as they are told: how each start of TFTP goes.
struct Script {
    tftp: Mutex<Vec<Start>>,
    starts: Arc<AtomicU32>,
    vouched: Arc<Mutex<Vec<Mac>>>,
}

#[derive(Clone, Copy)]
enum Start {
    Refused,
    Panics,
    Fails,
}

impl Launch for Script {
    async fn launch(
        &mut self,
        server: ServerKind,
        stop: CancellationToken,
    ) -> Result<Launched, String> {
        let start = match server {
            ServerKind::Tftp => {
                self.starts.fetch_add(1, Ordering::Relaxed);
                let mut script = self.tftp.lock().unwrap();
                (!script.is_empty()).then(|| script.remove(0))
            }
            ServerKind::Http | ServerKind::Dhcp => None,
        };
        if let Some(Start::Refused) = start {
            return Err("UDP port 69 is taken by dnsmasq".to_owned());
        }
        Ok(Launched {
            listen: "here".to_owned(),
            at: SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1),
            task: Box::pin(async move {
                match start {
                    Some(Start::Panics) => panic!("out of luck"),
                    Some(Start::Fails) => return Err("the NIC is gone".to_owned()),
                    Some(Start::Refused) | None => stop.cancelled().await,
                }
                Ok(())
            }),
        })
    }

    fn vouch(&mut self, mac: Mac) {
        self.vouched.lock().unwrap().push(mac);
    }

    fn stand_on(&mut self, _: &Deployment) {}

    fn hand_out(&mut self, _: &Dhcp) {}
}

struct Rig {
    told: UnboundedReceiver<Told>,
    orders: mpsc::Sender<Orders>,
    stop: CancellationToken,
    starts: Arc<AtomicU32>,
    vouched: Arc<Mutex<Vec<Mac>>>,
    side: tokio::task::JoinHandle<()>,
}

fn rig(tftp: &[Start]) -> Rig {
    let agent = AgentFiles {
        arm64: "/none".into(),
        x86_64: "/none".into(),
    };
    let config = Config::for_rehearsal("/none".into(), agent);
    let (starts, vouched) = (Arc::default(), Arc::default());
    let script = Script {
        tftp: Mutex::new(tftp.to_vec()),
        starts: Arc::clone(&starts),
        vouched: Arc::clone(&vouched),
    };
    let (tell, told) = mpsc::unbounded_channel();
    let rights = Rights::new(Search::default());
    let side = Side::new(&config, script, rights, None, move |t| drop(tell.send(t)));
    let (orders, ordered) = mpsc::channel(8);
    let stop = CancellationToken::new();
    let side = tokio::spawn(side.run(ordered, stop.clone()));
    Rig {
        told,
        orders,
        stop,
        starts,
        vouched,
        side,
    }
}

impl Rig {
    /// The next states of a server, as many as asked for.
    async fn states(&mut self, kind: ServerKind, count: usize) -> Vec<ServerState> {
        let mut states = Vec::new();
        while states.len() < count {
            let told = self.told.recv().await.expect("the side ended");
            if let Told::Server(status, _) = told
                && status.server == kind
            {
                states.push(status.state);
            }
        }
        states
    }
}

fn restarting(why: &str, times: u32) -> ServerState {
    ServerState::Restarting {
        why: why.to_owned(),
        times,
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_panics_or_fails_is_started_again_and_the_others_run_on() {
    let mut rig = rig(&[Start::Panics, Start::Fails]);
    let states = rig.states(ServerKind::Tftp, 5).await;
    assert_eq!(
        states,
        [
            ServerState::Serving,
            restarting("it panicked: out of luck", 1),
            ServerState::Serving,
            restarting("the NIC is gone", 2),
            ServerState::Serving,
        ]
    );
    assert_eq!(rig.starts.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn a_taken_port_is_tried_again_until_it_is_free() {
    let mut rig = rig(&[Start::Refused, Start::Refused]);
    let states = rig.states(ServerKind::Tftp, 2).await;
    assert!(
        matches!(&states[0], ServerState::Refused { why } if why.contains("dnsmasq")),
        "{states:?}"
    );
    assert_eq!(states[1], ServerState::Serving);
}

#[tokio::test(start_paused = true)]
async fn orders_are_obeyed_and_vouchers_passed_on() {
    let mut rig = rig(&[]);
    rig.states(ServerKind::Tftp, 1).await;
    rig.orders
        .send(Orders::Stop(ServerKind::Tftp))
        .await
        .unwrap();
    assert_eq!(
        rig.states(ServerKind::Tftp, 1).await,
        [ServerState::Stopped]
    );
    rig.orders.send(Orders::Vouch(Mac([7; 6]))).await.unwrap();
    rig.orders
        .send(Orders::Start(ServerKind::Tftp))
        .await
        .unwrap();
    assert_eq!(
        rig.states(ServerKind::Tftp, 1).await,
        [ServerState::Serving]
    );
    assert_eq!(*rig.vouched.lock().unwrap(), [Mac([7; 6])]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_every_server_and_says_so() {
    let mut rig = rig(&[]);
    rig.states(ServerKind::Dhcp, 1).await;
    rig.stop.cancel();
    assert_eq!(
        rig.states(ServerKind::Dhcp, 1).await,
        [ServerState::Stopped]
    );
    tokio::time::timeout(Duration::from_mins(1), rig.side)
        .await
        .expect("the side goes on")
        .unwrap();
}
