//! What a board is served while it boots.

use super::super::{BootAnswer, BootClient, Effect, Install};
use super::*;
use netboot::tftp::{TftpEvent, What};
use wire::health::{ServerKind, ServerState, ServerStatus};

fn who(n: u32) -> BootClient {
    BootClient {
        ip: address(n),
        board: Some(BoardId::Pi(n)),
    }
}

fn install(rig: &Rig, who: BootClient) -> Install {
    match rig.engine.boot_answer(who) {
        BootAnswer::Install(install) => install,
        other => panic!("{who:?} got {other:?}"),
    }
}

async fn fetch(rig: &Rig, ip: Ipv4Addr, path: &str, what: What) {
    rig.engine.tftp(TftpEvent {
        client: (ip, 1024).into(),
        transfer: 1,
        path: path.to_owned(),
        what,
    });
    rig.caught_up().await;
}

#[tokio::test]
async fn a_board_is_shown_before_any_byte_is_served() {
    let rig = Rig::with_batch(1).await;
    rig.discover(7).await;
    let tile = rig.tile(7).await;
    assert_eq!(
        (tile.stage, tile.model.as_str()),
        (Stage::Seen, "Raspberry Pi 5")
    );
    assert_eq!(tile.ram_mib, Some(8192));
    rig.lease(7).await;
    assert_eq!(rig.tile(7).await.stage, Stage::Addressed);
    assert_eq!(rig.tile(7).await.ip, Some(address(7)));
    let started = What::Started { size: 100 };
    fetch(&rig, address(7), "00000007/kernel_2712.img", started).await;
    let tile = rig.tile(7).await;
    assert_eq!(tile.stage, Stage::LoadingBootFiles);
    assert_eq!(tile.detail.as_deref(), Some("00000007/kernel_2712.img"));
}

#[tokio::test]
async fn one_boot_has_one_token_and_the_next_boot_another() {
    let rig = Rig::with_batch(1).await;
    rig.discover(7).await;
    let first = install(&rig, who(7));
    assert_eq!(first.token.len(), 32);
    rig.pass(4_000);
    rig.discover(7).await;
    assert_eq!(
        install(&rig, who(7)).token,
        first.token,
        "it only repeats itself"
    );
    rig.pass(20_001);
    rig.discover(7).await;
    let second = install(&rig, who(7)).token;
    assert_ne!(second, first.token);
    let mut check_in = board(7);
    check_in.token = Some(second.clone());
    rig.ask(check_in).await;
    rig.discover(7).await;
    assert_ne!(
        install(&rig, who(7)).token,
        second,
        "it had booted and boots again"
    );
    assert_eq!(rig.tile(7).await.stage, Stage::Seen);
}

#[tokio::test]
async fn a_token_survives_a_restart_of_the_station() {
    let rig = Rig::with_batch(1).await;
    rig.discover(7).await;
    rig.lease(7).await;
    let token = install(&rig, who(7)).token;
    let rig = rig.reopen().await;
    rig.engine.set_require_token(true);
    assert_eq!(
        install(&rig, who(7)).token,
        token,
        "its next file is rendered alike"
    );
    let mut check_in = board(7);
    check_in.token = Some(token);
    let order = rig.engine.check_in(address(7), check_in).await.unwrap();
    assert!(matches!(order, Order::Provision(_)));
}

#[tokio::test]
async fn a_finished_board_is_declined_until_it_is_approved() {
    let rig = Rig::with_batch(1).await;
    rig.discover(7).await;
    rig.finish(7).await;
    rig.discover(7).await;
    assert_eq!(rig.engine.boot_answer(who(7)), BootAnswer::Decline);
    assert_eq!(
        rig.tile(7).await.stage,
        Stage::Done,
        "booting its disk is no news"
    );
    let by_address = BootClient {
        ip: address(7),
        board: None,
    };
    rig.lease(7).await;
    assert_eq!(rig.engine.boot_answer(by_address), BootAnswer::Decline);
    rig.command(Command::BoardApprove {
        board: BoardId::Pi(7),
    })
    .await;
    rig.discover(7).await;
    install(&rig, who(7));
    assert_eq!(rig.tile(7).await.stage, Stage::Seen);
}

