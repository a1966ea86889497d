//! The compatible device API follows the same rules.

use super::*;
use wire::device::{ConfigRequest, StatusRequest};

fn config(serial: &str) -> ConfigRequest {
    ConfigRequest {
        product_type: Some("KXP2".to_owned()),
        venue_code: Some("CORO".to_owned()),
        serial_number: Some(serial.to_owned()),
        mac_address: Some(mac(7).to_string()),
    }
}

fn status(status: &str, serial: &str) -> StatusRequest {
    StatusRequest {
        status: Some(status.to_owned()),
        serial: Some(serial.to_owned()),
        ..StatusRequest::default()
    }
}

async fn say(rig: &Rig, request: StatusRequest) -> Result<(), Code> {
    let reply = rig.engine.device_status(address(7), request).await;
    reply.map(|r| assert!(r.received)).map_err(|r| r.code)
}

#[tokio::test]
async fn an_installer_gets_one_name_however_it_spells_its_serial() {
    let rig = Rig::with_batch(3).await;
    let mut seen = Vec::new();
    for serial in [
        "9d00ce4100d137e6",
        "00D137E6",
        "d137e6",
        " 9D00CE4100D137E6 ",
    ] {
        let assigned = rig
            .engine
            .device_config(address(7), config(serial))
            .await
            .unwrap();
        seen.push((assigned.deployment, assigned.hostname));
    }
    seen.dedup();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(seen[0].1, host("KXP2-CORO-001"));
    let tile = rig.tile(0x00d1_37e6).await;
    assert_eq!(tile.serial, Some(Serial(0x9d00_ce41_00d1_37e6)));
}

#[tokio::test]
async fn its_reports_move_the_board_and_success_is_only_reported() {
    let rig = Rig::with_batch(1).await;
    rig.engine
        .device_config(address(7), config("00000007"))
        .await
        .unwrap();
    let stages = [
        ("starting", Stage::PreparingStorage),
        ("downloading", Stage::Writing),
        ("verifying", Stage::Verifying),
        ("customizing", Stage::Personalising),
        ("success", Stage::Done),
    ];
    for (word, stage) in stages {
        say(&rig, status(word, "00000007")).await.unwrap();
        assert_eq!(rig.tile(7).await.stage, stage);
    }
    assert_eq!(
        rig.history_of(7).await[0].verified,
        Some(VerifyLevel::Reported)
    );
    assert_eq!(
        say(&rig, status("success", "00000007")).await,
        Ok(()),
        "again"
    );
    assert_eq!(
        say(&rig, status("downloading", "00000007")).await,
        Err(Code::Conflict)
    );
    let again = rig
        .engine
        .device_config(address(7), config("00000007"))
        .await
        .unwrap_err();
    assert_eq!(again.code, Code::OnHold);
    assert!(again.message.contains("KXP2-CORO-001"), "{again}");
}

#[tokio::test]
async fn a_hold_is_an_answer_with_its_reason_and_spends_nothing() {
    let rig = Rig::ready(1).await;
    let held = rig
        .engine
        .device_config(address(7), config("00000007"))
        .await
        .unwrap_err();
    assert_eq!(held.code, Code::OnHold);
    assert!(held.message.contains("no active batch"), "{held}");
    assert_eq!(rig.tile(7).await.stage, Stage::OnHold);
    let mut picky = plan(1);
    picky.rules.disks = vec![DiskKind::Sd];
    let batch = rig.batch_of(picky).await;
    let held = rig
        .engine
        .device_config(address(7), config("00000007"))
        .await
        .unwrap_err();
    assert!(held.message.contains("its disks is not known"), "{held}");
    rig.command(Command::BatchCancel { batch }).await;
    rig.batch(1).await;
    let mut other = config("00000007");
    other.product_type = Some("RXP2".to_owned());
    let held = rig
        .engine
        .device_config(address(7), other)
        .await
        .unwrap_err();
    assert!(held.message.contains("asks for RXP2"), "{held}");
    rig.engine
        .device_config(address(7), config("00000007"))
        .await
        .unwrap();
}

