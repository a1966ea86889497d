//! Choosing the network card while the station runs.

use super::*;
use crate::backup::outgoing::Outgoing;
use crate::config::{Config, Deployment, Environment, shown, shown_as_text};
use crate::engine::Effect;
use crate::net::Nic;
use crate::outside::{Outside, Soon, alone};
use wire::backup::Backups;
use wire::configuration::{Change, Configuration};
use wire::health::{ServerKind, Transfer, Works};
use wire::nic::DeploymentChoice;
use wire::query::Tried;
use wire::settings::Settings;

/// A machine with three cards.
struct Machine;

impl Outside for Machine {
    fn nics(&self) -> Soon<'_, Result<Vec<Nic>, Refusal>> {
        let card = |name: &str, index: u32, address: [u8; 4], default_route| Nic {
            index,
            name: name.to_owned(),
            mac: Some(Mac([2, 0, 0, 0, 0, index as u8])),
            up: true,
            carrier: true,
            speed_mbit: Some(1000),
            addresses: vec![(address.into(), 24)],
            default_route,
            loopback: false,
        };
        let office = card("eth0", 2, [10, 1, 2, 3], true);
        let mut free = card("eth1", 3, [0, 0, 0, 0], false);
        free.addresses.clear();
        let lab = card("eth2", 4, [172, 16, 0, 9], false);
        Box::pin(async { Ok(vec![office, free, lab]) })
    }

    fn works(&self) -> Soon<'_, Works> {
        let transfer = Transfer {
            server: ServerKind::Tftp,
            board: None,
            ip: Ipv4Addr::new(192, 168, 151, 100),
            what: "config.txt".to_owned(),
            sent: 1,
            total: None,
            since: Millis(0),
        };
        Box::pin(async {
            Works {
                transfers: vec![transfer],
                ..Works::default()
            }
        })
    }

    fn backups(&self, _: Option<Millis>) -> Soon<'_, Result<Backups, Refusal>> {
        Box::pin(async { Err(alone()) })
    }

    fn read_again(&self) -> Soon<'_, Result<(Vec<Change>, Config), Refusal>> {
        Box::pin(async { Err(alone()) })
    }

    fn apply(&self, _: Box<Config>, found: Vec<Change>) -> Soon<'_, Vec<Change>> {
        Box::pin(async { found })
    }

    fn configuration(&self, _: Option<Deployment>) -> Configuration {
        Configuration::default()
    }

    fn tally(&self) -> crate::counts::Tally {
        crate::counts::Tally::default()
    }

    fn self_test(
        &self,
        _: Result<ImageId, String>,
    ) -> Soon<'_, Result<wire::self_test::SelfTest, Refusal>> {
        Box::pin(async { Err(alone()) })
    }

    fn archive(&self, _: bool) -> Soon<'_, Result<Outgoing, Refusal>> {
        Box::pin(async { Err(alone()) })
    }

    fn packets(&self, _: Option<&[Mac]>) -> Vec<u8> {
        vec![0; 24]
    }

    fn log_of(&self, board: BoardId) -> Soon<'_, Vec<String>> {
        Box::pin(async move { vec![format!("{{\"board\":\"{board}\"}}")] })
    }

    fn settings(&self) -> String {
        configured_text()
    }

    fn pack(&self, _: ImageId) -> Soon<'_, Result<(), Refusal>> {
        Box::pin(async { Ok(()) })
    }

    fn page(&self) -> Option<String> {
        Some("http://127.0.0.1:5000".to_owned())
    }

    fn fingerprint(&self) -> Option<String> {
        None
    }
}

fn configured_text() -> String {
    shown_as_text(&shown(&Config::defaults(&Environment::default()), None))
}

fn configured() -> Deployment {
    Config::defaults(&Environment::default()).deployment
}

pub(super) async fn begin(rig: &Rig, fixed_by: Option<&str>) -> Deployment {
    let fixed_by = fixed_by.map(ToOwned::to_owned);
    let begun = rig.engine.begin(Arc::new(Machine), configured(), fixed_by);
    begun.await.unwrap()
}

pub(super) fn on(nic: &str) -> DeploymentChoice {
    DeploymentChoice {
        interface: Some(nic.to_owned()),
        ..configured().choice()
    }
}

pub(super) async fn set(rig: &Rig, choice: DeploymentChoice) -> Result<Receipt, Refusal> {
    rig.engine.command(Command::DeploymentSet(choice)).await
}

pub(super) async fn settings(rig: &Rig) -> Settings {
    match rig.engine.query(Query::Settings).await.unwrap() {
        Answer::Settings(settings) => *settings,
        other => panic!("settings were asked for, not {other:?}"),
    }
}