#[tokio::test]
async fn a_finished_board_is_declined_after_a_restart_too() {
    let rig = Rig::with_batch(1).await;
    rig.discover(7).await;
    rig.finish(7).await;
    let rig = rig.reopen().await;
    assert_eq!(rig.engine.boot_answer(who(7)), BootAnswer::Decline);
}

#[tokio::test]
async fn held_boards_boot_too_so_that_their_inventory_is_seen() {
    let rig = Rig::ready(0).await;
    rig.discover(7).await;
    assert_eq!(install(&rig, who(7)).image, ImageId([1; 32]));
}

#[tokio::test]
async fn without_any_image_there_is_nothing_to_boot() {
    let rig = Rig::empty();
    rig.discover(7).await;
    assert_eq!(rig.engine.boot_answer(who(7)), BootAnswer::Unknown);
    rig.product("KXP2", "{number}").await;
    rig.image("KXP2", 1).await.unwrap();
    install(&rig, who(7));
}

#[tokio::test]
async fn the_files_of_one_board_are_not_for_another() {
    let rig = Rig::with_batch(2).await;
    for n in [7, 8] {
        rig.discover(n).await;
        rig.lease(n).await;
    }
    let spy = BootClient {
        ip: address(8),
        board: Some(BoardId::Pi(7)),
    };
    assert_eq!(rig.engine.boot_answer(spy), BootAnswer::Unknown);
    let nobody = BootClient {
        ip: address(99),
        board: None,
    };
    assert_eq!(rig.engine.boot_answer(nobody), BootAnswer::Unknown);
}

#[tokio::test]
async fn a_boot_rom_that_does_not_say_who_it_is_is_known_by_its_folder() {
    let rig = Rig::with_batch(1).await;
    rig.engine.set_require_token(true);
    rig.engine.dhcp(DhcpEvent::Seen {
        mac: mac(7),
        client: Client::PiUnknown,
        xid: 1,
        vendor_class: None,
    });
    rig.engine.dhcp(DhcpEvent::Offered {
        mac: mac(7),
        ip: address(7),
    });
    rig.caught_up().await;
    let token = install(&rig, who(7)).token;
    fetch(&rig, address(7), "00000007/start.elf", What::NotFound).await;
    assert_eq!(install(&rig, who(7)).token, token);
    let Answer::Boards(boards) = rig.engine.query(Query::Boards).await.unwrap() else {
        panic!()
    };
    assert_eq!(boards.len(), 1, "one board, one tile: {boards:?}");
    assert_eq!(boards[0].id, BoardId::Pi(7));
    let mut check_in = board(7);
    check_in.token = Some(token);
    let order = rig.engine.check_in(address(7), check_in).await.unwrap();
    assert!(matches!(order, Order::Provision(_)));
}

#[tokio::test]
async fn a_foreign_device_is_shown_and_answered_when_accepted() {
    let rig = Rig::empty();
    let mut effects = rig.engine.effects();
    rig.engine.dhcp(DhcpEvent::NotOurs {
        mac: mac(9),
        vendor_class: Some("MSFT 5.0".to_owned()),
    });
    rig.caught_up().await;
    let Answer::Boards(boards) = rig.engine.query(Query::Boards).await.unwrap() else {
        panic!()
    };
    assert_eq!((boards[0].stage, boards[0].mac), (Stage::NotOurs, mac(9)));
    rig.command(Command::BoardAccept { mac: mac(9) }).await;
    assert_eq!(effects.recv().await, Some(Effect::Vouch(mac(9))));
    let rig = rig.reopen().await;
    assert_eq!(
        rig.engine.effects().recv().await,
        Some(Effect::Vouch(mac(9))),
        "for good"
    );
}