#[tokio::test]
async fn failed_and_unknown_are_told_apart() {
    let rig = Rig::with_batch(1).await;
    assert_eq!(
        say(&rig, status("success", "00000007")).await,
        Err(Code::NotFound)
    );
    let assigned = rig
        .engine
        .device_config(address(7), config("00000007"))
        .await
        .unwrap();
    assert_eq!(
        say(&rig, status("banana", "00000007")).await,
        Err(Code::Invalid)
    );
    let mut by_id = status("failed", "");
    by_id.deployment_id = Some(assigned.deployment);
    by_id.error_message = Some("no space left".to_owned());
    say(&rig, by_id).await.unwrap();
    let tile = rig.tile(7).await;
    assert_eq!(tile.failure.unwrap().what, "no space left");
    let mut unknown = status("success", "");
    unknown.deployment_id = Some("nonsense".to_owned());
    assert_eq!(say(&rig, unknown).await, Err(Code::NotFound));
    let mut by_name = status("success", "");
    by_name.hostname = Some("KXP2-CORO-009".to_owned());
    assert_eq!(say(&rig, by_name).await, Err(Code::NotFound));
}

#[tokio::test]
async fn a_report_by_serial_or_name_has_to_come_from_the_board() {
    let rig = Rig::with_batch(1).await;
    let assigned = rig.engine.device_config(address(7), config("00000007"));
    let assigned = assigned.await.unwrap();
    let by_serial = status("success", "00000007");
    let by_name = StatusRequest {
        status: Some("success".to_owned()),
        hostname: Some(assigned.hostname.to_string()),
        ..StatusRequest::default()
    };
    for request in [&by_serial, &by_name] {
        let foreign = rig.engine.device_status(address(8), request.clone()).await;
        let refusal = foreign.unwrap_err();
        assert_eq!(refusal.code, Code::Forbidden);
        let words = ["10.0.0.7", "10.0.0.8", "KXP2-CORO-001"];
        assert!(
            words.iter().all(|word| refusal.message.contains(word)),
            "{refusal}"
        );
    }
    assert_eq!(rig.tile(7).await.stage, Stage::Assigned);
    say(&rig, by_name).await.unwrap();
    assert_eq!(rig.tile(7).await.stage, Stage::Done);
}

#[tokio::test]
async fn it_cannot_touch_what_the_agent_does() {
    let rig = Rig::with_batch(1).await;
    rig.job(7).await;
    assert_eq!(
        say(&rig, status("success", "00000007")).await,
        Err(Code::Forbidden)
    );
    let refusal = rig
        .engine
        .device_config(address(7), config("00000007"))
        .await
        .unwrap_err();
    assert_eq!(refusal.code, Code::Conflict);
    assert_eq!(rig.tile(7).await.stage, Stage::Assigned);
}

#[tokio::test]
async fn without_a_serial_the_address_must_be_known() {
    let rig = Rig::with_batch(1).await;
    let nameless = ConfigRequest {
        mac_address: Some(mac(7).to_string()),
        ..ConfigRequest::default()
    };
    let refusal = rig
        .engine
        .device_config(address(7), nameless.clone())
        .await
        .unwrap_err();
    assert_eq!(
        (refusal.code, refusal.field.as_deref()),
        (Code::Invalid, Some("serial_number"))
    );
    rig.discover(7).await;
    rig.lease(7).await;
    rig.engine
        .device_config(address(7), nameless)
        .await
        .unwrap();
    let silent = rig
        .engine
        .device_config(address(7), ConfigRequest::default())
        .await
        .unwrap();
    assert_eq!(
        silent.hostname,
        host("KXP2-CORO-001"),
        "known by its lease alone"
    );
    for bad in ["xyz", "0000000000000000"] {
        let refusal = rig
            .engine
            .device_config(address(7), config(bad))
            .await
            .unwrap_err();
        assert_eq!(refusal.code, Code::Invalid, "{bad}");
    }
}

#[tokio::test]
async fn made_up_serials_fill_no_bench() {
    let rig = Rig::ready(0).await;
    for n in 1..1200_u32 {
        let request = ConfigRequest {
            serial_number: Some(format!("{n:08x}")),
            ..ConfigRequest::default()
        };
        rig.engine
            .device_config(address(n), request)
            .await
            .unwrap_err();
    }
    let Answer::Boards(boards) = rig.engine.query(Query::Boards).await.unwrap() else {
        panic!()
    };
    assert!(boards.len() <= 1024, "{}", boards.len());
}