#[tokio::test]
async fn a_choice_takes_effect_at_once_and_survives_a_restart() {
    let rig = Rig::empty();
    assert_eq!(begin(&rig, None).await.interface, None);
    let mut effects = rig.engine.effects();
    let mut choice = on("eth1");
    choice.address = "192.168.77.1/24".to_owned();
    choice.leases = "192.168.77.50-192.168.77.99".to_owned();
    set(&rig, choice.clone()).await.unwrap();
    let ordered = effects.try_recv().unwrap();
    assert!(
        matches!(&ordered, Effect::StandOn(d) if d.choice() == choice),
        "{ordered:?}"
    );
    assert_eq!(settings(&rig).await.deployment, choice);
    // The same again is no news.
    set(&rig, choice.clone()).await.unwrap();
    assert!(effects.try_recv().is_err());

    let rig = rig.reopen().await;
    assert_eq!(begin(&rig, None).await.choice(), choice);
    // What the file says decides over it, as long as it does.
    let rig = rig.reopen().await;
    assert_eq!(begin(&rig, Some("a file")).await, configured());
}

#[tokio::test]
async fn a_card_that_cannot_be_is_refused_at_its_field() {
    let rig = Rig::empty();
    begin(&rig, None).await;
    let mut overlapping = on("eth1");
    overlapping.address = "172.16.0.1/16".to_owned();
    overlapping.leases = String::new();
    let mut nonsense = on("eth1");
    nonsense.leases = "many".to_owned();
    for (field, part, choice) in [
        ("interface", "no network card eth9", on("eth9")),
        ("interface", "default route", on("eth0")),
        ("address", "eth2", overlapping),
        ("leases", "not a range", nonsense),
    ] {
        let refusal = set(&rig, choice.clone()).await.unwrap_err();
        assert_eq!(refusal.field.as_deref(), Some(field), "{refusal}");
        assert!(refusal.message.contains(part), "{refusal}");
        // A form is told the same while a person types.
        let of = Box::new(Command::DeploymentSet(choice));
        let tried = rig.engine.query(Query::Try { of }).await.unwrap();
        assert_eq!(tried, Answer::Try(Tried::Refuse { refusal }));
    }
    assert_eq!(settings(&rig).await.deployment, configured().choice());
    let mut meant = on("eth0");
    meant.force_default_route = true;
    set(&rig, meant).await.unwrap();
}

#[tokio::test]
async fn what_a_file_decides_cannot_be_chosen() {
    let rig = Rig::empty();
    begin(&rig, Some("/etc/punnet/station.toml, line 3")).await;
    let refusal = set(&rig, on("eth1")).await.unwrap_err();
    assert!(
        refusal.message.contains("station.toml, line 3"),
        "{refusal}"
    );
    let fixed = settings(&rig).await.deployment_fixed_by;
    assert_eq!(fixed.as_deref(), Some("/etc/punnet/station.toml, line 3"));
}

#[tokio::test]
async fn boards_that_are_being_written_are_not_cut_off() {
    let rig = Rig::with_batch(2).await;
    begin(&rig, None).await;
    rig.job(1).await;
    let refusal = set(&rig, on("eth1")).await.unwrap_err();
    assert_eq!(refusal.code, Code::Conflict);
    assert!(
        refusal.message.contains("1 board is being written"),
        "{refusal}"
    );
}

#[tokio::test]
async fn an_engine_without_a_station_says_so() {
    let rig = Rig::empty();
    for query in [Query::Nics, Query::Settings, Query::Works] {
        let refusal = rig.engine.query(query).await.unwrap_err();
        assert_eq!(refusal.code, Code::Unavailable);
    }
    let refusal = set(&rig, on("eth1")).await.unwrap_err();
    assert_eq!(refusal.code, Code::Unavailable);
}

#[tokio::test]
async fn cards_and_transfers_are_shown_as_they_are() {
    let rig = Rig::empty();
    begin(&rig, None).await;
    set(&rig, on("eth1")).await.unwrap();
    let Answer::Nics(nics) = rig.engine.query(Query::Nics).await.unwrap() else {
        panic!("cards were asked for")
    };
    let chosen: Vec<_> = nics.iter().map(|n| (n.name.as_str(), n.chosen)).collect();
    assert_eq!(chosen, [("eth0", false), ("eth1", true), ("eth2", false)]);
    let Answer::Works(works) = rig.engine.query(Query::Works).await.unwrap() else {
        panic!("works were asked for")
    };
    assert_eq!(works.transfers.len(), 1);
}