#[tokio::test]
async fn a_flood_of_made_up_boards_has_an_end() {
    let rig = Rig::with_batch(1).await;
    rig.job(1).await;
    for n in 2..1300 {
        rig.engine.dhcp(DhcpEvent::Seen {
            mac: mac(n),
            client: pi(n),
            xid: 1,
            vendor_class: None,
        });
        if n % 500 == 0 {
            rig.caught_up().await;
        }
    }
    for n in 0..200 {
        rig.engine.dhcp(DhcpEvent::NotOurs {
            mac: mac(0x00ff_0000 + n),
            vendor_class: None,
        });
    }
    rig.caught_up().await;
    let Answer::Boards(boards) = rig.engine.query(Query::Boards).await.unwrap() else {
        panic!()
    };
    assert!(boards.len() <= 1 + 1024 + 64, "{}", boards.len());
    assert!(
        boards.iter().any(|b| b.id == BoardId::Pi(1)),
        "the real one stays"
    );
}

#[tokio::test]
async fn a_second_board_with_the_serial_of_one_at_work_moves_nothing() {
    let rig = Rig::with_batch(1).await;
    let job = rig.job(7).await;
    rig.report(&job, vec![(1, step(Stage::Writing))]).await;
    rig.engine.dhcp(DhcpEvent::Seen {
        mac: mac(8),
        client: pi(7),
        xid: 1,
        vendor_class: None,
    });
    rig.caught_up().await;
    let tile = rig.tile(7).await;
    assert_eq!((tile.stage, tile.mac), (Stage::Writing, mac(7)));
    assert!(
        rig.events()
            .await
            .iter()
            .any(|e| e.kind == "identity.conflict")
    );
}

#[tokio::test]
async fn leases_survive_and_servers_are_part_of_readiness() {
    let rig = Rig::with_batch(1).await;
    rig.discover(7).await;
    rig.lease(7).await;
    rig.engine.server_changed(ServerStatus {
        server: ServerKind::Dhcp,
        state: ServerState::Refused {
            why: "192.168.151.1 is in use by aa:bb:cc:dd:ee:ff.".to_owned(),
        },
        listen: None,
        since: Millis(1),
    });
    let Answer::Ready(ready) = rig.engine.query(Query::Ready).await.unwrap() else {
        panic!()
    };
    let of = |name: &str| {
        ready
            .subsystems
            .iter()
            .find(|s| s.name == name)
            .unwrap()
            .ready
    };
    assert!(of("database") && of("disk") && of("image") && of("pool"));
    assert!(!of("dhcp") && !ready.ready);
    let rig = rig.reopen().await;
    let leases = rig.engine.leases().await;
    assert_eq!(leases.len(), 1);
    assert_eq!(
        (leases[0].board, leases[0].ip),
        (Some(BoardId::Pi(7)), address(7))
    );
}

#[tokio::test]
async fn a_twin_of_a_finished_board_is_told_not_merged() {
    let rig = Rig::with_batch(2).await;
    rig.discover(7).await;
    rig.finish(7).await;
    rig.engine.dhcp(DhcpEvent::Seen {
        mac: mac(8),
        client: pi(7),
        xid: 1,
        vendor_class: None,
    });
    rig.caught_up().await;
    assert_eq!(rig.tile(7).await.mac, mac(7));
    let events = rig.events().await;
    let told = events
        .iter()
        .find(|e| e.kind == "identity.conflict")
        .unwrap();
    assert!(told.text.contains(&mac(8).to_string()), "{}", told.text);
}

#[tokio::test]
async fn a_foreign_device_that_went_away_leaves_the_bench() {
    let rig = Rig::empty();
    rig.engine.dhcp(DhcpEvent::NotOurs {
        mac: mac(9),
        vendor_class: None,
    });
    rig.caught_up().await;
    rig.pass(60 * 60 * 1000);
    let gone = async {
        loop {
            match rig.engine.query(Query::Boards).await.unwrap() {
                Answer::Boards(boards) if boards.is_empty() => return,
                _ => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), gone)
        .await
        .unwrap();
}