/// What the events say of boards that go by one id.
async fn conflicts(rig: &Rig) -> Vec<String> {
    let events = rig.events().await.into_iter();
    let told = events.filter(|e| e.kind == "identity.conflict");
    told.map(|e| e.text).collect()
}

#[tokio::test]
async fn two_boards_whose_serials_end_alike_are_not_given_one_name() {
    let rig = Rig::with_batch(2).await;
    let first = config("9d00ce4100000007");
    let twin = ConfigRequest {
        mac_address: Some(mac(8).to_string()),
        ..config("1111111100000007")
    };
    let assigned = rig.engine.device_config(address(7), first).await.unwrap();
    for _ in 0..2 {
        let held = rig.engine.device_config(address(8), twin.clone()).await;
        let held = held.unwrap_err();
        assert_eq!(held.code, Code::OnHold);
        assert!(held.message.contains("9d00ce4100000007"), "{held}");
    }
    let by_serial = rig
        .engine
        .device_status(address(8), status("failed", "1111111100000007"));
    assert_eq!(by_serial.await.unwrap_err().code, Code::Forbidden);
    let tile = rig.tile(7).await;
    assert_eq!(
        (tile.stage, tile.mac),
        (Stage::Assigned, mac(7)),
        "left alone"
    );
    assert_eq!(tile.hostname, Some(assigned.hostname));
    assert_eq!(conflicts(&rig).await.len(), 1, "told once");
    say(&rig, status("success", "9d00ce4100000007"))
        .await
        .unwrap();
}

#[tokio::test]
async fn short_serials_are_told_apart_by_the_address_of_the_board_at_work() {
    let rig = Rig::with_batch(2).await;
    let twin = ConfigRequest {
        mac_address: Some(mac(8).to_string()),
        ..config("00000007")
    };
    let first = config("00000007");
    rig.engine.device_config(address(7), first).await.unwrap();
    let held = rig
        .engine
        .device_config(address(8), twin)
        .await
        .unwrap_err();
    assert_eq!(held.code, Code::OnHold);
    assert!(held.message.contains(&mac(8).to_string()), "{held}");
    let failed = StatusRequest {
        mac_address: Some(mac(8).to_string()),
        ..status("failed", "00000007")
    };
    let refusal = rig
        .engine
        .device_status(address(8), failed)
        .await
        .unwrap_err();
    assert_eq!(refusal.code, Code::Forbidden);
    assert_eq!(rig.tile(7).await.stage, Stage::Assigned);
    let told = conflicts(&rig).await;
    assert!(told[0].contains(&mac(8).to_string()), "{told:?}");
}

#[tokio::test]
async fn one_board_with_two_network_cards_is_known_by_its_whole_serial() {
    let rig = Rig::with_batch(1).await;
    let wired = config("9d00ce4100000007");
    let wireless = ConfigRequest {
        mac_address: Some(mac(8).to_string()),
        ..wired.clone()
    };
    let first = rig.engine.device_config(address(7), wired).await.unwrap();
    let second = rig
        .engine
        .device_config(address(8), wireless)
        .await
        .unwrap();
    assert_eq!(first.deployment, second.deployment);
}

#[tokio::test]
async fn a_venue_is_read_and_counts_like_the_product() {
    let rig = Rig::with_batch(1).await;
    let at = |venue: &str| ConfigRequest {
        venue_code: Some(venue.to_owned()),
        ..config("00000007")
    };
    let refusal = rig
        .engine
        .device_config(address(7), at("CORONA"))
        .await
        .unwrap_err();
    assert_eq!(
        (refusal.code, refusal.field.as_deref()),
        (Code::Invalid, Some("venue_code"))
    );
    assert!(refusal.message.contains("exactly 4"), "{refusal}");
    let held = rig
        .engine
        .device_config(address(7), at("ARIA"))
        .await
        .unwrap_err();
    assert_eq!(held.code, Code::OnHold);
    assert!(held.message.contains("asks for ARIA"), "{held}");
    let assigned = rig
        .engine
        .device_config(address(7), at("coro"))
        .await
        .unwrap();
    assert_eq!(assigned.venue.as_str(), "CORO");
}
